"""The first page on real events."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from indexer import tenants
from tests.support import events
from tests.support.events import MORNING, NORD, TEST
from tests.support.web import Site


@pytest.fixture(scope="module")
def browser(site: Site) -> FlaskClient:
    # The sample is of one morning; the page looks back from the clock.
    site.clock.ahead = MORNING + timedelta(hours=2) - datetime.now(UTC)
    return site.signed_in("owner")


def text(page: str) -> str:
    bare = re.sub(r"<(script|style|title|option)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(bare))


def links(page: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'href="(/activity[^"]*)"', page)]


def test_sums_up_what_happened(browser: FlaskClient) -> None:
    seen = text(browser.get("/?range=24h").text)
    assert "Events 9 Changes 6 Failed 2 Failed logins 1" in seen
    assert "Top users sofia User" in seen
    assert "Failed logins 198.51.100.24 1" in seen


def test_every_link_leads_to_events_that_can_be_shown(browser: FlaskClient) -> None:
    found = links(browser.get("/?range=24h").text)
    assert len(found) > 10
    assert {browser.get(link).status_code for link in found} == {200}


def test_the_three_searches_say_what_the_logs_cannot_tell(browser: FlaskClient) -> None:
    seen = text(browser.get("/?range=24h").text)
    assert "All actions by a user" in seen
    assert "2 of 9 events here name no user" in seen
    assert "All changes to an order" in seen
    assert "All failed logins" in seen
    assert "1 of 1 name nobody" in seen
    assert seen.count("docs/smartwms.md") == 3


def test_says_what_the_plan_keeps_from_what_enforces_it(own_site: Site) -> None:
    now = own_site.clock()
    later = (now + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    tenants.put(
        own_site.client, own_site.store.prefix, TEST,
        name="Test Warehouse", zone="Europe/Stockholm", hours="07:00-18:00",
        plan="business", start=later, days=None, now=now,
    )  # fmt: skip
    own_site.clock.ahead = timedelta(minutes=1)
    seen = text(own_site.signed_in("owner").get("/").text)
    assert "enterprise 365 days back to" in seen
    assert "then business from" in seen
    own_site.clock.ahead = timedelta(days=3)
    assert "business 90 days back to" in text(own_site.signed_in("owner").get("/").text)


def test_an_operator_sees_every_tenants_plan_and_can_choose_one(site: Site) -> None:
    operator = site.signed_in("operator")
    seen = text(operator.get("/").text)
    assert "Nord Logistik enterprise" in seen
    assert "Test Warehouse enterprise" in seen
    assert "Test Warehouse" not in text(operator.get(f"/?tenant={NORD}").text)


def test_nothing_lately_says_when_the_newest_was(own_site: Site) -> None:
    own_site.clock.ahead = timedelta(days=300)
    seen = text(own_site.signed_in("owner").get("/").text)
    assert "Nothing in this range; the newest event is of 23 Nov 2026" in seen


def test_a_range_that_is_not_offered_is_400(browser: FlaskClient) -> None:
    assert browser.get("/?range=forever").status_code == 400


def test_looking_is_recorded(own_site: Site) -> None:
    own_site.signed_in("owner").get("/")
    assert own_site.trail()[-1]["Action"] == "viewed"
    assert own_site.trail()[-1]["TenantId"] == events.TEST
