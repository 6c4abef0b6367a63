"""A report as values: what screen, CSV and PDF alike are made from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from webui.chart import Chart
from webui.question import Question


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table. `value` is for programs (CSV); `leads` is the question that finds its events."""

    text: str = ""
    value: str = ""
    leads: Question | None = None
    event_id: str = ""
    """Of the one event that it tells of."""
    person: str = ""
    """The way to the page of the user that it names."""
    lines: tuple[tuple[str, str | None, str | None], ...] = ()
    """Changed fields: name, before, after."""
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    label: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; `total` is how many rows there are when not all of them are here."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    empty: str = "Nothing in this period."
    total: int | None = None

    def cut(self, limit_count: int) -> Table:
        """Give the same with at most so many rows; `total` says that there are more."""
        if len(self.rows) <= limit_count:
            return self
        return replace(self, rows=self.rows[:limit_count], total=self.total or len(self.rows))


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that stands for itself."""

    label: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart under its title; `words` says to those who do not see it what it shows."""

    title: str
    chart: Chart
    words: str
    note: str = ""

    @property
    def shown(self) -> bool:
        """Whether there is anything to see."""
        return any(bar.height for bar in self.chart.bars)


@dataclass(frozen=True, slots=True)
class Body:
    """What one kind of report says."""

    figures: tuple[Figure, ...]
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    statements: tuple[str, ...] = ()
    """What a reader has to know of these numbers: what they leave out, what the logs cannot tell."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `facts`: what it is of, as label and value; `count` events have been counted for it."""

    kind: str
    title: str
    purpose: str
    facts: tuple[tuple[str, str], ...]
    statements: tuple[str, ...]
    count: int
    asked: Question
    figures: tuple[Figure, ...]
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    zone: ZoneInfo
    made: datetime

    def cut(self, limit_count: int) -> Report:
        """Give the same with at most so many rows a table."""
        return replace(self, tables=tuple(table.cut(limit_count) for table in self.tables))


def number(count: int, leads: Question | None = None, *, bad: bool = False) -> Cell:
    """Give a count that leads to its events; zero leads nowhere, and is nothing to look at."""
    return Cell(f"{count:,}", str(count), leads if count else None, bad=bad and bool(count))


def when(moment: datetime | None, zone: ZoneInfo, leads: Question | None = None) -> Cell:
    """Give a moment in the zone."""
    if moment is None:
        return Cell()
    local = moment.astimezone(zone)
    return Cell(f"{local.day} {local:%b %Y, %H:%M:%S}", local.isoformat(" ", timespec="milliseconds"), leads)


def columns(*labels: str) -> tuple[Column, ...]:
    """Give columns; a label that begins with `#` is of numbers."""
    return tuple(Column(label.removeprefix("#"), label.startswith("#")) for label in labels)


def share(part: int, whole: int) -> str:
    """Give a part in percent; an empty whole has none."""
    return f"{100 * part / whole:.0f} %" if whole else ""


def by_count(rows: Iterable[tuple[Cell, ...]], position: int) -> tuple[tuple[Cell, ...], ...]:
    """Sort rows by a column of counts, the most first; equal ones by their first cell."""
    return tuple(sorted(rows, key=lambda row: (-int(row[position].value or 0), row[0].text.casefold())))


def plural(count: int, one: str, many: str = "") -> str:
    """Give a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def cells_of(report: Report) -> Iterator[tuple[Table, tuple[Cell, ...]]]:
    """Give every row of every table."""
    for table in report.tables:
        for row in table.rows:
            yield table, row
