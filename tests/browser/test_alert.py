"""An alert from the log to the pager and back, with the product in its own processes and a real browser."""

import contextlib
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Page, expect

from indexer.client import connect
from tests.support.product import Product, running
from tests.support.receiver import Receiver, receiving
from tests.support.serving import on_loopback
from tests.support.store import Store
from tests.support.web import HASHER, PASSWORD, Clock
from webui.app import create_app, reviews_neighbours
from webui.reviews.assembly import make_opening
from webui.settings import WebSettings, secret_key
from webui.trail import Trail

WAIT_MS = 30_000
ATTACKER = "203.0.113.66"
A_MINUTE = 60


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with receiving(tmp_path / "receiver") as one:
        yield one


@pytest.fixture
def product(store: Store, tmp_path: Path) -> Iterator[Product]:
    with running(store, tmp_path, AUDIT_WEBHOOK_NETWORKS="127.0.0.1/32") as one:
        yield one


@pytest.fixture
def page(chromium: Browser, product: Product) -> Iterator[Page]:
    """An administrator's page, which complains about nothing."""
    context = chromium.new_context(base_url=product.address, locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, "anna")
    yield page
    context.close()
    assert complaints == []


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def plan_review(page: Page) -> None:
    """Have somebody else look back at each week."""
    page.goto("/reviews/plans")
    form = page.locator("form.review-form")
    form.get_by_label("Name", exact=True).fill("Week of the warehouse")
    form.get_by_label(re.compile("Reviewers")).fill("berit")
    form.get_by_role("button", name="Plan it").click()
    expect(page.get_by_role("link", name="Week of the warehouse")).to_be_visible()


def make_channel(page: Page, receiver: Receiver) -> str:
    """Add a webhook; its secret, as the page shows it."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Channels").click()
    form = page.locator("section", has_text="Add a webhook")
    form.get_by_label("Name").fill("Pager")
    form.get_by_label("Address").fill(receiver.url("/ok"))
    form.get_by_role("button", name="Add webhook").click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_role("button", name="Send a test").click()
    # The list renews itself while the test is under way.
    expect(page.locator("#log").get_by_text("delivered")).to_be_visible()
    return secret


def make_monitor(page: Page) -> None:
    """Watch for failed logins, with the usual numbers, and tell the channel."""
    page.goto("/monitors/new?template=failed_logins")
    page.get_by_label("Name").fill("Failed logins")
    page.get_by_label("Pager").check()
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("link", name="Failed logins").first).to_be_visible()


def failed_login(moment: datetime, number: int) -> bytes:
    """Give the line that SmartWMS writes of one."""
    request = f"0HNQ95ATOEJ{number:02}:00000001"
    line = {
        "@t": moment.isoformat().replace("+00:00", "Z"),
        "@mt": "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms",
        "@tr": f"{number:032x}",
        "@sp": f"{number:016x}",
        "TenantId": None,
        "UserId": None,
        "UserName": None,
        "ClientIP": ATTACKER,
        "UserAgent": "curl/8.5.0",
        "QueryString": "",
        "RequestMethod": "POST",
        "RequestPath": "/api/v1/auth/login",
        "StatusCode": 401,
        "Elapsed": 103.1,
        "SourceContext": "Serilog.AspNetCore.RequestLoggingMiddleware",
        "RequestId": request,
        "ConnectionId": request.partition(":")[0],
    }
    return orjson.dumps(line) + b"\n"


def alerts(receiver: Receiver) -> list[dict[str, Any]]:
    return [each for each in receiver.requests() if json.loads(each["body"])["type"] == "alert.opened"]


def test_five_failed_logins_reach_the_pager_within_a_minute_and_end_in_the_review(
    page: Page, product: Product, receiver: Receiver, store: Store, chromium: Browser
) -> None:
    plan_review(page)
    secret = make_channel(page, receiver)
    make_monitor(page)
    now = datetime.now(UTC)
    with product.log.open("ab") as log:
        for number in range(5):
            log.write(failed_login(now - timedelta(seconds=5 - number), number))
    product.until(lambda: alerts(receiver), A_MINUTE)
    [told] = alerts(receiver)
    signed = hmac.new(secret.encode(), told["body"].encode(), hashlib.sha256).hexdigest()
    assert told["headers"]["X-SmartWMS-Signature"] == signed
    message = json.loads(told["body"])
    assert ATTACKER in message["data"]["title"]
    triage(page, message["data"]["link"])
    assert len(alerts(receiver)) == 1, "told once"
    with a_week_later(product, store) as address:
        review(chromium, address)


def triage(page: Page, link: str) -> None:
    """Follow the link of the message, look at the evidence, acknowledge, close."""
    page.goto(link)
    expect(page.locator("li.event")).to_have_count(5)
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_label(re.compile("^real", re.IGNORECASE)).check()
    page.get_by_label("Note").fill("Blocked at the firewall.")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("Blocked at the firewall.")).to_be_visible()
    page.goto("/alerts?state=closed")
    expect(page.get_by_role("link", name=re.compile(re.escape(ATTACKER)))).to_be_visible()


@contextlib.contextmanager
def a_week_later(product: Product, store: Store) -> Iterator[str]:
    """The same installation when the week is over and its review was opened by the schedule: its address."""
    clock = Clock(timedelta(days=8))
    client = connect(store.settings)
    settings = WebSettings(
        secret_key_file=product.folder / "secret.key", trail_file=product.folder / "trail.log"
    )
    neighbours = reviews_neighbours(settings, client, store.prefix)
    trail = Trail(settings.trail_file, clock)
    assert make_opening(client, store.prefix, trail, clock, neighbours).work(), "there is a week to review"
    key = secret_key(settings.secret_key_file)
    app = create_app(settings, client, store.prefix, key, now=clock, hasher=HASHER)
    with contextlib.closing(client), on_loopback(app) as address:
        yield address


def review(chromium: Browser, address: str) -> None:
    """Find the five logins and their alert on the checklist of the weekly review."""
    context = chromium.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    sign_in(page, "berit")
    page.goto("/reviews")
    page.get_by_role("link", name=re.compile("Week of the warehouse")).click()
    expect(page.locator("#item-failed_logins .review-count")).to_have_text("5")
    expect(page.locator("#item-alerts .review-count")).to_have_text("1")
    page.locator("#item-alerts .review-count a").click()
    expect(page.get_by_role("link", name=re.compile(re.escape(ATTACKER)))).to_be_visible()
    context.close()
