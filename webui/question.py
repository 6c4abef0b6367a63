"""What the address of the activity page says: read into a filter, and written back changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from indexer.event import ACTIONS, Category, Outcome
from indexer.query import ActivityFilter, Choice, FilterError, Window, iso

# Names in the address, which people read and scripts write. `not_<name>` leaves values out.
PARAMETERS: Final[Mapping[str, str]] = {
    "user": "user",
    "category": "category",
    "action": "action",
    "outcome": "outcome",
    "type": "entity_type",
    "entity": "entity",
    "ip": "address",
    "route": "route",
    "hour": "hour",
    "server": "server",
}
NAMES: Final[Mapping[str, str]] = {dimension: name for name, dimension in PARAMETERS.items()}
LABELS: Final[Mapping[str, str]] = {
    "user": "User",
    "category": "Category",
    "action": "Action",
    "outcome": "Outcome",
    "type": "Entity type",
    "entity": "Entity id or number",
    "ip": "IP address",
    "route": "Route",
    "hour": "Local hour",
    "server": "Server",
    "from": "From",
    "to": "To",
    "range": "Date range",
    "at": "Jump to",
    "q": "Text",
    "in": "Field",
    "bookkeeping": "Bookkeeping",
    "tenant": "Tenant",
}
PRESETS: Final[Mapping[str, str]] = {
    "": "All that is kept",
    "1h": "Last hour",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "today": "Today",
    "yesterday": "Yesterday",
    "custom": "From … to …",
}
# Events have times of these years; arithmetic near datetime's own ends would fail.
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_SPANS: Final[Mapping[str, timedelta]] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
VOCABULARIES: Final[Mapping[str, frozenset[str]]] = {
    "category": frozenset(Category),
    "action": frozenset[str]().union(*ACTIONS.values()),
    "outcome": frozenset(Outcome),
}
# What is about the page, not about what is looked for.
_NO_QUESTION: Final = frozenset({"cursor", "counts", "proof", "at", "view"})
_FLAGS: Final = frozenset({"0", "1"})
_STRANGE: Final = {"bookkeeping": "Write 1 to show it, or 0."}
_FIELD_NAMES: Final = {"start": "from", "end": "to", "text": "q", "text_field": "in"} | dict(NAMES)


class QuestionError(ValueError):
    """An address that says something impossible; `problems` has a sentence for each parameter at fault."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep the problems by parameter."""
        super().__init__("; ".join(f"{name}: {text}" for name, text in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Question:
    """What the form of the page holds, as typed. `filter` checks it."""

    preset: str = ""
    start: str = ""
    end: str = ""
    chosen: Mapping[str, Choice] = field(default_factory=dict)
    """Choices by parameter."""
    text: str = ""
    text_field: str = ""
    bookkeeping: bool = False
    tenant: str = ""
    unknown: tuple[str, ...] = ()
    """Parameters that mean nothing here, or have a value that does."""

    def choice(self, name: str) -> Choice:
        """Give what was chosen for a parameter."""
        return self.chosen.get(name, Choice())

    def window(self, zone: ZoneInfo, now: datetime) -> Window:
        """Give the stretch of time; QuestionError names `from`, `to` or `range`."""
        if self.start or self.end:
            return Window(moment("from", self.start, zone), moment("to", self.end, zone, ends=True))
        if self.preset in {"", "custom"}:
            return Window()
        if self.preset in _SPANS:
            return Window(now - _SPANS[self.preset], now)
        if self.preset not in PRESETS:
            raise QuestionError({"range": "Choose one of the ranges offered."})
        midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
        if self.preset == "today":
            return Window(midnight, midnight + timedelta(days=1))
        return Window(midnight - timedelta(days=1), midnight)

    def filter(self, zone: ZoneInfo, now: datetime, window: Window | None = None) -> ActivityFilter:
        """Give what to look for; QuestionError names what is at fault. `window`: as on the first page."""
        problems = {name: _STRANGE.get(name, "There is no such filter.") for name in self.unknown}
        for name, vocabulary in VOCABULARIES.items():
            choice = self.choice(name)
            if strange := [each for each in (*choice.only, *choice.without) if each not in vocabulary]:
                problems[name] = f"“{strange[0]}” is none of the {LABELS[name].lower()} values offered."
        try:
            window = window or self.window(zone, now)
        except QuestionError as error:
            problems |= error.problems
            window = Window()
        try:
            asked = ActivityFilter(
                window=window,
                text=self.text,
                text_field=self.text_field,
                bookkeeping=self.bookkeeping,
                tenant_id=self.tenant,
                **{dimension: self.choice(name) for name, dimension in PARAMETERS.items()},
            )
        except FilterError as error:
            raise QuestionError({**problems, _FIELD_NAMES[error.field]: error.reason}) from None
        if problems:
            raise QuestionError(problems)
        return asked

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Give the parameters of the address, in a fixed order, without empty ones."""
        single = {
            "tenant": self.tenant,
            "range": self.preset,
            "from": self.start,
            "to": self.end,
            "q": self.text,
            "in": self.text_field,
        }
        yield from ((name, value) for name, value in single.items() if value)
        for name in PARAMETERS:
            choice = self.choice(name)
            yield from ((name, value) for value in choice.only)
            yield from ((f"not_{name}", value) for value in choice.without)
        if self.bookkeeping:
            yield "bookkeeping", "1"

    @property
    def address(self) -> str:
        """The query string of the page that asks this."""
        return urlencode(list(self.pairs()))

    @property
    def is_narrow(self) -> bool:
        """Whether anything narrows the search, so that it can be widened."""
        return any(name not in {"tenant", "bookkeeping"} for name, _ in self.pairs())

    def only(self, name: str, value: str) -> Question:
        """Ask for this value of a parameter and no other."""
        return self._chosen(name, Choice(only=(value,)))

    def links(self) -> Links:
        """Give the addresses of this question with one condition changed, for one page."""
        return Links(self)

    def any_of(self, name: str, values: tuple[str, ...]) -> Question:
        """Ask for any of these values of a parameter."""
        return self._chosen(name, Choice(only=values))

    def without(self, name: str, value: str) -> Question:
        """Ask the same without this value."""
        old = self.choice(name)
        kept = tuple(each for each in old.only if each != value)
        return self._chosen(name, Choice(kept, (*(each for each in old.without if each != value), value)))

    def dropping(self, name: str, value: str) -> Question:
        """Ask the same without this condition."""
        old = self.choice(name)
        only = tuple(each for each in old.only if each != value)
        return self._chosen(name, Choice(only, tuple(each for each in old.without if each != value)))

    def within(self, window: Window) -> Question:
        """Ask the same of another stretch of time, said absolutely and in UTC: the same for every reader."""
        start, end = (iso(moment) if moment else "" for moment in (window.start, window.end))
        return replace(self, preset="", start=_short(start), end=_short(end))

    def any_time(self) -> Question:
        """Ask the same of all that is kept."""
        return replace(self, preset="", start="", end="")

    def any_text(self) -> Question:
        """Ask the same without the text."""
        return replace(self, text="", text_field="")

    def _chosen(self, name: str, choice: Choice) -> Question:
        chosen = {**self.chosen, name: choice}
        return replace(self, chosen={each: kept for each, kept in chosen.items() if kept != Choice()})


class Links:
    """Addresses of a question with one condition changed. A page has hundreds of them and few that differ."""

    def __init__(self, asked: Question) -> None:
        self._asked = asked
        self._made: dict[tuple[str, str, str], str] = {}

    def only(self, name: str, value: str) -> str:
        """Give the address that asks for this value of a parameter and no other."""
        return self._remembered("only", name, value)

    def without(self, name: str, value: str) -> str:
        """Give the address that asks the same without this value."""
        return self._remembered("without", name, value)

    def _remembered(self, how: Literal["only", "without"], name: str, value: str) -> str:
        key = (how, name, value)
        if (found := self._made.get(key)) is None:
            changed = self._asked.only(name, value) if how == "only" else self._asked.without(name, value)
            found = self._made[key] = changed.address
        return found


def read(pairs: Iterable[tuple[str, str]]) -> Question:
    """Read an address, whatever it says; checking it is for `Question.filter`."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in _NO_QUESTION and value.strip():
            values.setdefault(name, []).append(value.strip())
    chosen = {}
    for name in PARAMETERS:
        choice = Choice(_unique(values.pop(name, [])), _unique(values.pop(f"not_{name}", [])))
        if choice != Choice():
            chosen[name] = choice
    single = {name: values.pop(name, [""])[-1] for name in ("tenant", "range", "from", "to", "q", "in")}
    if (flag := values.get("bookkeeping", ["0"])[-1]) in _FLAGS:
        values.pop("bookkeeping", None)
    preset = single["range"]
    dated = preset in {"", "custom"}
    return Question(
        preset=preset,
        # A preset wins over dates that were typed before it was chosen.
        start=single["from"] if dated else "",
        end=single["to"] if dated else "",
        chosen=chosen,
        text=single["q"],
        text_field=single["in"],
        bookkeeping=flag == "1",
        tenant=single["tenant"],
        unknown=tuple(sorted(values)),
    )


def local_text(text: str, zone: ZoneInfo) -> str:
    """Give a typed time as a form's field shows it: local, without zone; what is no time stays as typed."""
    try:
        found = datetime.fromisoformat(text)
        local = found.astimezone(zone).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        return text
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def _unique(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def moment(name: str, text: str, zone: ZoneInfo, *, ends: bool = False) -> datetime | None:
    """Read a time in the reader's zone unless it names one; a date alone is that whole day.

    A time that the clock shows twice or never, once a year, is the one that leaves nothing out. None when
    nothing was typed; QuestionError, under `name`, when it is no time.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not is_of_events(found):
        raise QuestionError({name: f"“{text}” is no date and time; write 2026-11-23 or 2026-11-23T07:30."})
    if found.tzinfo:
        return found
    if ends and _is_date(text):
        return (found + timedelta(days=1)).replace(tzinfo=zone)
    # In UTC: times of one zone are compared as the clock shows them, whichever of the two they are.
    both = (found.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(both) if ends else min(both)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_of_events(found: datetime) -> bool:
    """Whether events can have such a time; one that none can have may have no equal in other zones."""
    return _FIRST_YEAR <= found.year < _LAST_YEAR


def _short(text: str) -> str:
    return text.replace(".000000Z", "Z")
