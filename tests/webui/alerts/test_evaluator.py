"""What becomes an alert, once, however and whenever its events arrive."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import orjson
import pytest

from indexer.documents import LIST_LIMIT
from indexer.query import Scope
from indexer.search import EventSearch
from tests.support.alerting import EVERY_TENANT, INTRUDER, NOON, Watched, failed, login
from tests.support.events import NORD, TEST
from webui.alerts.condition import Template
from webui.alerts.tally import Tally
from webui.question import read


class TestFailedLogins:
    def test_five_from_one_address_are_one_alert_with_its_evidence(self, watch: Watched) -> None:
        monitor = watch.monitor()
        watch.look()
        watch.happen(*[failed()] * 5)
        (alert,) = watch.look()
        assert (alert.monitor, alert.tenant, alert.owner) == (monitor.id, TEST, TEST)
        assert alert.title == f"5 failed logins from {INTRUDER}"
        assert alert.count == 5
        asked = read(parse_qsl(alert.evidence))
        assert asked.choice("ip").only == (INTRUDER,)

    def test_four_are_none(self, watch: Watched) -> None:
        watch.monitor()
        watch.happen(*[failed()] * 4)
        assert watch.look() == []

    def test_five_within_the_window_count_wherever_it_begins(self, watch: Watched) -> None:
        watch.monitor()
        watch.look()
        for minutes in (0, 1.2, 2.4, 3.6, 4.8):
            watch.happen(failed(), at=NOON + timedelta(minutes=minutes))
            watch.look()
        assert len(watch.alerts()) == 1

    def test_five_in_more_than_the_window_are_none(self, watch: Watched) -> None:
        watch.monitor()
        watch.look()
        watch.happen(*[failed()] * 5, at=NOON + timedelta(hours=1), apart=76)
        assert watch.look() == []

    def test_each_address_and_each_tenant_is_counted_by_itself(self, watch: Watched) -> None:
        watch.monitor(owner=EVERY_TENANT)
        watch.look()
        watch.happen(*[failed("192.0.2.1")] * 3, *[failed("192.0.2.2")] * 3)
        watch.happen(*[failed("192.0.2.3")] * 3, *[failed("192.0.2.3", tenant=NORD)] * 3)
        assert watch.look() == []

    def test_a_tenants_monitor_sees_no_other_tenant(self, watch: Watched) -> None:
        watch.monitor()
        watch.monitor(owner=NORD)
        watch.look()
        watch.happen(*[failed()] * 5)
        assert [alert.owner for alert in watch.look()] == [TEST]

    def test_an_operators_monitor_sees_what_has_no_tenant_and_no_address(self, watch: Watched) -> None:
        watch.monitor(owner=EVERY_TENANT)
        watch.look()
        watch.happen(*[failed(None, tenant="-")] * 5)
        (alert,) = watch.look()
        assert (alert.owner, alert.tenant, alert.group) == ("*", "-", "")
        assert alert.title == "5 failed logins without an address in the log"

    @pytest.mark.parametrize("name", ["ken", "Åke"])
    def test_a_name_in_other_letter_case_is_the_same_user(self, watch: Watched, name: str) -> None:
        watch.monitor(c_group="user")
        watch.look()
        watch.happen(*[failed(user=each) for each in (name, name.upper(), name.lower(), name.upper(), name)])
        (alert,) = watch.look()
        assert alert.title == f"5 failed logins as {name}"
        tally, asked = Tally(EventSearch(watch.client, watch.store.prefix)), read(parse_qsl(alert.evidence))
        assert tally.count(asked, Scope(TEST), watch.now) == 5
        # Whoever spells it otherwise goes on with the same.
        watch.now += timedelta(minutes=1)
        watch.happen(failed(user=name.upper()))
        (alert,) = watch.look()
        assert alert.count == 6


class TestSuccessAfterFailures:
    def test_is_of_the_tenant_signed_in_to_whatever_the_failures_tell(self, watch: Watched) -> None:
        watch.monitor(Template.SUCCESS_AFTER_FAILURES, owner=EVERY_TENANT)
        watch.look()
        # Somebody of another tenant, behind the same address, before the failures began.
        watch.happen(login(tenant=TEST), at=watch.now - timedelta(minutes=5))
        watch.happen(*[failed(tenant="-")] * 5, login(tenant=NORD))
        assert [(alert.tenant, alert.count) for alert in watch.look()] == [(NORD, 6)]

    def test_is_of_each_tenant_signed_in_to(self, watch: Watched) -> None:
        watch.monitor(Template.SUCCESS_AFTER_FAILURES, owner=EVERY_TENANT)
        watch.look()
        watch.happen(*[failed(tenant="-")] * 5, login(tenant=TEST), login(tenant=NORD))
        assert sorted(alert.tenant for alert in watch.look()) == sorted([TEST, NORD])

    def test_one_failure_long_before_is_enough_where_that_is_wanted(self, watch: Watched) -> None:
        watch.monitor(Template.SUCCESS_AFTER_FAILURES, c_threshold=1)
        watch.look()
        watch.happen(failed())
        watch.look()
        watch.now += timedelta(minutes=10)
        watch.happen(login())
        assert len(watch.look()) == 1


class TestAfterHours:
    @pytest.mark.parametrize("day", [17, 24], ids=["24 hours", "25 hours"])
    @pytest.mark.parametrize("window", [timedelta(minutes=5), timedelta(hours=24)], ids=str)
    def test_a_day_of_a_weekend_is_one_night(self, watch: Watched, day: int, window: timedelta) -> None:
        begin, end = (
            datetime(2026, 10, day + days, hour, minute, tzinfo=ZoneInfo("Europe/Stockholm"))
            for days, hour, minute in ((0, 7, 15), (1, 6, 55))
        )
        since = datetime(2026, 10, 10, tzinfo=UTC)
        watch.monitor(Template.AFTER_HOURS, c_threshold=2, c_window=window, c_weekends=True, since=since)
        for moment, counts in ((begin, []), (end, [2])):
            watch.now = moment.astimezone(UTC)
            watch.look()
            watch.happen({"event.category": "products", "event.action": "updated"})
            assert [alert.count for alert in watch.look()] == counts


class TestOnce:
    def test_looking_again_finds_nothing_new(self, watch: Watched) -> None:
        watch.monitor()
        watch.look()
        watch.happen(*[failed()] * 5)
        first = watch.look()
        watch.happen(failed("192.0.2.77"))
        assert watch.look() == first

    def test_what_happened_before_the_monitor_is_no_alert(self, watch: Watched) -> None:
        watch.happen(*[failed()] * 5, at=NOON - timedelta(minutes=1))
        watch.monitor()
        assert watch.look() == []

    def test_what_happened_while_no_evaluator_ran_is(self, watch: Watched) -> None:
        watch.monitor()
        watch.now += timedelta(hours=3)
        watch.happen(*[failed()] * 5, at=NOON + timedelta(hours=1))
        assert len(watch.look()) == 1

    @pytest.mark.parametrize("days", [1, 29])
    def test_what_arrives_days_late_is_one_alert(self, watch: Watched, days: int) -> None:
        watch.monitor()
        watch.look()
        watch.now += timedelta(days=days)
        watch.look()
        watch.happen(*[failed()] * 5, at=NOON + timedelta(minutes=1))
        assert len(watch.look()) == 1
        assert len(watch.look()) == 1

    def test_what_arrives_piecemeal_and_backwards_is_one_alert(self, watch: Watched) -> None:
        watch.monitor()
        watch.look()
        for secs in (50, 40, 30, 20, 10, 0):
            watch.happen(failed(), at=NOON + timedelta(seconds=secs))
            watch.look()
        (alert,) = watch.alerts()
        assert (alert.first, alert.last) == (NOON, NOON + timedelta(seconds=51))
        assert alert.number == 1


class TestClocks:
    @pytest.mark.parametrize("taken_over", [True, False], ids=["taken over", "set back"])
    def test_one_that_is_behind_what_was_written_keeps_nothing_from_running(
        self, watch: Watched, *, taken_over: bool
    ) -> None:
        watch.monitor()
        ahead, lease = watch.evaluator()
        watch.now += timedelta(minutes=10)
        assert ahead.round()
        watch.now -= timedelta(minutes=10)
        behind = ahead
        if taken_over:
            lease.release()
            behind, _ = watch.evaluator()
        for _ in range(2):
            assert behind.round()
            watch.now += timedelta(seconds=30)
            watch.happen(*[failed()] * 5)
        assert behind.round()
        assert len(watch.alerts()) == 1


def test_a_new_monitor_looks_at_what_arrives_from_then_on_however_old(watch: Watched) -> None:
    watch.monitor(Template.BULK_EXPORT)
    watch.look()
    watch.monitor()
    watch.happen(*[failed()] * 5, at=watch.now - timedelta(minutes=1))
    assert len(watch.look()) == 1


def test_what_happened_while_a_monitor_was_off_is_not_looked_at(watch: Watched) -> None:
    base = watch.monitor()
    watch.look()
    off = replace(base, on=False, revision=2)
    assert watch.monitors.replace(off)
    watch.happen(*[failed()] * 5)
    watch.now += timedelta(seconds=30)
    # No round has seen that it was off.
    assert watch.monitors.replace(replace(off, on=True, revision=3, since=watch.now))
    assert watch.look() == []
    watch.now += timedelta(seconds=30)
    watch.happen(*[failed("192.0.2.1")] * 5)
    assert [alert.group for alert in watch.look()] == ["192.0.2.1"]


def test_a_monitor_runs_before_there_is_any_event(watch: Watched) -> None:
    watch.monitor(Template.BULK_EXPORT)
    watch.look()
    watch.now += timedelta(minutes=3)
    assert watch.look() == []


def test_more_monitors_than_one_search_returns_are_all_evaluated(watch: Watched) -> None:
    base = watch.monitor()
    last = watch.monitor(owner=NORD)
    watch.look()
    lines = [
        line
        for number in range(LIST_LIMIT)
        for line in ({"create": {"_id": f"many{number}"}}, {**base.document(), "owner": f"tenant-{number}"})
    ]
    watch.client.request(
        "POST",
        f"/{watch.store.prefix}-app-monitors/_bulk",
        body=b"".join(orjson.dumps(line) + b"\n" for line in lines),
    )
    assert watch.monitors.replace(replace(last, name="Last", revision=2))
    watch.happen(*[failed()] * 5, *[failed(tenant=NORD)] * 5)
    assert sorted(alert.owner for alert in watch.look()) == sorted([TEST, NORD])
