"""Which periods a schedule makes and when, on days of daylight-saving and after a long silence."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.query import Window
from webui.reports.schedule import DELAY, MADE_UP_COUNT, Every, Schedule, from_document, periods

STOCKHOLM = ZoneInfo("Europe/Stockholm")
ZONES = ["Europe/Stockholm", "Asia/Tokyo", "America/Sao_Paulo", "Pacific/Apia"]
MADE = datetime(2026, 10, 21, 12, tzinfo=UTC)


def schedule(every: Every = Every.WEEKLY, last: datetime | None = None) -> Schedule:
    return Schedule(
        id="s1",
        tenant="t",
        scope="t",
        account="anna",
        kind="failed-logins",
        users=(),
        every=every,
        format="pdf",
        channels=(),
        created=MADE,
        since=MADE,
        last=last,
    )


def local(window: Window) -> tuple[str, str]:
    assert window.start
    assert window.end
    return window.start.astimezone(STOCKHOLM).isoformat(), window.end.astimezone(STOCKHOLM).isoformat()


def test_a_week_of_daylight_saving_has_an_hour_more() -> None:
    (week,) = islice(periods(Every.WEEKLY, STOCKHOLM, MADE), 1)
    assert local(week) == ("2026-10-19T00:00:00+02:00", "2026-10-26T00:00:00+01:00")


def test_months_are_of_the_tenants_zone() -> None:
    found = [local(each) for each in islice(periods(Every.MONTHLY, ZoneInfo("Asia/Tokyo"), MADE), 2)]
    assert found[0][0] == "2026-09-30T17:00:00+02:00"
    assert found[1] == ("2026-10-31T16:00:00+01:00", "2026-11-30T16:00:00+01:00")


@given(
    st.sampled_from(Every),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_periods_follow_each_other_without_a_gap(every: Every, zone: str, after: datetime) -> None:
    found = list(islice(periods(every, ZoneInfo(zone), after), 6))
    assert all(one.end == other.start for one, other in pairwise(found))
    assert found[0].start
    assert found[0].end
    assert found[0].start <= after < found[0].end


@given(
    st.sampled_from(Every),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_changed_zone_makes_no_period_twice_and_leaves_none_out(
    every: Every, before: str, after: str, made: datetime
) -> None:
    (last,) = islice(periods(every, ZoneInfo(before), made), 1)
    asked = replace(schedule(every), since=made, last=last.end)
    assert last.end
    assert asked.due(ZoneInfo(after), last.end + timedelta(days=3)) == ([], 0)
    over = timedelta(days=9 if every is Every.WEEKLY else 33)
    (following,), given_up = asked.due(ZoneInfo(after), last.end + over)
    assert given_up == 0
    assert following.start
    assert abs(following.start - last.end) <= timedelta(hours=26)


def test_a_week_of_another_zone_is_the_same_week() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    (week,) = islice(periods(Every.WEEKLY, tokyo, MADE), 1)
    assert week.end
    asked = schedule(last=week.end)
    for hours in (0, 8, 24):
        assert asked.due(STOCKHOLM, week.end + timedelta(hours=hours)) == ([], 0)
    (following,), _ = asked.due(STOCKHOLM, week.end + timedelta(days=8))
    assert local(following) == ("2026-10-26T00:00:00+01:00", "2026-11-02T00:00:00+01:00")


def test_nothing_is_due_before_late_events_are_there() -> None:
    end = datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert schedule().due(STOCKHOLM, end + DELAY - timedelta(seconds=1)) == ([], 0)
    due, given_up = schedule().due(STOCKHOLM, end + DELAY)
    assert [each.end for each in due] == [end]
    assert given_up == 0
    assert schedule().next_run(STOCKHOLM, MADE) == end + DELAY


def test_what_was_begun_is_not_due_again() -> None:
    end = datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert schedule(last=end).due(STOCKHOLM, end + timedelta(days=6)) == ([], 0)


@pytest.mark.parametrize(("weeks", "made", "given_up"), [(2, 2, 0), (3, 3, 0), (10, MADE_UP_COUNT, 7)])
def test_of_a_long_silence_the_last_periods_are_made_up(weeks: int, made: int, given_up: int) -> None:
    now = datetime(2026, 10, 26, tzinfo=STOCKHOLM) + timedelta(weeks=weeks - 1) + DELAY
    due, skipped = schedule().due(STOCKHOLM, now)
    assert (len(due), skipped) == (made, given_up)
    assert due[-1].end == datetime.combine(
        date(2026, 10, 26) + timedelta(weeks=weeks - 1), datetime.min.time(), STOCKHOLM
    )


def test_a_periods_export_has_one_id() -> None:
    weeks = list(islice(periods(Every.WEEKLY, STOCKHOLM, MADE), 2))
    ids = [schedule().job_id(each) for each in (*weeks, *weeks)]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]


def test_what_was_stored_reads_as_it_was() -> None:
    due, _ = schedule().due(STOCKHOLM, MADE + timedelta(days=20))
    whole = schedule(Every.MONTHLY, last=due[-1].end)
    assert from_document("s1", whole.document()) == whole
