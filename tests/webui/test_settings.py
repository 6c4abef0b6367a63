"""Settings, the secret's file, and the app that refuses an unmarked route."""

from pathlib import Path

import pytest

from indexer import settings as indexer_settings
from indexer.client import connect
from indexer.errors import SettingsError
from indexer.settings import StoreSettings
from tests.support.store import Store
from tests.support.web import KEY, Site, build, sign_in, token
from webui import access
from webui.app import create_app
from webui.settings import WebSettings, secret_key


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_WEBUI_TRIAL_FILE", "x")
    with pytest.raises(SettingsError, match="did you mean AUDIT_WEBUI_TRAIL_FILE"):
        indexer_settings.load(WebSettings)


class TestSecret:
    """Made at the first start, for its owner's eyes."""

    def test_is_made_once(self, tmp_path: Path) -> None:
        path = tmp_path / "deeper" / "secret.key"
        made = secret_key(path)
        assert len(made) == 64
        assert path.stat().st_mode & 0o777 == 0o600
        assert secret_key(path) == made

    def test_a_short_one_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.key"
        path.write_text("short\n", encoding="utf-8")
        with pytest.raises(SettingsError, match=r"AUDIT_WEBUI_SECRET_KEY_FILE .* 5 bytes"):
            secret_key(path)

    def test_an_unreadable_place_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x", encoding="utf-8")
        with pytest.raises(SettingsError, match="AUDIT_WEBUI_SECRET_KEY_FILE"):
            secret_key(tmp_path / "file" / "secret.key")


def test_a_view_that_does_not_say_who_it_is_for_stops_the_start(tmp_path: Path) -> None:
    settings = WebSettings(trail_file=tmp_path / "trail.log")
    app = create_app(settings, connect(StoreSettings()), "smartwms", KEY)
    app.add_url_rule("/open", "open", lambda: "x")
    with pytest.raises(RuntimeError, match="'open' does not say who it is for"):
        access.guard(app)


def test_behind_tls_cookies_are_secure_and_http_is_left(store: Store, tmp_path: Path) -> None:
    site = build(
        store, tmp_path, change=lambda each: each.model_copy(update={"tls": True, "trusted_proxies": 1})
    )
    browser = site.browser()
    assert browser.get("/sign-in").status_code == 302
    through = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9, 203.0.113.50"}
    answer = browser.get("/sign-in", headers=through)
    assert answer.status_code == 200
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    site.client.close()


def test_only_a_trusted_proxy_says_where_somebody_is(site: Site) -> None:
    browser = site.browser()
    form = {"csrf_token": token(browser), "name": "owner", "password": "wrong"}
    browser.post("/sign-in", data=form, headers={"X-Forwarded-For": "198.51.100.9"})
    assert site.trail()[-1]["IpAddress"] == "127.0.0.1"
    assert sign_in(browser, "owner") == 303
