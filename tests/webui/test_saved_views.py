"""Saved views: private, shared in the tenant, and the one to begin with."""

import html
import re

import pytest
from flask.testing import FlaskClient

from tests.support.web import Site, token

ASKED = "category=orders&not_action=created"


def save(browser: FlaskClient, name: str, query: str = ASKED, **more: str) -> int:
    form = {"csrf_token": token(browser, "/activity?view="), "name": name, "query": query, **more}
    return browser.post("/activity/views", data=form).status_code


def names(browser: FlaskClient) -> list[str]:
    page = browser.get("/activity?view=").text
    sheet = page.partition('class="views-sheet"')[2].partition('class="save-view"')[0]
    return [html.unescape(name) for name in re.findall(r'<a href="/activity\?[^>]*>([^<]+)</a>', sheet)]


def view_id(browser: FlaskClient) -> str:
    found = re.search(r"/activity/views/([^/\"]+)/default", browser.get("/activity?view=").text)
    assert found
    return found[1]


def send(browser: FlaskClient, path: str) -> int:
    return browser.post(path, data={"csrf_token": token(browser, "/activity?view=")}).status_code


def test_a_private_view_is_its_owners(own_site: Site) -> None:
    owner, auditor = own_site.signed_in("owner"), own_site.signed_in("auditor")
    assert save(owner, "Changed orders") == 303
    assert names(owner) == ["Changed orders"]
    assert names(auditor) == []
    for path in (f"/activity/views/{view_id(owner)}/delete", f"/activity/views/{view_id(owner)}/default"):
        assert send(auditor, path) == 404


def test_a_shared_view_is_the_tenants_and_nobody_elses(own_site: Site) -> None:
    owner, auditor = own_site.signed_in("owner"), own_site.signed_in("auditor")
    assert save(auditor, "Night shift", shared="1") == 303
    assert names(owner) == ["Night shift"]
    for other in ("stranger", "operator"):
        assert names(own_site.signed_in(other)) == []
    assert send(own_site.signed_in("stranger"), f"/activity/views/{view_id(owner)}/default") == 404
    assert send(owner, f"/activity/views/{view_id(owner)}/delete") == 404, "only its owner, or an admin"
    assert send(auditor, f"/activity/views/{view_id(owner)}/delete") == 303
    assert names(owner) == []


def test_a_viewer_shares_nothing(own_site: Site) -> None:
    owner = own_site.signed_in("owner")
    assert save(owner, "Mine", shared="1") == 303
    assert names(own_site.signed_in("auditor")) == []


def test_the_activity_log_begins_with_the_view_that_was_chosen(own_site: Site) -> None:
    owner = own_site.signed_in("owner")
    assert owner.get("/activity").status_code == 200
    assert save(owner, "Changed orders", default="1") == 303
    assert owner.get("/activity").location == f"/activity?{ASKED}"
    assert owner.get("/activity?view=").status_code == 200
    assert own_site.signed_in("auditor").get("/activity").status_code == 200
    assert send(owner, f"/activity/views/{view_id(owner)}/default") == 303
    assert owner.get("/activity").status_code == 200


def test_saving_under_the_same_name_replaces(own_site: Site) -> None:
    owner = own_site.signed_in("owner")
    save(owner, "Mine")
    save(owner, " Mine ", "category=users")
    assert names(owner) == ["Mine"]
    assert "category=users" in owner.get("/activity?view=").text


@pytest.mark.parametrize(
    ("name", "query"), [("", ASKED), ("x" * 81, ASKED), ("x", "category=nosuch"), ("x", "usr=anna")]
)
def test_what_cannot_be_asked_or_named_is_not_saved(site: Site, name: str, query: str) -> None:
    assert save(site.signed_in("owner"), name, query) == 400


def test_saving_is_recorded(own_site: Site) -> None:
    save(own_site.signed_in("owner"), "Mine")
    entry = own_site.trail()[-1]
    assert entry["Action"] == "configured"
    assert "owner saved the view “Mine” for themselves: All activity in orders" in str(entry["Message"])


def test_a_view_is_replaced_also_when_there_are_as_many_as_there_may_be(
    own_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.search.saved.MAX_VIEWS_COUNT", 1)
    owner = own_site.signed_in("owner")
    assert save(owner, "Mine") == 303
    assert save(owner, "Another") == 400
    assert save(owner, "Mine", query="category=users") == 303
    assert "/activity?category=users" in owner.get("/activity?view=").text
