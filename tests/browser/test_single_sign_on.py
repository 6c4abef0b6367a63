"""Somebody signs in with their company's account, in a real browser, signs a review by it, and out again."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from indexer.query import Scope
from tests.support.events import TEST
from tests.support.provider import RunningProvider, running_provider
from tests.support.serving import on_loopback
from tests.support.store import Store
from tests.support.web import Site, build
from webui.access import Role
from webui.reviews.plan import PlanForm
from webui.reviews.service import Reviews
from webui.reviews.week import Week
from webui.tenancy import Reader

ANNA = "anna@test001.example"


@pytest.fixture
def page(chromium: Browser, served: tuple[Site, str]) -> Iterator[Page]:
    """A browser at the site that nobody signed in to."""
    context = chromium.new_context(base_url=served[1])
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def provider() -> Iterator[RunningProvider]:
    with running_provider() as found:
        found.know("anna", email=ANNA, email_verified=True)
        yield found


@pytest.fixture
def served(provider: RunningProvider, store: Store, tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """A site at which Anna is an auditor without a password, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    site = build(store, tmp_path, change=provider.client(tmp_path, address))
    site.accounts.add(ANNA, Role.AUDITOR, TEST, None)
    with contextlib.closing(site.client), on_loopback(site.app, port):
        yield site, address


def sign_in_there(page: Page) -> None:
    page.locator("input[name=sub]").fill("anna")
    page.locator("input[name=sub]").press("Enter")


def test_somebody_signs_in_by_single_sign_on_and_out_there_too(
    page: Page, provider: RunningProvider, served: tuple[Site, str]
) -> None:
    page.goto("/activity?outcome=failure")
    page.get_by_role("link", name="Sign in with Example ID").click()
    expect(page).to_have_url(re.compile(re.escape(provider.issuer)))
    sign_in_there(page)
    expect(page.get_by_role("heading", name="Activity Log")).to_be_visible()
    assert page.url == f"{served[1]}/activity?outcome=failure"
    page.goto("/account")
    expect(page.get_by_text("signed in with Example ID")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("link", name="sign out there, too").click()
    expect(page).to_have_url(re.compile(re.escape(f"{provider.issuer}/oauth2/end_session")))


def test_somebody_without_a_password_signs_a_review_after_signing_in_once_more(
    page: Page, provider: RunningProvider, served: tuple[Site, str]
) -> None:
    reviews: Reviews = served[0].app.extensions["audit-reviews"]
    anna = Reader(ANNA, Scope(TEST))
    plan = reviews.plans.add(TEST, PlanForm(reviewers=ANNA))
    made = reviews.open_week(plan, Week(2026, 48), "week", "schedule")
    assert made
    for item in made.items:
        reviews.look_at(anna, "week", item.key, "looked at", "")
    page.goto("/reviews/week")
    page.get_by_role("link", name="Sign in with Example ID").click()
    sign_in_there(page)
    provider.know("anna", email=ANNA, email_verified=True, auth_time=time.time() + 60)
    page.get_by_role("link", name="Sign in with Example ID once more").click()
    expect(page).to_have_url(re.compile(re.escape(provider.issuer)))
    sign_in_there(page)
    expect(page.get_by_text("good for one signature")).to_be_visible()
    page.get_by_role("button", name="Sign off").click()
    expect(page.get_by_role("heading", name="Signed")).to_be_visible()
    note = page.get_by_role("link", name="Sign in with Example ID once more")
    expect(note).to_be_visible()
