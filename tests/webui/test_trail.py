"""What people do here comes back through the real agent, under `audit`."""

import html
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support import events
from tests.support.events import NORD, TEST
from tests.support.sample_site import serving
from tests.support.store import Store
from tests.support.web import HASHER, KEY, PASSWORD, Site, sign_in, token
from webui.app import create_app
from webui.settings import WebSettings


def text(page: str) -> str:
    bare = re.sub(r"<(script|style|title|option)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(bare))


def test_what_people_do_appears_in_the_activity_log(store: Store, tmp_path: Path) -> None:
    empty = tmp_path / "samples"
    empty.mkdir()
    with serving(store, tmp_path, empty) as site:
        settings = WebSettings(trail_file=tmp_path / "trail.log", secret_key_file=tmp_path / "secret.key")
        app = create_app(settings, site.client, store.prefix, KEY, hasher=HASHER)
        anna = app.test_client()
        assert sign_in(app.test_client(), "anna", "a wrong password") == 401
        assert sign_in(anna, "anna") == 303
        anna.get("/activity?category=orders")
        assert anna.get("/history/SalesOrder/nosuch").status_code == 404
        form = {"csrf_token": token(anna, "/activity?view="), "name": "Orders", "query": "category=orders"}
        assert anna.post("/activity/views", data=form).status_code == 303
        assert anna.post("/sign-out", data={"csrf_token": form["csrf_token"]}).status_code == 303
        site.ship()
        assert sign_in(anna, "anna") == 303
        page = text(anna.get("/activity?category=audit").text)
        for said in (
            "anna signed in",
            "searched All activity in orders, at any time, bookkeeping left out.",
            "found nothing at /history/SalesOrder/nosuch",
            "saved the view “Orders” for themselves",
            "anna signed out",
        ):
            assert said in page, page
        assert PASSWORD not in (tmp_path / "trail.log").read_text("utf-8")
        failed = text(signed_in_operator(app.test_client()).get("/activity?action=sign_in_failed").text)
        assert "anna" in failed


def signed_in_operator(browser: FlaskClient) -> FlaskClient:
    assert sign_in(browser, "otto") == 303
    return browser


@pytest.mark.parametrize(
    "path",
    [
        f"/activity/{events.sample()[3]['event']['id']}",
        f"/activity?tenant={TEST}",
        "/history/Product/nosuch",
        "/users/nobody",
    ],
)
def test_an_attempt_that_was_answered_404_is_recorded(own_site: Site, path: str) -> None:
    stranger = own_site.signed_in("stranger")
    assert stranger.get(path).status_code == 404
    entry = own_site.trail()[-1]
    assert (entry["UserName"], entry["Outcome"], entry["StatusCode"]) == ("stranger", "failure", 404)
    assert entry["TenantId"] == NORD
    assert f"stranger found nothing at {path}" == entry["Message"]
