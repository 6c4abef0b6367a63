"""What a report is asked for: read from an address or a form, checked, written back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from indexer.query import MAX_VALUE_CHARS, MAX_VALUES_COUNT, Window
from webui.question import QuestionError, moment

PRESETS: Final[Mapping[str, str]] = {
    "last_week": "Last week (Monday to Sunday)",
    "last_month": "Last month",
    "this_week": "This week until now",
    "this_month": "This month until now",
    "yesterday": "Yesterday",
    "today": "Today until now",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "custom": "From … to …",
}
USUAL_PRESET: Final = "7d"
LABELS: Final[Mapping[str, str]] = {
    "range": "Period",
    "from": "From",
    "to": "To",
    "user": "Users",
    "tenant": "Tenant",
    "failures": "Failures in a run",
    "minutes": "Minutes between",
}
NUMBERS: Final[Mapping[str, tuple[int, int, int]]] = {"failures": (5, 2, 1000), "minutes": (15, 1, 1440)}
"""By name: what it usually is, the least, the most."""
MAX_PERIOD: Final = timedelta(days=3700)
"""Ten years: what is asked of the store is in proportion to it."""
_ROLLING: Final[Mapping[str, timedelta]] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """As typed; `window` and `number` check. `users`: names, e-mails or ids; `*` stands for anything."""

    preset: str = ""
    start: str = ""
    end: str = ""
    users: tuple[str, ...] = ()
    tenant: str = ""
    numbers: Mapping[str, str] | None = None
    unknown: tuple[str, ...] = ()

    def check(self, zone: ZoneInfo, now: datetime, takes: Iterable[str]) -> Window:
        """Give the period, ended at the latest now; QuestionError names each parameter that is at fault.

        `takes`: the names in NUMBERS that the report knows.
        """
        allowed = set(takes)
        given = dict(self.numbers or {})
        problems = dict.fromkeys(
            (*self.unknown, *sorted(set(given) - allowed)), "There is no such parameter."
        )
        for name in allowed:
            try:
                self.number(name)
            except QuestionError as error:
                problems |= error.problems
        if len(self.users) > MAX_VALUES_COUNT:
            problems["user"] = f"At most {MAX_VALUES_COUNT} users can be chosen at once."
        elif strange := [each for each in self.users if len(each) > MAX_VALUE_CHARS]:
            problems["user"] = f"“{strange[0][:40]}…” is too long: at most {MAX_VALUE_CHARS} characters."
        try:
            window = self.window(zone, now)
        except QuestionError as error:
            raise QuestionError({**problems, **error.problems}) from None
        if problems:
            raise QuestionError(problems)
        return window

    def number(self, name: str) -> int:
        """Give one of NUMBERS; QuestionError when it is none."""
        usual, least, most = NUMBERS[name]
        text = (self.numbers or {}).get(name, "")
        if not text:
            return usual
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if not (digits and least <= int(text) <= most):
            raise QuestionError({name: f"“{text}” is no number from {least} to {most}."})
        return int(text)

    def window(self, zone: ZoneInfo, now: datetime) -> Window:
        """Give the period in the zone; QuestionError names `range`, `from` or `to`."""
        if self.start or self.end or self.preset == "custom":
            return self._typed(zone, now)
        if self.preset in _ROLLING:
            return Window(now - _ROLLING[self.preset], now)
        if self.preset not in PRESETS:
            raise QuestionError({"range": "Choose one of the periods offered."})
        first, after = _days(self.preset, now.astimezone(zone).date())
        end = min(midnight(after, zone), now)
        start = midnight(first, zone)
        if start >= end:
            raise QuestionError({"range": "This period has only just begun; choose another."})
        return Window(start, end)

    def _typed(self, zone: ZoneInfo, now: datetime) -> Window:
        problems = {
            name: "Say when the period begins." if name == "from" else "Say when the period ends."
            for name, text in (("from", self.start), ("to", self.end))
            if not text
        }
        found: list[datetime | None] = []
        for name, text in (("from", self.start), ("to", self.end)):
            try:
                found.append(moment(name, text, zone, ends=name == "to"))
            except QuestionError as error:
                problems |= error.problems
        if problems:
            raise QuestionError(problems)
        start, end = found
        assert start is not None  # noqa: S101  both were typed
        assert end is not None  # noqa: S101
        if start >= end:
            raise QuestionError({"to": "The end must lie after the start."})
        if start >= now:
            raise QuestionError({"from": "This period has not begun yet."})
        if end - start > MAX_PERIOD:
            raise QuestionError({"from": f"A period is at most {MAX_PERIOD.days:,} days long."})
        return Window(start, min(end, now))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Give the parameters of the address, in a fixed order, without empty ones."""
        single = {"tenant": self.tenant, "range": self.preset, "from": self.start, "to": self.end}
        yield from ((name, value) for name, value in single.items() if value)
        yield from (("user", each) for each in self.users)
        given = self.numbers or {}
        yield from ((name, given[name]) for name in NUMBERS if given.get(name))

    @property
    def address(self) -> str:
        """The query string of the page that shows this."""
        return urlencode(list(self.pairs()))

    def within(self, window: Window) -> Parameters:
        """Ask the same of a period that is said absolutely, in UTC."""
        start, end = window.start, window.end
        return replace(
            self,
            preset="",
            start=start.isoformat() if start else "",
            end=end.isoformat() if end else "",
        )


def read(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Read an address or a form, whatever it says; checking it is for `check`."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        if value.strip():
            values.setdefault(name, []).append(value.strip())
    single = {name: values.pop(name, [""])[-1] for name in ("tenant", "range", "from", "to")}
    # One field of the form takes several, a line or a comma each.
    users = [each.strip() for text in values.pop("user", []) for each in text.replace("\n", ",").split(",")]
    numbers = {name: values.pop(name)[-1] for name in NUMBERS if name in values}
    dated = single["range"] in {"", "custom"}
    return Parameters(
        preset=single["range"],
        # A preset wins over dates that were typed before it was chosen.
        start=single["from"] if dated else "",
        end=single["to"] if dated else "",
        users=tuple(dict.fromkeys(each for each in users if each)),
        tenant=single["tenant"],
        numbers=numbers,
        unknown=tuple(sorted(values)),
    )


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Give the moment a local day begins; on days of daylight-saving, too."""
    return datetime.combine(day, time(), zone)


def _days(preset: str, today: date) -> tuple[date, date]:
    """Give the first day of a preset, and the one after its last."""
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    return {
        "today": (today, today + timedelta(days=1)),
        "yesterday": (today - timedelta(days=1), today),
        "this_week": (monday, monday + timedelta(days=7)),
        "last_week": (monday - timedelta(days=7), monday),
        "this_month": (first, _next_month(first)),
        "last_month": ((first - timedelta(days=1)).replace(day=1), first),
    }[preset]


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
