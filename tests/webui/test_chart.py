"""Histograms as drawings."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from indexer.counting import Bar
from webui import chart
from webui.question import Question

STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.mark.parametrize(
    ("ends", "step", "edges"),
    [
        (("6:26:46", "6:30", "6:35", "6:40", "6:41:02"), "5 minutes", ("07:26", "07:41")),
        (("6:26:46", "6:26:50", "6:26:55", "6:27:00", "6:27:02"), "5 seconds", ("07:26:46", "07:27:02")),
        (("6:26:46", "7:00", "8:00", "9:00"), "hour", ("07:26", "10:00")),
    ],
)
def test_bars_cut_at_the_ends_do_not_change_what_one_is_wide(
    ends: tuple[str, ...], step: str, edges: tuple[str, str]
) -> None:
    moments = [datetime(2026, 11, 23, tzinfo=UTC) + sum_of(each) for each in ends]
    bars = tuple(Bar(start, end, 1, 0) for start, end in pairwise(moments))

    drawn = chart.drawn(bars, STOCKHOLM, lambda _: Question())

    assert drawn.step == step
    assert (drawn.first, drawn.last) == tuple(f"23 Nov 2026, {edge}" for edge in edges)


def sum_of(clock: str) -> timedelta:
    hours, minutes, secs = (*map(int, clock.split(":")), 0)[:3]
    return timedelta(hours=hours, minutes=minutes, seconds=secs)
