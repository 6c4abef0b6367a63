"""Histograms and heat maps as drawings: numbers of the drawing's own units, and words for each part. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mode
from typing import Final
from zoneinfo import ZoneInfo

from indexer.counting import Bar
from webui.question import Question

# The page stretches a drawing of this size.
WIDTH: Final = 1000
HEIGHT: Final = 56
_MIN_HEIGHT: Final = 2


@dataclass(frozen=True, slots=True)
class BarShown:
    """A bar; `title` says it in words, and `leads` is the question that it leads to."""

    left: float
    width: float
    height: float
    failed_height: float
    title: str
    leads: Question


@dataclass(frozen=True, slots=True)
class Chart:
    """A histogram: its bars, the moments at its ends, and the width of a bar in words."""

    bars: tuple[BarShown, ...]
    first: str
    last: str
    step: str


def drawn(bars: tuple[Bar, ...], zone: ZoneInfo, leads: Callable[[Bar], Question]) -> Chart:
    """Draw a histogram, times in the given zone."""
    if not bars:
        return Chart((), "", "", "")
    highest = max(bar.count for bar in bars)
    width = WIDTH / len(bars)

    def height(count: int) -> float:
        return round(max(_MIN_HEIGHT, HEIGHT * count / highest), 2) if count else 0.0

    shown = [
        BarShown(
            left=round(number * width, 2),
            width=round(max(1.0, width - min(2.0, width / 5)), 2),
            height=height(bar.count),
            failed_height=min(height(bar.failures), height(bar.count)),
            title=_title(bar, zone),
            leads=leads(bar),
        )
        for number, bar in enumerate(bars)
    ]
    width_of_one = mode(bar.end - bar.start for bar in bars)
    first, last = bars[0].start, bars[-1].end
    if width_of_one >= timedelta(minutes=1):
        # The ends of a range are where it was cut: to the second, which no reader needs here.
        first, last = (moment.replace(second=0, microsecond=0) for moment in (first, last))
    return Chart(tuple(shown), moment_text(first, zone), moment_text(last, zone), _step(width_of_one))


def of_hours(counts: Sequence[int], leads: Callable[[str], Question]) -> Chart:
    """Draw how events are spread over the hours of a day; `leads` is given the hour as `hour=` takes it."""
    highest = max(counts, default=0)
    width = WIDTH / max(1, len(counts))
    shown = [
        BarShown(
            left=round(number * width, 2),
            width=round(width - 2, 2),
            height=round(max(_MIN_HEIGHT, HEIGHT * count / highest), 2) if count else 0.0,
            failed_height=0.0,
            title=f"{number:02d}:00 to {number:02d}:59: {count:,} event{'s' if count != 1 else ''}",
            leads=leads(str(number)),
        )
        for number, count in enumerate(counts)
    ]
    return Chart(tuple(shown) if highest else (), "00:00", "24:00", "hour")


def moment_text(moment: datetime | None, zone: ZoneInfo) -> str:
    """Give a moment in the zone: `23 Nov 2026, 07:26`, with seconds where there are some; None is empty."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S}" if local.second else f"{local.day} {local:%b %Y, %H:%M}"


def _title(bar: Bar, zone: ZoneInfo) -> str:
    events = f"{bar.count:,} event{'s' if bar.count != 1 else ''}"
    failed = f", {bar.failures:,} failed" if bar.failures else ""
    return f"{moment_text(bar.start, zone)}: {events}{failed}"


def _step(width: timedelta) -> str:
    secs = int(width.total_seconds())
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if secs >= size:
            count = round(secs / size)
            return f"{count} {word}s" if count != 1 else word
    return ""
