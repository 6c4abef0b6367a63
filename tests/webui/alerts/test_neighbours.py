"""What other features ask of the alerts: a channel that is switched off, the alerts of a week."""

from dataclasses import replace
from datetime import timedelta

from indexer.documents import Documents
from indexer.query import iso
from tests.support import watching
from tests.support.events import NORD, TEST
from tests.support.web import Site
from tests.webui.notification.conftest import NOW, webhook
from webui.alerts.assembly import make_alerts, raise_switched_off
from webui.alerts.book import KIND, Book
from webui.notification.channel import Off
from webui.tenancy import Tenancy


def test_a_channel_that_is_switched_off_is_an_alert_once_each_time(own_site: Site) -> None:
    off = replace(
        webhook("https://hooks.example/"),
        off=Off.FAILING,
        off_why="The receiver answered 503.",
        failed_count=1,
    )
    alarm = raise_switched_off(own_site.client, own_site.store.prefix)
    for channel in (off, off, replace(off, failed_count=2)):
        alarm(channel, NOW)
    inbox = own_site.signed_in("auditor").get("/alerts").text
    assert inbox.count("The channel “On call” was switched off") == 2
    assert "was switched off" not in own_site.signed_in("stranger").get("/alerts").text


def test_the_alerts_of_a_period_are_counted_and_listed(site: Site) -> None:
    tenancy = Tenancy(site.client, site.store.prefix, site.clock)
    alerts = make_alerts(site.client, site.store.prefix, tenancy, site.clock)
    held = Book(Documents(site.client, site.store.prefix, KIND)).get(watching.ALERT)
    assert held
    opened = held.alert.opened
    later = opened + timedelta(seconds=1)
    auditor = site.signed_in("auditor")
    for start, end, is_there in ((opened, later, True), (later, None, False), (None, opened, False)):
        count, open_count = alerts.of_period(TEST, start, end)
        assert (count > 0, open_count > 0) == (is_there, is_there)
        asked = {"state": "all", "since": iso(start) if start else "", "until": iso(end) if end else ""}
        assert (watching.ALERT in auditor.get("/alerts", query_string=asked).text) == is_there
    assert alerts.of_period(NORD, opened, later) == (0, 0)
    assert auditor.get("/alerts?since=yesterday").status_code == 400
    assert auditor.get("/alerts?until=2026-11-23T00:00:00").status_code == 400
