"""What an administrator and an auditor do with monitors and alerts."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from indexer.documents import Documents
from indexer.query import Scope
from tests.support import events, watching
from tests.support.alerting import failed
from tests.support.events import TEST
from tests.support.web import Site, token
from webui.alerts.assembly import make_evaluator
from webui.alerts.book import KIND, Book
from webui.alerts.service import Alerts, Wanted
from webui.tenancy import Reader

GUESSES = {
    "template": "failed_logins",
    "name": "Guesses",
    "threshold": "5",
    "window": "5",
    "group": "ip",
    "calm": "60",
    "quiet": "",
    "on": "1",
}
ALERT = f"/alerts/{watching.ALERT}"
ARABIC = "\N{ARABIC-INDIC DIGIT TWO}\N{ARABIC-INDIC DIGIT ZERO}" * 2
# The rest of a cursor, after the time at which an alert was opened.
PLACE = f"2026-11-23T00:00:00.000000Z~{'a' * 24}-1"


def send(browser: FlaskClient, path: str, **form: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": token(browser, "/history"), **form})


def fail_to_sign_in(site: Site, ip: str) -> None:
    moment = site.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    first = 500 + 10 * int(ip.rpartition(".")[2])
    made = [events.document(first + each, {**failed(ip), "@timestamp": moment}) for each in range(5)]
    events.load(site.client, site.store.prefix, made)
    site.client.request("POST", f"/{site.store.prefix}-audit/_refresh")


def said(site: Site) -> list[str]:
    return [str(line["Message"]) for line in site.trail() if line["Action"] == "configured"]


@pytest.fixture(scope="module")
def admin(site: Site) -> FlaskClient:
    return site.signed_in("admin")


@pytest.fixture(scope="module")
def auditor(site: Site) -> FlaskClient:
    return site.signed_in("auditor")


def test_from_the_form_to_the_verdict(site: Site, admin: FlaskClient, auditor: FlaskClient) -> None:
    assert send(admin, "/monitors", **GUESSES, do="save").status_code == 303
    assert said(site)[-1] == "admin made the monitor “Guesses”: 5 in 5 minutes by address"
    evaluator, lease = make_evaluator(site.client, site.store.prefix, Event(), now=site.clock)
    fail_to_sign_in(site, "192.0.2.9")
    assert evaluator.round(everything=True)
    lease.release()
    inbox = auditor.get("/alerts").text
    assert "Evaluated" in inbox
    found = re.search(r'href="(/alerts/\w{24}-1)">5 failed logins from 192.0.2.9', inbox)
    assert found, inbox
    page = auditor.get(found[1]).text
    assert "A sign-in as somebody failed" in page
    assert send(auditor, found[1], do="acknowledge").status_code == 303
    assert send(auditor, found[1], do="close", verdict="benign", note="a test").status_code == 303
    page = auditor.get(found[1]).text
    assert "closed: benign" in page
    assert "a test" in page
    assert said(site)[-1] == "auditor closed as benign the alert “5 failed logins from 192.0.2.9”"
    assert found[1] not in auditor.get("/alerts").text
    assert found[1] in auditor.get("/alerts?state=closed").text


def test_a_preview_links_to_the_events_of_each_finding_and_saves_nothing(
    site: Site, admin: FlaskClient
) -> None:
    before = admin.get("/monitors").text.count("monitor-what")
    fail_to_sign_in(site, "192.0.2.10")
    page = send(admin, "/monitors", **{**GUESSES, "threshold": "4"}, do="preview").text
    link = re.search(r'href="(/activity\?[^"]+)">5 failed logins from 192.0.2.10', page)
    assert link, page
    assert "A sign-in as somebody failed" in admin.get(link[1].replace("&amp;", "&")).text
    assert admin.get("/monitors").text.count("monitor-what") == before


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"threshold": "0"}, "Write a whole number from 1"),
        ({"threshold": "many"}, "Write a whole number from 1"),
        ({"threshold": "1" * 5000}, "Write a whole number from 1"),
        ({"template": "bulk_export", "group": "user", "rows": "1" * 5000}, "Write a whole number from 0"),
        ({"window": "1441"}, "Write minutes from"),
        ({"window": "nan"}, "Write minutes from"),
        ({"name": " "}, "Give it a name"),
        ({"quiet": "late"}, "Write hours such as"),
        ({"group": "entity"}, "Choose one of those offered"),
        ({"channel": "nosuch"}, "Choose some of the channels offered"),
        ({"template": "own_query", "group": "", "query": "ip=10.0.0.300"}, "is no IP address"),
        ({"template": "own_query", "group": "", "query": ""}, "Choose a saved view"),
        ({"template": "own_query", "group": "", "query": "http://[::1?x"}, "Choose a saved view"),
    ],
    ids=lambda each: (
        "&".join(f"{name}={value[:20]}" for name, value in each.items()) if isinstance(each, dict) else ""
    ),
)
def test_a_form_with_a_mistake_names_it_and_keeps_what_was_typed(
    admin: FlaskClient, changed: dict[str, str], problem: str
) -> None:
    answer = send(admin, "/monitors", **{**GUESSES, "roles": "", **changed}, do="save")
    assert answer.status_code == 400
    assert problem in answer.text
    assert 'value="60"' in answer.text


def test_a_change_is_in_the_trail_with_what_it_was(site: Site, admin: FlaskClient) -> None:
    path = f"/monitors/{watching.MONITOR}"
    revision = re.search(r'name="revision" value="(\d+)"', admin.get(path).text)
    assert revision
    wanted = {**GUESSES, "name": "Failed logins", "threshold": "7", "revision": revision[1]}
    assert send(admin, path, **wanted).status_code == 303
    assert said(site)[-1] == "admin changed the monitor “Failed logins”: threshold 5 -> 7"
    # The same form again, from a window that did not see the change.
    again = send(admin, path, **{**wanted, "threshold": "9"})
    assert again.status_code == 400
    assert "Somebody else has changed this monitor" in again.text
    assert send(admin, path, **{**wanted, "revision": "1" * 5000}).status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "0001-01-01T00:00:00+14:00"),
        ("until", "9999-12-31T23:59:59-14:00"),
        ("until", "2026-11-23"),
        ("before", f"2026-99-99T99:99:99.999999Z~{PLACE}"),
        ("before", f"{ARABIC}-11-23T00:00:00.000000Z~{PLACE}"),
        ("before", f"2026-11-23T00:00:00.000000Z~{PLACE[:-1]}{ARABIC}"),
        ("before", "~"),
    ],
)
def test_an_inbox_that_cannot_be_is_400(auditor: FlaskClient, name: str, value: str) -> None:
    assert auditor.get(f"/alerts?{urlencode({name: value})}").status_code == 400


def test_it_is_said_when_nobody_evaluates(own_site: Site) -> None:
    for path in ("/alerts", "/monitors"):
        assert "No monitor is being evaluated" in own_site.signed_in("admin").get(path).text


class TestOneAlert:
    def test_is_acknowledged_once_by_who_then_looks_after_it(
        self, site: Site, auditor: FlaskClient, admin: FlaskClient
    ) -> None:
        assert send(auditor, ALERT, do="assign", assignee="").status_code == 303
        assert send(auditor, ALERT, do="acknowledge").status_code == 303
        second = send(admin, ALERT, do="acknowledge")
        assert second.status_code == 409
        assert "This alert is acknowledged already" in second.text
        assert site.app.extensions["audit-alerts"]._book.get(watching.ALERT).alert.assignee == "auditor"

    def test_is_not_closed_without_a_verdict(self, auditor: FlaskClient) -> None:
        assert send(auditor, ALERT, do="close", note="?").status_code == 409

    def test_is_assigned_only_to_somebody_who_may_see_it(self, auditor: FlaskClient) -> None:
        assert send(auditor, ALERT, do="assign", assignee="admin").status_code == 303
        assert send(auditor, ALERT, do="assign", assignee="stranger").status_code == 409
        assert send(auditor, ALERT, do="assign", assignee="owner").status_code == 409


def test_a_tenants_saved_view_can_be_watched(admin: FlaskClient) -> None:
    send(admin, "/activity/views", name="Deleted orders", query="category=orders&action=deleted")
    page = admin.get("/monitors/new?template=own_query").text
    assert '<option value="category=orders&amp;action=deleted">Deleted orders</option>' in page
    wanted = {**GUESSES, "template": "own_query", "group": "user", "query": "", "name": "Deletes"}
    assert send(admin, "/monitors", **wanted, view="category=orders&action=deleted").status_code == 303
    assert TEST not in admin.get("/monitors").text


def test_alerts_of_one_round_stand_in_the_order_in_which_they_began(site: Site) -> None:
    book = Book(Documents(site.client, site.store.prefix, KIND))
    known = book.get(watching.ALERT)
    assert known is not None
    opened = known.alert.opened + timedelta(minutes=1)
    for number in range(70):
        first = opened - timedelta(minutes=number * 37 % 70)
        key = f"{number:024x}"
        book.create(replace(known.alert, id=f"{key}-1", key=key, opened=opened, first=first, last=opened))
    alerts: Alerts = site.app.extensions["audit-alerts"]
    auditor, seen, older = Reader("auditor", Scope(TEST)), list[datetime](), ""
    while True:
        inbox = alerts.inbox(auditor, Wanted(state="all", before=older))
        seen += [each.first for each in inbox.alerts if each.opened == opened]
        older = inbox.older
        if not older:
            break
    assert len(seen) == 70
    assert seen == sorted(seen, reverse=True)
