"""A clock is believed only as far as others agree with it."""

from datetime import UTC, datetime, timedelta

import pytest

from indexer.retention import clock

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cluster", "newest", "says"),
    [
        (timedelta(), timedelta(), ""),
        (timedelta(), None, ""),
        (timedelta(minutes=5), timedelta(days=-1), ""),
        (timedelta(minutes=-5, seconds=-1), timedelta(), "the cluster's says 2026-11-25T02:24:59Z"),
        (timedelta(minutes=6), timedelta(), "the cluster's says 2026-11-25T02:36:00Z"),
        (timedelta(), timedelta(days=2, seconds=1), "but the newest event is of 2026-11-27T02:30:01Z"),
        (timedelta(), timedelta(days=-14), ""),
        (timedelta(), timedelta(days=-15), "or the clock went ahead"),
        (timedelta(days=-400), timedelta(days=-400), "this machine's clock says 2026-11-25T02:30:00Z"),
    ],
    ids="agree empty near behind ahead future fortnight quiet year".split(),
)
def test_what_does_not_agree_is_said(cluster: timedelta, newest: timedelta | None, says: str) -> None:
    found = clock.fault(NOW, NOW + cluster, None if newest is None else NOW + newest)
    assert says in found
    assert bool(found) is bool(says)
