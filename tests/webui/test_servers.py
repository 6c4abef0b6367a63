"""Events by the server that they happened on: the same by page, facet, API and export."""

import html
import re

import pytest
from flask.testing import FlaskClient

from tests.support import events
from tests.support.events import TEST
from tests.support.web import Site
from webui.access import Role
from webui.api.keys import Keys

MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module")
def browser(site: Site) -> FlaskClient:
    named = {900: "wms_app_01", 901: "wms_app_01", 902: "wms_app_02"}
    made = [events.document(number, {"host": {"name": name}}) for number, name in named.items()]
    events.load(site.client, site.store.prefix, made)
    return site.signed_in("auditor")


def seen(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def event_count(page: str) -> int:
    return len(re.findall(r'<li class="event ', page))


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("server=wms_app_01", 2),
        ("server=WMS_APP_02", 1),
        ("server=wms_*", 3),
        ("server=wms_app_01&server=wms_app_02", 3),
        ("server=wms_*&not_server=wms_app_01", 1),
    ],
)
def test_one_or_several_are_asked_for_or_left_out_by_page_api_and_export(
    site: Site, browser: FlaskClient, asked: str, count: int
) -> None:
    keys: Keys = site.app.extensions["audit-keys"]
    keys.prepare()
    _, key = keys.add("reporting", Role.VIEWER, TEST, 1)
    headers = {"Authorization": f"Bearer {key}"}

    assert event_count(browser.get(f"/activity?{asked}").text) == count
    assert len(site.browser().get(f"/api/v1/events?{asked}", headers=headers).get_json()["events"]) == count
    assert f"{count} event{'s' if count != 1 else ''}" in seen(browser.get(f"/exports/new?{asked}").text)


def test_the_facet_counts_each_and_leads_to_its_events(browser: FlaskClient) -> None:
    page = browser.get("/activity/counts?server=wms_*").text
    facet = re.search(r"<h2>Server</h2>.*?</section>", page, re.DOTALL)

    assert facet
    assert seen(facet[0]).replace(MINUS, "-") == "Server vm 9 - wms_app_01 2 - wms_app_02 1 -"
    link = re.search(r'href="([^"]+)"\s+title="Only wms_app_01"', facet[0])
    assert link
    assert event_count(browser.get(html.unescape(link[1])).text) == 2


def test_the_page_of_an_event_leads_to_the_others_of_its_server(browser: FlaskClient) -> None:
    event = browser.get(f"/activity/{events.document(900)['event']['id']}").text
    (link,) = re.findall(r'href="(/activity\?server=[^"]+)"', event)

    assert event_count(browser.get(html.unescape(link)).text) == 2


def test_names_are_said_as_they_are(browser: FlaskClient) -> None:
    page = seen(browser.get("/activity?server=wms_app_01&not_user=svc_backup&action=status_changed").text)

    assert "with action status changed on server wms_app_01" in page
    assert "not by svc_backup" in page
    assert "server: wms_app_01" in page
    assert "not user: svc_backup" in page
    assert "action: status changed" in page
