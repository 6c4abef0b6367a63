"""Somebody signs in with their company's account, in a real browser, and out again."""

import contextlib
import re
import socket
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.events import TEST
from tests.support.provider import RunningProvider, running_provider
from tests.support.serving import on_loopback
from tests.support.store import Store
from tests.support.web import build
from webui.access import Role


def test_somebody_signs_in_by_single_sign_on_and_out_there_too(
    chromium: Browser, store: Store, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with running_provider() as provider:
        site = build(store, tmp_path, change=provider.client(tmp_path, address))
        site.accounts.add("anna@test001.example", Role.AUDITOR, TEST, None)
        provider.know("anna", email="anna@test001.example", email_verified=True)
        with contextlib.closing(site.client), on_loopback(site.app, port):
            sign_in_and_out(chromium, address, provider)


def sign_in_and_out(chromium: Browser, address: str, provider: RunningProvider) -> None:
    context = chromium.new_context(base_url=address)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/activity?outcome=failure")
    page.get_by_role("link", name="Sign in with Example ID").click()
    expect(page).to_have_url(re.compile(re.escape(provider.issuer)))
    page.locator("input[name=sub]").fill("anna")
    page.locator("input[name=sub]").press("Enter")
    expect(page.get_by_role("heading", name="Activity Log")).to_be_visible()
    assert page.url == f"{address}/activity?outcome=failure"
    page.goto("/account")
    expect(page.get_by_text("signed in with Example ID")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("link", name="sign out there, too").click()
    expect(page).to_have_url(re.compile(re.escape(f"{provider.issuer}/oauth2/end_session")))
    context.close()
