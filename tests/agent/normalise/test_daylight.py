"""Hours that come twice, hours that never come, and clocks that are set."""

from __future__ import annotations

from tests.agent.normalise.feeding import Feeding, events, tenant, tenants

PATH = b"/api/v1/tenant/e9006ab8-257f-4021-b60a-cbba785bad46/products"


def text(time: bytes) -> bytes:
    """A request line of the text log at this local time."""
    return b'%b [INF] HTTP GET %b responded 200 in 1.5000 ms {"RequestId": "r:1"}' % (time, PATH)


def fed(*times: bytes) -> list[tuple[str, int, str]]:
    """UTC time, local hour and id of an event for each local time, in the order of the log."""
    feeding = Feeding("serilog-text", known=tenants(tenant(zone="Europe/Stockholm")))
    came = [*feeding.feed(*map(text, times)), *events(feeding.normaliser.flush())]
    came.sort(key=lambda event: int(event["event"]["position"]))
    return [(event["@timestamp"], event["local"]["hour"], event["event"]["id"]) for event in came]


def test_39_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    first, second = fed(b"2026-10-25 02:30:00.000 +02:00", b"2026-10-25 02:30:00.000 +01:00")
    assert (first[0], second[0]) == ("2026-10-25T00:30:00.000000000Z", "2026-10-25T01:30:00.000000000Z")
    assert (first[1], second[1]) == (2, 2)


def test_39_the_hour_that_never_comes_is_skipped() -> None:
    before, after = fed(b"2026-03-29 01:59:59.999 +01:00", b"2026-03-29 03:00:00.000 +02:00")
    assert (before[0], after[0]) == ("2026-03-29T00:59:59.999000000Z", "2026-03-29T01:00:00.000000000Z")
    assert (before[1], after[1]) == (1, 3)


def test_39_a_clock_that_is_set_back_changes_no_time_and_no_id() -> None:
    times = (b"2026-11-23 08:00:10.000 +01:00", b"2026-11-23 08:00:00.000 +01:00")
    later, earlier = fed(*times)
    assert (later[0], earlier[0]) == ("2026-11-23T07:00:10.000000000Z", "2026-11-23T07:00:00.000000000Z")
    assert later[2] != earlier[2]
    assert fed(*times) == [later, earlier]
