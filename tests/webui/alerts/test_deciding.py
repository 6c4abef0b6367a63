"""When counted events are a finding: windows, orders, nights."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.plans import Tenant
from webui.alerts import condition as conditions
from webui.alerts.condition import Condition, Template
from webui.alerts.deciding import Row, Series, decide, night_of

IP = "192.0.2.1"
FAILED = conditions.usual(Template.FAILED_LOGINS)
HOUR = timedelta(hours=1)


def tenant(zone: str = "Europe/Stockholm", hours: str = "07:00-18:00") -> Tenant:
    return Tenant("t", "Test", zone, hours, (), 1)


def found(condition: Condition, rows: list[Row], calm: timedelta = HOUR) -> list[Series]:
    return decide(condition, calm, rows, lambda _: tenant())


def row(at: float, action: str = "login_failed", **more: Any) -> Row:  # noqa: ANN401  fields of a row
    return replace(Row("t", IP, "", action, int(at), 1), **more)


class TestCount:
    @given(st.lists(st.integers(0, 2000), max_size=60), st.integers(1, 8))
    def test_finds_something_if_and_only_if_so_many_lie_within_some_window(
        self, times: list[int], threshold: int
    ) -> None:
        condition = replace(FAILED, threshold=threshold)
        reached = any(sum(end - 300 < each <= end for each in times) >= threshold for end in times)
        assert bool(found(condition, [row(each) for each in times])) == reached

    @given(st.lists(st.integers(0, 20_000), min_size=1, max_size=60))
    def test_series_are_further_apart_than_the_calm_and_hold_each_event_once(self, times: list[int]) -> None:
        condition = replace(FAILED, threshold=2)
        series = sorted(found(condition, [row(each) for each in times]), key=lambda each: each.first)
        for before, after in pairwise(series):
            assert after.first - before.last >= 3600 - condition.step_secs
        assert sum(each.count for each in series) <= len(times)

    def test_the_order_in_which_rows_come_changes_nothing(self) -> None:
        rows = [row(each) for each in (0, 60, 120, 180, 240, 5000, 5001)]
        assert found(FAILED, rows) == found(FAILED, rows[::-1])

    def test_a_group_that_the_log_does_not_tell_is_one_of_its_own(self) -> None:
        (series,) = found(FAILED, [row(each, group="") for each in range(5)])
        assert series.group == ""

    def test_says_from_when_on_it_holds_by_the_last_events_alone(self) -> None:
        (series,) = found(FAILED, [row(each) for each in range(9)])
        assert (series.first, series.fresh) == (0, 4)


class TestSequence:
    CONDITION = conditions.usual(Template.SUCCESS_AFTER_FAILURES)

    def test_a_success_after_five_failures_is_found_with_its_user(self) -> None:
        rows = [row(each) for each in range(5)]
        (series,) = found(self.CONDITION, [*rows, row(600, "login", actor="sofia")])
        assert (series.actors, series.count) == (("sofia",), 6)

    @pytest.mark.parametrize(
        "rows",
        [
            [row(each) for each in range(5)],
            [*(row(each) for each in range(4)), row(5, "login")],
            [row(0, "login"), *(row(each) for each in range(1, 6))],
            [*(row(each) for each in range(5)), row(904, "login")],
            [*(row(each, group="") for each in range(5)), row(6, "login", group="")],
        ],
        ids=["no success", "too few", "before", "too late", "no address"],
    )
    def test_nothing_else_is(self, rows: list[Row]) -> None:
        assert found(self.CONDITION, rows) == []


class TestVolume:
    CONDITION = conditions.usual(Template.BULK_EXPORT)

    def test_five_exports_are_found(self) -> None:
        assert len(found(self.CONDITION, [row(each, "exported") for each in range(5)])) == 1

    def test_two_thousand_rows_are_found_by_pages_and_reads_together(self) -> None:
        pages = [row(0, "exported", rows=1500), row(60, "read", count=500, rows=500)]
        (series,) = found(self.CONDITION, pages)
        assert series.size == 2000

    def test_fewer_of_both_are_not(self) -> None:
        pages = [row(0, "exported", rows=1500), row(60, "read", count=499, rows=499)]
        assert found(self.CONDITION, pages) == []


class TestNight:
    CONDITION = conditions.usual(Template.AFTER_HOURS)

    def test_one_night_of_a_user_is_one_finding_across_midnight(self) -> None:
        evening = datetime(2026, 11, 23, 20, tzinfo=UTC).timestamp()
        rows = [row(evening + hours * 3600, "updated", group="sofia") for hours in (0, 4, 9)]
        (series,) = found(self.CONDITION, rows)
        assert (series.night, series.count) == ("2026-11-23", 3)

    @pytest.mark.parametrize(
        ("local", "night"),
        [
            ("2026-11-23T06:59", "2026-11-22"),
            ("2026-11-23T07:00", ""),
            ("2026-11-23T17:59", ""),
            ("2026-11-23T18:00", "2026-11-23"),
            # Clocks go back on 25 October and forward on 29 March 2026: hours are those on the wall.
            ("2026-10-25T06:59", "2026-10-24"),
            ("2026-10-25T07:00", ""),
            ("2026-10-25T17:59", ""),
            ("2026-10-25T18:00", "2026-10-25"),
            ("2026-03-29T06:59", "2026-03-28"),
            ("2026-03-29T07:00", ""),
            ("2026-03-29T18:00", "2026-03-29"),
        ],
    )
    def test_hours_are_those_of_the_tenants_clock(self, local: str, night: str) -> None:
        moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Stockholm"))
        assert night_of(int(moment.timestamp()), tenant(), weekends=False) == night

    @pytest.mark.parametrize("utc", ["2026-10-25T00:30", "2026-10-25T01:30"])
    def test_both_passes_of_the_hour_that_comes_twice_are_the_same_night(self, utc: str) -> None:
        moment = datetime.fromisoformat(f"{utc}+00:00")
        assert moment.astimezone(ZoneInfo("Europe/Stockholm")).hour == 2
        assert night_of(int(moment.timestamp()), tenant(), weekends=False) == "2026-10-24"

    @pytest.mark.parametrize(
        ("hours", "clock", "night"),
        [
            ("22:00-06:00", "23:00", ""),
            ("22:00-06:00", "05:00", ""),
            ("22:00-06:00", "07:00", "2026-11-22"),
            ("07:00-24:00", "23:59", ""),
            ("07:00-24:00", "00:00", "2026-11-22"),
            ("00:00-24:00", "03:00", ""),
        ],
    )
    def test_hours_may_span_midnight_or_have_no_end(self, hours: str, clock: str, night: str) -> None:
        moment = datetime.fromisoformat(f"2026-11-23T{clock}+00:00")
        assert night_of(int(moment.timestamp()), tenant("UTC", hours), weekends=False) == night

    def test_a_weekend_counts_as_a_whole_if_wanted(self) -> None:
        saturday = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp())
        assert night_of(saturday, tenant("UTC"), weekends=False) == ""
        assert night_of(saturday, tenant("UTC"), weekends=True) == "2026-11-21"
