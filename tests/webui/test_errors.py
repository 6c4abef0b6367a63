"""What goes wrong is said, with what to do; never how the inside looks."""

import logging
import re
from pathlib import Path

import pytest
from flask import Flask

from indexer.client import connect
from indexer.documents import Documents, Stored
from indexer.settings import StoreSettings
from tests.support.store import Store
from tests.support.web import HASHER, KEY, Site, sign_in, token
from webui.app import create_app
from webui.search import saved as saved_views
from webui.settings import WebSettings

NOWHERE = "http://127.0.0.1:9"


def app_on(url: str, prefix: str, folder: Path) -> Flask:
    client = connect(StoreSettings(opensearch_url=url, index_prefix=prefix))
    settings = WebSettings(trail_file=folder / "trail.log")
    return create_app(settings, client, prefix, KEY, hasher=HASHER)


@pytest.fixture
def away(tmp_path: Path) -> Flask:
    return app_on(NOWHERE, "smartwms", tmp_path)


def test_a_store_that_is_away_is_503_with_an_id_that_the_log_has_too(
    away: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    browser = away.test_client()
    form = {"csrf_token": token(browser), "name": "anna", "password": "x", "next": "/"}
    with caplog.at_level(logging.ERROR):
        answer = browser.post("/sign-in", data=form)
    assert answer.status_code == 503
    assert "The event store does not answer" in answer.text
    assert "Traceback" not in answer.text
    assert NOWHERE not in answer.text
    error_id = re.search(r"<code>([0-9a-f]{8})</code>", answer.text)
    assert error_id
    assert error_id[1] in caplog.text
    assert NOWHERE in caplog.text


def test_a_store_that_goes_away_is_503_for_who_is_signed_in(site: Site, tmp_path: Path) -> None:
    browser = site.signed_in("owner")
    cookie = browser.get_cookie("audit_session")
    assert cookie is not None
    gone = app_on(NOWHERE, site.store.prefix, tmp_path).test_client()
    gone.set_cookie("audit_session", cookie.value)
    assert gone.get("/activity").status_code == 503
    assert gone.get("/sign-in").status_code == 503
    with gone.get("/static/audit.css") as answer:
        assert answer.status_code == 200


def test_a_store_that_was_never_prepared_is_503(store: Store, tmp_path: Path) -> None:
    browser = app_on(store.url, store.prefix, tmp_path).test_client()
    assert sign_in(browser, "anna") == 503


def test_nothing_is_shown_that_cannot_be_recorded(own_site: Site) -> None:
    browser = own_site.signed_in("owner")
    own_site.trail_path.unlink()
    own_site.trail_path.mkdir()
    answer = browser.get("/activity")
    assert answer.status_code == 503
    assert "cannot be recorded" in answer.text
    assert "SKU-" not in answer.text


def test_whoever_is_second_is_told_so(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = own_site.signed_in("owner")
    views = Documents(own_site.client, own_site.store.prefix, saved_views.KIND)
    form = {"csrf_token": token(browser, "/activity?view="), "name": "Mine", "query": "outcome=failure"}
    assert browser.post("/activity/views", data=form).status_code == 303
    (view,) = views.find()
    read = Documents.get

    def overtaken(documents: Documents, document_id: str) -> Stored | None:
        stored = read(documents, document_id)
        if stored is not None and documents.index == views.index:
            documents.replace(stored, stored.source)
        return stored

    with monkeypatch.context() as patched:
        patched.setattr(Documents, "get", overtaken)
        answer = browser.post(f"/activity/views/{view.id}/delete", data=form)
    assert answer.status_code == 409
    assert "Somebody else changed this at the same moment" in answer.text
    assert browser.post(f"/activity/views/{view.id}/delete", data=form).status_code == 303


def test_a_mistake_of_ours_is_500_without_its_inside(
    own_site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = own_site.signed_in("owner")

    def broken(*_arguments: object) -> None:
        raise KeyError("secret inside")

    monkeypatch.setattr(own_site.app.extensions["audit-activity"], "page", broken)
    with caplog.at_level(logging.ERROR):
        answer = browser.get("/activity")
    assert answer.status_code == 500
    assert "secret inside" not in answer.text
    assert "secret inside" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nosuch", 404), ("DELETE", "/activity", 405), ("GET", "/sign-out", 405)],
)
def test_what_cannot_be_done_is_said_in_words(site: Site, method: str, path: str, status: int) -> None:
    answer = site.browser().open(path, method=method)
    assert answer.status_code == status
    assert "<h1>" in answer.text


def test_a_form_that_is_too_large_is_refused(site: Site) -> None:
    browser = site.browser()
    answer = browser.post("/sign-in", data={"csrf_token": "x", "name": "x" * 100_000})
    assert answer.status_code == 413


def test_every_page_carries_the_headers(site: Site) -> None:
    for path in ("/sign-in", "/nosuch", "/activity"):
        headers = site.browser().get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
