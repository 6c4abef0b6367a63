"""What nobody foresaw in an event is no other tenant's affair: everything else is found all the same."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from indexer.search import StoredEvent
from tests.support.alerting import Watched, failed
from tests.support.events import NORD, TEST
from webui.alerts import tally, wording
from webui.alerts.alert import Alert
from webui.alerts.condition import Template
from webui.question import read


def exported(query: str = "", rows: str = "", tenant: str = TEST) -> dict[str, Any]:
    return {
        "event.category": "api",
        "event.action": "exported",
        "entity": None,
        "url.query": query or None,
        "labels": {"Rows": rows} if rows else {},
        "tenant.id": tenant,
    }


def owners(found: list[Alert]) -> list[str]:
    return sorted(alert.owner for alert in found if alert.source == "monitor")


@pytest.mark.parametrize(
    "address",
    [
        "203.0.113.5:51234",
        "999.1.2.3",
        "1.2.3",
        "[2001:db8::1]:443",
        "fe80::1%eth0",
        "*",
        "-",
        "x" * 300,
    ],
)
def test_an_address_that_is_none_is_an_alert_with_evidence(watch: Watched, address: str) -> None:
    watch.monitor()
    watch.monitor(owner=NORD)
    watch.look()
    watch.happen(*[{**failed(None), "source": {"address": address}}] * 5)
    watch.happen(*[failed("192.0.2.1", tenant=NORD)] * 5)
    found = watch.look()
    assert owners(found) == sorted([TEST, NORD])
    (mine,) = [alert for alert in found if alert.owner == TEST]
    assert mine.group == address
    # What cannot be asked for is left out of the search, never asked for as something else.
    assert read(parse_qsl(mine.evidence)).choice("ip").only in {(address,), ()}
    assert read(parse_qsl(mine.evidence)).choice("action").only == ("login_failed", "sign_in_failed")


@pytest.mark.parametrize("name", ["x" * 257, "*", "-", "a*b", " b ", "é" * 256, "(" * 256, "ab\ncd"])
def test_a_name_that_cannot_be_asked_for_is_an_alert(watch: Watched, name: str) -> None:
    watch.monitor(c_group="user")
    watch.monitor(owner=NORD, c_group="user")
    watch.look()
    watch.happen(*[failed(user=name)] * 5)
    watch.happen(*[failed(user="ken", tenant=NORD)] * 5)
    found = watch.look()
    assert owners(found) == sorted([TEST, NORD])
    (mine,) = [alert for alert in found if alert.owner == TEST]
    unasked = "The activity log cannot be asked for this user" in mine.text
    assert unasked == (read(parse_qsl(mine.evidence)).choice("user").only == ())


@pytest.mark.parametrize(
    "event",
    [
        exported("?pageSize=" + "1" * 5000),
        exported(rows="1" * 5000),
        exported(rows="²"),
        exported("?pageSize=²"),
    ],
    ids=["page", "rows", "superscript rows", "superscript page"],
)
def test_a_size_that_is_no_number_is_one(watch: Watched, event: dict[str, Any]) -> None:
    watch.monitor(Template.BULK_EXPORT)
    watch.look()
    watch.happen(*[event] * 5)
    (alert,) = watch.look()
    assert alert.title == "sofia User read or exported 5 rows"


def test_a_page_is_as_big_as_its_first_number_that_can_be_a_size(watch: Watched) -> None:
    watch.monitor(Template.BULK_EXPORT)
    watch.look()
    watch.happen(exported("?limit=" + "1" * 4400 + "&pageSize=2500"))
    (alert,) = watch.look()
    assert alert.title == "sofia User read or exported 2,500 rows"


def test_an_event_that_cannot_be_read_fails_its_tenants_monitor_alone(
    watch: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = watch.monitor(Template.BULK_EXPORT)
    for _ in range(2):
        watch.monitor(Template.BULK_EXPORT, owner=NORD)
    watch.look()
    sized = tally.size_of

    def breaks(event: StoredEvent) -> int:
        if event.text("tenant.id") == TEST:
            raise OverflowError("nobody foresaw this")
        return sized(event)

    with monkeypatch.context() as patched:
        patched.setattr(tally, "size_of", breaks)
        watch.happen(*[exported()] * 5, *[exported(tenant=NORD)] * 5)
        assert owners(watch.look()) == [NORD, NORD]
        watch.now += timedelta(minutes=3)
        (own,) = [alert for alert in watch.look() if alert.source == "evaluator"]
    assert (own.owner, own.group) == (TEST, broken.id)
    assert "something unforeseen (OverflowError)" in own.text
    assert "nobody foresaw this" not in own.text
    # It has kept its list.
    assert owners(watch.look()) == sorted([TEST, NORD, NORD])


def test_a_finding_that_cannot_be_written_keeps_no_other_from_it(
    watch: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.monitor()
    watch.look()
    titled = wording.title

    def breaks(condition: Any, series: Any, *more: Any) -> str:  # noqa: ANN401  as the original has them
        if series.group == "192.0.2.1":
            raise KeyError(series.group)
        return titled(condition, series, *more)

    monkeypatch.setattr(wording, "title", breaks)
    watch.happen(*[failed("192.0.2.1")] * 5, *[failed("192.0.2.2")] * 5)
    assert [alert.group for alert in watch.look()] == ["192.0.2.2"]
    watch.now += timedelta(minutes=3)
    assert [alert.source for alert in watch.look() if alert.group != "192.0.2.2"] == ["evaluator"]
