"""Events as the rows of the list: a sentence in pieces, each of which can link to what it names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.names import Names
from indexer.search import StoredEvent
from webui import wording

_SHOWN_CHANGES_COUNT: Final = 3
_SHOWN_VALUE_CHARS: Final = 40
# An exception can be a page long; its event shows the whole of it.
_SHOWN_SENTENCE_CHARS: Final = 240
# What tells most of a record that came or went, where it has such fields.
_FACTS: Final = (
    *("Status", "MovementType", "Quantity", "QuantityOrdered", "QuantityOnHand", "QuantityAdjustment"),
    *("TotalQuantity", "TotalQuantityChange", "Name", "Value", "RoleId", "ClaimValue"),
)
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

# Label, field, parameter of what a row's menu offers.
_CHOICES: Final = (
    ("User", "user.name", "user"),
    ("Category", "event.category", "category"),
    ("Action", "event.action", "action"),
    ("Outcome", "event.outcome", "outcome"),
    ("Type", "entity.type", "type"),
    ("Entity", "entity.number", "entity"),
    ("Address", "source.ip", "ip"),
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
    choices: tuple[Part, ...]
    """What the row's menu offers to ask for alone, or to leave out; `title` says what it is."""
    entity: tuple[str, str] | None
    """Type, and id or number, of what it is about: the way to its history."""
    user: str
    """The way to the user's own page."""
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


def days(events: Iterable[StoredEvent], zone: ZoneInfo, names: Names) -> tuple[Day, ...]:
    """Give rows by local day, in the order of the events; `names`: of the ids in them."""
    dated = ((event.moment.astimezone(zone), event) for event in events)
    return tuple(
        Day(f"{day:%A} {day.day} {day:%B %Y}", tuple(row(event, zone, names) for _, event in group))
        for day, group in groupby(dated, key=lambda each: each[0].date())
    )


def row(event: StoredEvent, zone: ZoneInfo, names: Names) -> Row:
    """Give one event as a row, times in the given zone, ids as they are called."""
    local = event.moment.astimezone(zone)
    said = event.text("message")
    telling = [
        each for each in changes_of(event, zone, names) if f"from {each.before} to {each.after}" not in said
    ]
    shown = telling[:_SHOWN_CHANGES_COUNT]
    return Row(
        id=event.id,
        time=f"{local:%H:%M:%S}",
        iso=local.isoformat(timespec="microseconds"),
        category=event.text("event.category"),
        outcome=event.text("event.outcome"),
        sentence=tuple(sentence(event, names)),
        changes=tuple(shown),
        more_changes=len(telling) - len(shown),
        address=address(event),
        tenant_id=event.text("tenant.id"),
        flags=tuple(event.value("event.flags") or ()),
        choices=tuple(_choices(event, names)),
        entity=entity_of(event),
        user=event.text("user.id") or event.text("user.name") or event.text("user.email"),
        says_failure=any(word in said.lower() for word in ("fail", "refused")),
    )


def entity_of(event: StoredEvent) -> tuple[str, str] | None:
    """Give type and id (or number) of what an event is about; None when it is about nothing in particular."""
    kind, key = event.text("entity.type"), event.text("entity.id") or event.text("entity.number")
    return (kind, key) if kind and key else None


def _choices(event: StoredEvent, names: Names) -> Iterator[Part]:
    for label, name, parameter in _CHOICES:
        value = event.text(name)
        if value:
            text = wording.entity_name(value) if parameter == "type" else wording.humanised(value)
            shown = text if parameter in {"type", "category", "action", "outcome"} else value
            yield Part(_cut(wording.called(shown, names), _SHOWN_VALUE_CHARS), parameter, value, label)


def sentence(event: StoredEvent, names: Names) -> Iterator[Part]:
    """Give the event's own sentence, with links where it names the user, the action, and the entity."""
    rest = _cut(_said(event), _SHOWN_SENTENCE_CHARS) or wording.humanised(event.text("event.action"))
    action, who = event.text("event.action"), _named(event, rest)
    if who:
        yield Part(who, "user", who, event.text("user.email") or f"Only {who}")
        rest = rest[len(who) :]
    keys = [key for key in (event.text("entity.number"), event.text("entity.id")) if key]
    key = next((key for key in keys if key in rest), "")
    deed, key, end = rest.partition(key) if key else (rest, "", "")
    words = f" {wording.entity_name(event.text('entity.type'))} "
    kind = words if key and deed.endswith(words) else ""
    deed = deed.removesuffix(kind) if kind else deed
    space = deed[: len(deed) - len(deed.lstrip())]
    yield Part(space)
    yield Part(deed.strip(), "action", action, f"Only {wording.humanised(action)}")
    if kind:
        yield Part(" ")
        yield Part(kind.strip(), "type", event.text("entity.type"), f"Only {event.text('entity.type')}")
        yield Part(" ")
    elif deed.endswith(" "):
        yield Part(" ")
    if key:
        yield Part(wording.called(key, names), "entity", key, f"Everything about {key}")
    # The names of changed fields stand below, with their values.
    if end and not end.startswith(": "):
        yield Part(end)


def _said(event: StoredEvent) -> str:
    """The event's sentence; a search in this audit is told by what was looked for, not by where."""
    said, sought = event.text("message"), event.text("labels.Sentence")
    if event.text("event.provenance") == "trail" and sought and event.text("event.action") == "searched":
        return f"{event.text('user.name')} searched {sought}"
    return said.replace(" searched: ", " searched ") if event.text("event.category") == "audit" else said


def _named(event: StoredEvent, text: str) -> str:
    """The user as the sentence calls it, if it begins with one."""
    names = (event.text("user.name"), event.text("user.email"), event.text("user.id"))
    return next((name for name in names if name and text.startswith(f"{name} ")), "")


def address(event: StoredEvent) -> Part | None:
    """Say from where."""
    found = event.text("source.ip") or event.text("source.address")
    return Part(found, "ip", found, f"Only {found}") if found else None


def changes_of(event: StoredEvent, zone: ZoneInfo, names: Names) -> Iterator[Change]:
    """Give what somebody meant to change, in the order of the record; of one that came or went, its facts."""
    before, after = event.value("change.before") or {}, event.value("change.after") or {}
    for name in dict.fromkeys((*before, *after)) if before and after else _FACTS:
        if name in HOUSEKEEPING or (before.get(name) is None and after.get(name) is None):
            continue
        old, new = (_shown(side, name, zone, names) for side in (before, after))
        is_named = any(_is_named(side.get(name), names) for side in (before, after))
        label = wording.reference_name(name) if is_named else wording.field_name(name)
        yield Change(label, old, new)


def _is_named(value: object, names: Names) -> bool:
    return isinstance(value, str) and value in names


def _shown(values: dict[str, Any], name: str, zone: ZoneInfo, names: Names) -> str | None:
    if name not in values:
        return None
    return _cut(wording.called(wording.value_text(values[name], zone), names), _SHOWN_VALUE_CHARS)


def _cut(text: str, limit_chars: int) -> str:
    return text if len(text) <= limit_chars else f"{text[: limit_chars - 1]}…"
