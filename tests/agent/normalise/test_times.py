"""When something happened: on every clock, also on broken ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.normalise.local_time import UNDATED
from tests.agent.normalise.feeding import (
    FILE,
    NEXT_FILE,
    NOW,
    TENANT,
    Feeding,
    change,
    events,
    flags,
    log,
    request,
    tenant,
    tenants,
)


def at(time: object) -> dict[str, object]:
    return {**log(), "@t": time}


class TestTheTimeOfARecord:
    @pytest.mark.parametrize(
        ("printed", "time"),
        [
            ("2026-11-23T06:26:39.9775130Z", "2026-11-23T06:26:39.977513000Z"),
            ("2026-11-23T06:26:39.977Z", "2026-11-23T06:26:39.977000000Z"),
            ("2026-11-23T06:26:39Z", "2026-11-23T06:26:39.000000000Z"),
            ("2026-11-23T07:26:39.1234567+01:00", "2026-11-23T06:26:39.123456700Z"),
            ("2026-11-23 06:26:39,5", "2026-11-23T06:26:39.500000000Z"),
        ],
    )
    def test_is_kept_as_precise_as_it_is_printed(self, printed: str, time: str) -> None:
        event = Feeding().one(at(printed))
        assert event["@timestamp"] == time
        assert flags(event) == set()

    @pytest.mark.parametrize(
        "printed",
        [
            *("1999-12-31T23:59:59.9999999Z", "2100-01-01T00:00:00.0000000Z", "0001-01-01T00:00:00.0000000Z"),
            *("2026-13-23T06:26:39.9775130Z", "2026-11-23T25:26:39.9775130Z", "2026-11-23T06:26:39x9775130Z"),
            *("yesterday", "", 1764000000, ["2026"], True),
        ],
    )
    def test_that_is_none_is_that_of_the_valid_record_before_it(self, printed: object) -> None:
        _, event = Feeding().feed(at("2026-11-23T06:26:39.0000001Z"), at(printed))
        assert event["@timestamp"] == "2026-11-23T06:26:39.000000100Z"
        assert flags(event) == {"time_suspect"}
        assert event["labels"]["printed_time"] == printed

    @pytest.mark.parametrize(
        ("printed", "time"),
        [
            ("2026-11-23T06:26:39", "2026-11-23T06:26:39.000000000Z"),
            ("2026-11-23T06:26:39Z", "2026-11-23T06:26:39.000000000Z"),
            ("2026-11-23T06:26:39,5Z", "2026-11-23T06:26:39.500000000Z"),
            ("2026-11-23T06:26:39x5000000Z", "2026-11-23T06:26:39.100000000Z"),
        ],
    )
    def test_is_read_alike_in_a_second_that_is_known(self, printed: str, time: str) -> None:
        _, event = Feeding().feed(at("2026-11-23T06:26:39.1000000Z"), at(printed))
        assert event["@timestamp"] == time

    def test_that_is_none_is_the_same_after_a_restart(self) -> None:
        whole = Feeding()
        whole.feed(at("2026-11-23T06:26:39.0000001Z"), at("never"))
        assert whole.normaliser.last_time(NEXT_FILE) == ""
        restarted = Feeding()
        restarted.normaliser.seed_time(FILE, whole.normaliser.last_time(FILE))
        assert restarted.one(at("never"))["@timestamp"] == "2026-11-23T06:26:39.000000100Z"

    @pytest.mark.parametrize("time", ["", "never", "1998-01-01T00:00:00Z"])
    def test_that_is_seeded_with_none_stays_unknown(self, time: str) -> None:
        feeding = Feeding()
        feeding.normaliser.seed_time(FILE, time)
        assert feeding.one(at("never"))["@timestamp"] == UNDATED

    def test_is_never_taken_from_another_file(self) -> None:
        feeding = Feeding()
        feeding.feed(at("2026-11-23T06:26:39.0000001Z"))
        (event,) = feeding.feed(at("never"), file=NEXT_FILE)
        assert event["@timestamp"] == UNDATED

    def test_is_never_taken_from_another_broken_record(self) -> None:
        *_, event = Feeding().feed(
            at("2026-11-23T06:26:39.0000001Z"), at("never"), at("1998-01-01T00:00:00Z")
        )
        assert event["@timestamp"] == "2026-11-23T06:26:39.000000100Z"

    def test_that_a_text_head_lost_takes_that_of_the_record_before(self) -> None:
        head = b'2026-11-23 07:26:35.363 +01:00 [INF] x {"SourceContext":"X"}'
        _, event = Feeding("serilog-text").feed(head, b"no head at all")
        assert event["@timestamp"] == "2026-11-23T06:26:35.363000000Z"
        assert flags(event) == {"time_suspect", "unparsed"}
        assert event["event"]["original"] == "no head at all"


class TestWhatIsAheadOfTheClock:
    def test_waits_until_its_day_comes(self) -> None:
        feeding = Feeding()
        assert feeding.documents(at("2026-12-05T00:00:00.0000000Z"), token="t") == []
        (waiting,) = feeding.normaliser.ahead
        assert waiting.time.startswith("2026-12-05T00:00:00")
        assert waiting.is_too_far
        assert feeding.normaliser.tick() == []
        feeding.clock.now = NOW + timedelta(days=3)
        feeding.normaliser.tenants = tenants(loaded_at=feeding.clock.now)
        assert feeding.normaliser.tick() == []
        feeding.clock.now = NOW + timedelta(days=4)
        feeding.normaliser.tenants = tenants(loaded_at=feeding.clock.now)
        ((_, _, _, token, *_),) = feeding.normaliser.tick()
        assert token == "t"
        assert feeding.normaliser.ahead == []

    def test_waits_quietly_until_no_plan_can_change_where_it_belongs(self) -> None:
        feeding = Feeding()
        assert feeding.feed(at("2026-12-01T15:30:00.0000000Z")) == []
        assert [waiting.is_too_far for waiting in feeding.normaliser.ahead] == [False]
        feeding.clock.now = NOW + timedelta(hours=3)
        assert feeding.normaliser.tick() == []
        feeding.normaliser.tenants = tenants(loaded_at=feeding.clock.now)
        assert len(feeding.normaliser.tick()) == 1

    @pytest.mark.parametrize(("ahead_days", "is_too_far"), [(2, True), (4, False), (36_500, False)])
    def test_is_no_alarm_where_the_settings_allow_it(self, ahead_days: int, *, is_too_far: bool) -> None:
        feeding = Feeding(ahead_days=ahead_days)
        feeding.feed(at("2026-12-05T00:00:00.0000000Z"))
        assert [waiting.is_too_far for waiting in feeding.normaliser.ahead] == [is_too_far]

    def test_that_came_near_enough_is_no_alarm_any_more(self) -> None:
        feeding = Feeding()
        feeding.feed(at("2026-12-05T00:00:00.0000000Z"))
        feeding.clock.now = NOW + timedelta(days=2)
        feeding.normaliser.tick()
        assert [waiting.is_too_far for waiting in feeding.normaliser.ahead] == [False]

    def test_comes_out_when_an_operator_says_so(self) -> None:
        feeding = Feeding()
        feeding.feed(change(**{"@t": "2030-01-01T00:00:00.0000000Z"}), request())
        (event,) = events(feeding.normaliser.accept_ahead())
        assert event["@timestamp"].startswith("2030-01-01")
        assert event["entity"]["type"] == "Product"


class TestWhatIsOlderThanItsClassKeeps:
    def test_is_counted_and_not_stored(self) -> None:
        since_ever = datetime(2000, 1, 1, tzinfo=UTC)
        feeding = Feeding(known=tenants(tenant(plans=[("starter", since_ever)])))
        old, kept = "2026-10-31T12:00:00.0000000Z", "2026-11-02T12:00:00.0000000Z"
        out = feeding.documents({**request(), "@t": old}, {**request(), "@t": kept}, token="t")
        assert len(out) == 1
        assert feeding.normaliser.expired == ["t"]

    def test_is_everything_of_a_tenant_that_was_erased(self) -> None:
        erased = replace(tenant(), erased=NOW)
        feeding = Feeding(known=tenants(erased))
        assert feeding.documents(request(), {**request(), "@t": "never"}, token="t") == []
        assert feeding.normaliser.expired == ["t", "t"]

    def test_is_what_is_written_now_where_our_clock_is_further_ahead_than_that(self) -> None:
        feeding = Feeding(known=tenants(tenant(plans=[("starter", NOW - timedelta(days=90))])))
        feeding.clock.now = NOW + timedelta(days=31)
        assert feeding.documents({**log(TenantId=TENANT), "@t": NOW.isoformat()}, token="t") == []
        assert feeding.normaliser.expired == ["t"]

    def test_is_never_so_without_a_time(self) -> None:
        feeding = Feeding()
        assert len(feeding.documents(at("never"))) == 1
        assert feeding.normaliser.expired == []


class TestTheClockOnTheWall:
    @pytest.mark.parametrize(
        ("utc", "hour", "weekday"),
        [
            ("2026-03-29T00:59:59.0000000Z", 1, 7),
            ("2026-03-29T01:00:00.0000000Z", 3, 7),
            ("2026-10-25T00:59:59.0000000Z", 2, 7),
            ("2026-10-25T01:00:00.0000000Z", 2, 7),
            ("2026-10-25T02:00:00.0000000Z", 3, 7),
            ("2026-10-25T23:30:00.0000000Z", 0, 1),
        ],
    )
    def test_is_the_tenants_also_when_it_is_moved(self, utc: str, hour: int, weekday: int) -> None:
        event = Feeding(known=tenants(tenant(zone="Europe/Berlin"))).one({**request(), "@t": utc})
        assert event["local"] == {"hour": hour, "weekday": weekday, "zone": "Europe/Berlin"}

    def test_of_half_hours_counts_them(self) -> None:
        event = Feeding(known=tenants(tenant(zone="Asia/Kolkata"))).one(
            {**request(), "@t": "2026-11-23T18:30:00.0000000Z"}
        )
        assert (event["local"]["hour"], event["local"]["weekday"]) == (0, 2)

    def test_is_that_of_the_tenant_the_request_tells_of(self) -> None:
        feeding = Feeding(known=tenants(tenant(zone="Europe/Berlin")))
        warned, _ = feeding.feed(log(RequestId="0HNQ95ATOEJFE:00000001"), request())
        assert warned["tenant"]["id"] == TENANT
        assert warned["local"]["zone"] == "Europe/Berlin"
