"""Events as the rows of the list: a sentence in pieces, each of which can link to what it names. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.search import StoredEvent
from webui.search import wording

_SHOWN_CHANGES_COUNT: Final = 3
_SHOWN_VALUE_CHARS: Final = 40
# Fields that change with every write and say nothing of their own.
HOUSEKEEPING: Final = frozenset(
    {
        "UpdatedAt",
        "UpdatedBy",
        "CreatedAt",
        "CreatedBy",
        "ConcurrencyStamp",
        "SecurityStamp",
        "TenantId",
        "Id",
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a row's sentence. With a parameter, it is a link that filters by `value`."""

    text: str
    parameter: str = ""
    value: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One changed field in a row: its name, what it was, what it became; None: there was nothing."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One event in the list."""

    id: str
    time: str
    iso: str
    category: str
    outcome: str
    sentence: tuple[Part, ...]
    changes: tuple[Change, ...]
    more_changes: int
    address: Part | None
    tenant_id: str
    flags: tuple[str, ...]
    says_failure: bool
    """Whether the sentence itself says that it failed."""

    @property
    def text(self) -> str:
        """The sentence as plain text."""
        return "".join(part.text for part in self.sentence)


@dataclass(frozen=True, slots=True)
class Day:
    """The rows of one local day."""

    name: str
    rows: tuple[Row, ...]


def days(events: Iterable[StoredEvent], zone: ZoneInfo) -> tuple[Day, ...]:
    """Give rows by local day, in the order of the events."""
    dated = ((event.moment.astimezone(zone), event) for event in events)
    return tuple(
        Day(f"{day:%A} {day.day} {day:%B %Y}", tuple(row(event, zone) for _, event in group))
        for day, group in groupby(dated, key=lambda each: each[0].date())
    )


def row(event: StoredEvent, zone: ZoneInfo) -> Row:
    """Give one event as a row, times in the given zone."""
    local = event.moment.astimezone(zone)
    telling = list(changes_of(event))
    # A new or deleted record changed everything; its sentence says so already.
    shown = (
        telling[:_SHOWN_CHANGES_COUNT] if event.value("change.before") and event.value("change.after") else []
    )
    return Row(
        id=event.id,
        time=f"{local:%H:%M:%S}",
        iso=local.isoformat(timespec="milliseconds"),
        category=event.text("event.category"),
        outcome=event.text("event.outcome"),
        sentence=tuple(sentence(event)),
        changes=tuple(shown),
        more_changes=len(telling) - len(shown) if shown else 0,
        address=address(event),
        tenant_id=event.text("tenant.id"),
        flags=tuple(event.value("event.flags") or ()),
        says_failure=wording.says_failure(event.text("event.action")),
    )


def sentence(event: StoredEvent) -> Iterable[Part]:
    """Say who did what to what."""
    category, action = event.text("event.category"), event.text("event.action")
    if category == "system":
        yield Part(event.text("message") or wording.humanised(action), "action", action, "Only this action")
        return
    yield who(event)
    yield Part(" ")
    yield Part(
        wording.verb(action, event.text("event.outcome")),
        "action",
        action,
        f"Only {action.replace('_', ' ')}",
    )
    if entity := event.text("entity.type"):
        yield Part(" ")
        yield Part(wording.entity_name(entity), "type", entity, f"Only {entity}")
        key = event.text("entity.number") or event.text("entity.id")
        if key:
            yield Part(" ")
            yield Part(wording.short_id(key), "entity", key, f"Everything about {key}")
    elif category == "api" and (path := event.text("url.path")):
        method, status = event.text("http.request.method"), event.text("http.response.status_code")
        yield Part(f" {method} ")
        yield Part(wording.short_path(path), title=path)
        if action in {"refused", "failed"} and status:
            yield Part(f" ({status})")
    elif category == "audit" and (said := event.text("message")):
        yield Part(f": {said}")


def who(event: StoredEvent) -> Part:
    """Say who did it; what the log does not know is not guessed."""
    key = event.text("user.name") or event.text("user.email") or event.text("user.id")
    if key:
        return Part(wording.short_id(key), "user", key, event.text("user.email") or f"Only {key}")
    return Part("Somebody", title="The log does not say who")


def address(event: StoredEvent) -> Part | None:
    """Say from where."""
    found = event.text("source.ip") or event.text("source.address")
    return Part(found, "ip", found, f"Only {found}") if found else None


def changes_of(event: StoredEvent) -> Iterable[Change]:
    """Give the changed fields that somebody meant to change, in the order of the record."""
    before, after = event.value("change.before") or {}, event.value("change.after") or {}
    for name in dict.fromkeys((*before, *after)):
        if name in HOUSEKEEPING:
            continue
        old, new = _shown(before, name), _shown(after, name)
        yield Change(wording.field_name(name), old, new)


def _shown(values: dict[str, Any], name: str) -> str | None:
    if name not in values:
        return None
    text = wording.value_text(values[name])
    return text if len(text) <= _SHOWN_VALUE_CHARS else f"{text[: _SHOWN_VALUE_CHARS - 1]}…"
