"""Weeks of a calendar, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.reviews.week import Week, ended, week_of

STOCKHOLM = ZoneInfo("Europe/Stockholm")
# Beirut and Santiago change their clocks at midnight; Lord Howe by half an hour; Apia once skipped a Friday.
ZONES = ("UTC", "Europe/Stockholm", "Asia/Beirut", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia")
moments = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)).map(  # noqa: DTZ001  made aware here
    lambda each: each.replace(tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("week", "hours"),
    [(Week(2026, 47), 168), (Week(2026, 13), 167), (Week(2026, 43), 169)],
    ids=["usual", "clocks go forward", "clocks go back"],
)
def test_a_week_has_as_many_hours_as_the_clocks_say(week: Week, hours: int) -> None:
    window = week.window(STOCKHOLM)
    assert window.start
    assert window.end
    assert window.end - window.start == timedelta(hours=hours)
    assert window.start.astimezone(STOCKHOLM).isoweekday() == 1


@given(moment=moments, zone=st.sampled_from(ZONES))
def test_every_moment_lies_in_exactly_its_week(moment: datetime, zone: str) -> None:
    week = week_of(moment, ZoneInfo(zone))
    window = week.window(ZoneInfo(zone))
    assert window.start
    assert window.end
    assert window.start <= moment < window.end


@given(moment=moments, zone=st.sampled_from(ZONES))
def test_a_week_begins_where_the_one_before_it_ends(moment: datetime, zone: str) -> None:
    week = week_of(moment, ZoneInfo(zone))
    after = Week(*(week.monday + timedelta(days=7)).isocalendar()[:2])
    assert week.window(ZoneInfo(zone)).end == after.window(ZoneInfo(zone)).start


def test_a_year_may_have_53_weeks() -> None:
    assert week_of(datetime(2027, 1, 2, tzinfo=UTC), STOCKHOLM).name == "2026-W53"
    assert week_of(datetime(2027, 1, 4, tzinfo=UTC), STOCKHOLM).name == "2027-W01"


def test_a_review_opens_on_its_day_of_the_week_after() -> None:
    wednesday = Week(2026, 48).opens(3, STOCKHOLM).astimezone(STOCKHOLM)
    assert (wednesday.date(), wednesday.hour) == (date(2026, 12, 2), 0)


class TestEnded:
    SINCE = datetime(2026, 11, 4, tzinfo=UTC)  # in week 45

    def names(self, now: datetime, weekday: int = 1, at_most: int = 8) -> list[str]:
        return [week.name for week in ended(self.SINCE, now, weekday, STOCKHOLM, at_most)]

    def test_begins_with_the_week_in_which_the_plan_was_made(self) -> None:
        assert self.names(datetime(2026, 11, 8, tzinfo=UTC)) == []
        # Monday begins at 23:00 UTC.
        assert self.names(datetime(2026, 11, 8, 22, 59, tzinfo=UTC)) == []
        assert self.names(datetime(2026, 11, 8, 23, tzinfo=UTC)) == ["2026-W45"]

    def test_waits_for_the_day_of_the_plan(self) -> None:
        assert self.names(datetime(2026, 11, 16, 12, tzinfo=UTC), weekday=3) == ["2026-W45"]

    def test_makes_up_for_missed_weeks_up_to_a_bound(self) -> None:
        late = datetime(2026, 12, 1, tzinfo=UTC)
        assert self.names(late) == ["2026-W45", "2026-W46", "2026-W47", "2026-W48"]
        assert self.names(late, at_most=2) == ["2026-W47", "2026-W48"]
