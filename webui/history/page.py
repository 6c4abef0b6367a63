"""What the history pages show: entries of a timeline, a version of an entity, a heat map. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from indexer.counting import Bar
from indexer.history import State
from indexer.names import Names
from indexer.query import Window
from indexer.search import StoredEvent
from indexer.summary import Habits, Ranked
from webui import chart, wording
from webui.chart import Chart
from webui.history import values
from webui.history.service import Version
from webui.history.values import Difference
from webui.question import Question
from webui.rows import HOUSEKEEPING, Part, sentence

Kind = Literal["created", "changed", "deleted", "never", "unsure", "other"]
_SAYS: Final[Mapping[Kind, str]] = {
    "never": "Never happened: the database refused it, or its request failed.",
    "unsure": "Whether it took effect is unknown: the line that ends its request was not found.",
}
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DARKEST: Final = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a timeline."""

    id: str
    time: str
    iso: str
    kind: Kind
    says: str
    sentence: tuple[Part, ...]
    who: str
    user: str
    address: str
    differences: tuple[Difference, ...]
    housekeeping: tuple[Difference, ...]
    is_bookkeeping: bool

    @property
    def is_version(self) -> bool:
        """Whether the entity was another one after it."""
        return self.kind in {"created", "changed", "deleted"}


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of one local day."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class FieldShown:
    """A field of a version: its value, and what tells it."""

    label: str
    name: str
    value: str
    told_by: str
    event_id: str
    is_later: bool
    housekeeping: bool


