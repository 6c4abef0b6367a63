"""One event as its own page: fields in groups, before and after, and what a reader should know. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from indexer.names import Names
from indexer.search import StoredEvent
from webui import wording
from webui.rows import HOUSEKEEPING

Kind = Literal["added", "removed", "changed", "same"]

# Heading, then label and field. The third, where there is one, is the parameter that filters by the value.
_GROUPS: Final[tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]] = (
    (
        "What",
        (
            ("Category", "event.category", "category"),
            ("Action", "event.action", "action"),
            ("Outcome", "event.outcome", "outcome"),
            ("Entity type", "entity.type", "type"),
            ("Entity number", "entity.number", "entity"),
            ("Entity id", "entity.id", "entity"),
            ("Changed fields", "change.fields", ""),
        ),
    ),
    (
        "Request",
        (
            ("Method", "http.request.method", ""),
            ("Path", "url.path", ""),
            ("Query string", "url.query", ""),
            ("Route", "url.route", ""),
            ("Status", "http.response.status_code", ""),
            ("Duration (ms)", "event.duration_ms", ""),
            ("Request id", "request.id", ""),
            ("Trace id", "trace.id", ""),
        ),
    ),
    ("Error", (("Type", "error.type", ""), ("Message", "error.message", ""))),
    (
        "Who and from where",
        (
            ("User", "user.name", "user"),
            ("E-mail", "user.email", "user"),
            ("User id", "user.id", "user"),
            ("IP address", "source.ip", "ip"),
            ("Address", "source.address", "ip"),
            ("User agent", "user_agent.original", ""),
            ("Tenant", "tenant.id", ""),
        ),
    ),
    (
        "Record",
        (
            ("Read from", "log.file", ""),
            ("At byte", "event.position", ""),
            ("Format", "log.format", ""),
            ("Source", "log.source", ""),
            ("Server", "host.name", "server"),
            ("Service", "service.name", ""),
            ("Logger", "log.logger", ""),
            ("Level", "log.level", ""),
            ("Handed over", "event.ingested", ""),
            ("Agent version", "agent.version", ""),
            ("Retention class", "tenant.class", ""),
            ("Event id", "event.id", ""),
            ("SHA-256", "event.hash", ""),
        ),
    ),
)
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the event: label, name in the store, value, and the parameter that filters by it."""

    label: str
    name: str
    value: str
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the table of before and after."""

    label: str
    name: str
    before: str
    after: str
    kind: Kind
    housekeeping: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """All that the page of one event shows."""

    local: str
    utc: str
    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    had_before: bool
    had_after: bool
    original: str
    stack_trace: str
    provenance: str
    provenance_text: str
    flags: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]
    never_happened: bool


def detail(event: StoredEvent, zone: ZoneInfo, names: Names) -> Detail:
    """Give the page of an event, its time in the given zone; `names`: of the ids in it."""
    local = event.moment.astimezone(zone)
    name, text = wording.PROVENANCE.get(event.text("event.provenance"), (event.text("event.provenance"), ""))
    before, after = event.value("change.before") or {}, event.value("change.after") or {}
    return Detail(
        local=f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S}.{local.microsecond // 1000:03d}",
        utc=event.text("@timestamp"),
        groups=tuple(_groups(event)),
        differences=tuple(_differences(before, after, names)),
        had_before=bool(before),
        had_after=bool(after),
        original=event.text("event.original"),
        stack_trace=event.text("error.stack_trace"),
        provenance=name,
        provenance_text=text,
        flags=tuple((flag, wording.FLAGS.get(flag, "")) for flag in event.value("event.flags") or ()),
        gaps=tuple(_gaps(event)),
        never_happened=bool(before or after) and event.text("event.outcome") == "failure",
    )


def _groups(event: StoredEvent) -> Iterator[Group]:
    for title, members in _GROUPS:
        if title == "Record" and (properties := tuple(_flat(event.value("labels") or {}))):
            yield Group("Other properties", properties)
        found = [
            Field(label, name, wording.value_text(event.value(name)), parameter)
            for label, name, parameter in members
            if event.value(name) not in (None, "", [])
        ]
        if title == "What" and (hour := event.value("local.hour")) is not None:
            found.append(Field("Local hour", "local.hour", _local_hour(event, int(hour))))
        if found:
            yield Group(title, tuple(found))


def _local_hour(event: StoredEvent, hour: int) -> str:
    weekday = event.value("local.weekday")
    day = f"{_WEEKDAYS[int(weekday) - 1]}, " if weekday else ""
    return f"{day}{hour:02d}:00 to {hour:02d}:59, {event.text('local.zone')}"


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], called: Names) -> Iterator[Difference]:
    """Tell first what somebody meant to change, then what changes by itself."""
    names = dict.fromkeys((*before, *after))
    both = bool(before) and bool(after)
    for name in sorted(names, key=lambda each: each in HOUSEKEEPING):
        old, new = (wording.explained(wording.value_text(side.get(name)), called) for side in (before, after))
        kind: Kind = "changed" if both else "removed" if before else "added"
        if (both and old == new) or not (old or new):
            kind = "same"
        yield Difference(wording.field_name(name), name, old, new, kind, name in HOUSEKEEPING)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[Field]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield Field(f"{prefix}{name}", f"labels.{prefix}{name}", wording.value_text(value))


def _gaps(event: StoredEvent) -> Iterator[str]:
    """Say why somebody or some place is missing: a log that is silent is not the same as nobody."""
    category, provenance = event.text("event.category"), event.text("event.provenance")
    if category == "system":
        return
    if not (event.text("user.name") or event.text("user.id") or event.text("user.email")):
        if event.text("event.action") == "login_failed":
            yield (
                "No user: SmartWMS logs a failed sign-in only as a refused request, without the name that "
                "was tried. Its request log can be enriched with AttemptedUser and AttemptedTenant."
            )
        elif provenance == "proxy":
            yield "No user: the web server's log does not know who is signed in to SmartWMS."
        else:
            yield (
                "No user: SmartWMS as shipped does not write the user on its request lines, or nobody was "
                "signed in. Its request log can be enriched with UserId and UserName."
            )
    if not (event.text("source.ip") or event.text("source.address")):
        yield (
            "No address: SmartWMS as shipped does not write where a request came from. Its request log can "
            "be enriched with ClientIP, or the web server's log be shipped beside it."
        )