@dataclass(frozen=True, slots=True)
class VersionShown:
    """What an entity was at a moment."""

    at: str
    says: str
    fields: tuple[FieldShown, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the week: how many events, how dark (0 to 5), and the same in words."""

    count: int
    shade: int
    title: str


@dataclass(frozen=True, slots=True)
class Habit:
    """A line of a list of addresses or agents."""

    value: str
    count: int
    failures: int
    first: str
    last: str


def days(events: Iterable[StoredEvent], zone: ZoneInfo, names: Names) -> tuple[Day, ...]:
    """Give the entries of a timeline by local day; `names`: of the ids in them."""
    dated = ((event.moment.astimezone(zone), event) for event in events)
    return tuple(
        Day(f"{day:%A} {day.day} {day:%B %Y}", tuple(entry(event, zone, names) for _, event in group))
        for day, group in groupby(dated, key=lambda each: each[0].date())
    )


def entry(event: StoredEvent, zone: ZoneInfo, names: Names) -> Entry:
    """Give one event of a timeline."""
    local, kind = event.moment.astimezone(zone), _kind(event)
    found = tuple(differences(event, zone, names))
    return Entry(
        id=event.id,
        time=f"{local:%H:%M:%S}",
        iso=local.isoformat(timespec="microseconds"),
        kind=kind,
        says=_SAYS.get(kind, ""),
        sentence=tuple(sentence(event, names)),
        who=event.text("user.name") or event.text("user.email") or event.text("user.id"),
        user=event.text("user.id") or event.text("user.name") or event.text("user.email"),
        address=event.text("source.ip") or event.text("source.address"),
        differences=tuple(each for each in found if each.name not in HOUSEKEEPING),
        housekeeping=tuple(each for each in found if each.name in HOUSEKEEPING),
        is_bookkeeping="bookkeeping" in (event.value("event.flags") or ()),
    )


def _kind(event: StoredEvent) -> Kind:
    before, after = event.value("change.before"), event.value("change.after")
    if not (before or after):
        return "other"
    outcome = event.text("event.outcome")
    if outcome != "success":
        return "never" if outcome == "failure" else "unsure"
    return "changed" if before and after else "created" if after else "deleted"


def differences(event: StoredEvent, zone: ZoneInfo, names: Names) -> Iterator[Difference]:
    """Give what an event says of each field; fields that were and stayed empty are left out."""
    before: Mapping[str, Any] = event.value("change.before") or {}
    after: Mapping[str, Any] = event.value("change.after") or {}
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if before and after:
            if old != new:
                yield values.difference(name, old, new, zone, names)
        elif (value := old if before else new) not in (None, ""):
            yield values.lone(name, value, zone, names, was=bool(before))


def version(shown: Version, zone: ZoneInfo) -> VersionShown:
    """Give a version as a table, with what the log cannot tell of it."""
    state = shown.state
    says = {
        "there": "",
        "not yet": "It did not exist yet.",
        "deleted": "It had been deleted.",
        "unknown": "The log does not tell whether it existed then.",
    }[state.existence]
    fields = [
        FieldShown(
            label=wording.field_name(name),
            name=name,
            value=values.value_text(name, known.value, zone, shown.names),
            told_by=chart.moment_text(known.event.moment, zone),
            event_id=known.event.id,
            is_later=known.how == "told later",
            housekeeping=name in HOUSEKEEPING,
        )
        for name, known in state.fields.items()
    ]
    fields.sort(key=lambda each: (each.housekeeping, not each.value, each.label))
    return VersionShown(
        at=chart.moment_text(shown.moment, zone),
        says=says,
        fields=tuple(fields),
        caveats=tuple(_caveats(state)),
    )


def compared(earlier: Version, later: Version, zone: ZoneInfo) -> tuple[Difference, ...]:
    """Compare two versions: fields that differ, or that only one of them knows."""
    found = []
    was, became = earlier.state.fields, later.state.fields
    names = {**earlier.names, **later.names}
    for name in dict.fromkeys((*was, *became)):
        old, new = was.get(name), became.get(name)
        if old is None or new is None:
            known = old or new
            if known is not None and known.value not in (None, ""):
                found.append(values.lone(name, known.value, zone, names, was=old is not None))
        elif old.value != new.value:
            found.append(values.difference(name, old.value, new.value, zone, names))
    return tuple(sorted(found, key=lambda each: (each.name in HOUSEKEEPING, each.label)))


def _caveats(state: State) -> Iterator[str]:
    if state.existence == "there" and not state.complete:
        yield (
            "Its creation is not in the log (it was before what is kept, or before the log began), so only "
            "fields that changed since are known. Fields that never changed are missing here."
        )
    if state.uncertain:
        count = len(state.uncertain)
        yield (
            f"{count} change{'s' if count != 1 else ''} before that moment may or may not have taken effect: "
            "the log does not tell how their requests ended. They are not counted in."
        )
    if state.truncated:
        yield "There are too many changes to read them all; fields that changed long ago may be missing."
    if any("truncated" in (known.event.value("event.flags") or ()) for known in state.fields.values()):
        yield "A value was longer than is stored, and is cut."


def heat(habits: Habits) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    """Give the week as seven rows of 24 hours."""
    highest = max((count for day in habits.hours for count in day), default=0)
    return tuple(
        (
            name,
            tuple(
                Cell(count, _shade(count, highest), f"{name} {hour:02d}:00: {count:,} events")
                for hour, count in enumerate(day)
            ),
        )
        for name, day in zip(WEEKDAYS, habits.hours, strict=True)
    )


def _shade(count: int, highest: int) -> int:
    return max(1, round(_DARKEST * count / highest)) if count else 0


def habits_of(ranked: Iterable[Ranked], zone: ZoneInfo) -> tuple[Habit, ...]:
    """Give addresses or agents with when they were first and last seen."""
    return tuple(
        Habit(
            each.value,
            each.count,
            each.failures,
            chart.moment_text(each.first, zone),
            chart.moment_text(each.last, zone),
        )
        for each in ranked
    )


def habits_chart(habits: Habits, asked: Question, zone: ZoneInfo) -> Chart:
    """Draw when a user was active."""

    def leads(bar: Bar) -> Question:
        return asked.within(Window(bar.start, bar.end))

    return chart.drawn(habits.bars, zone, leads)
