"""A week's review from the list to the signed PDF, in a real browser, without script."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from pypdf import PdfReader

from tests.support import events
from tests.support.events import TEST
from tests.support.web import KEY, PASSWORD, Site
from webui.exports.assembly import make_worker
from webui.reviews.assembly import Neighbours, make_opening, makers
from webui.reviews.plan import PlanForm
from webui.reviews.service import Reviews
from webui.trail import Trail

WAIT_MS = 20_000
TITLE = "Weekly review, week 48 of 2026"
WHY = "Nobody else is here this week."
TUESDAY = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def week(site: Site) -> None:
    """The samples, a role that somebody got, a plan of that week; then the week is over, and a day more."""
    given = {"event.category": "users", "event.action": "role_changed", "message": "li became administrator"}
    events.load(site.client, site.store.prefix, [events.document(300, given)])
    reviews: Reviews = site.app.extensions["audit-reviews"]
    site.clock.ahead = events.MORNING - datetime.now(UTC)
    reviews.plans.add(TEST, PlanForm(reviewers="auditor: Sofia User"))
    site.clock.ahead = TUESDAY - datetime.now(UTC)
    trail = Trail(site.trail_path, site.clock)
    opening = make_opening(site.client, site.store.prefix, trail, site.clock, Neighbours())
    while opening.work():
        pass


@pytest.fixture
def page(chromium: Browser, served: str, week: None) -> Iterator[Page]:  # noqa: ARG001  the week comes first
    """An auditor's page, which complains about nothing."""
    context = chromium.new_context(base_url=served, java_script_enabled=False, locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        # The browser says so of every answer that is none of 200 or 303; one is asked for on purpose.
        if message.type == "error" and "400 (BAD REQUEST)" not in message.text:
            complaints.append(message.text)

    page.on("console", complain)
    page.goto("/sign-in?next=/")
    page.get_by_label("Name").fill("auditor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()
    assert complaints == []


def test_a_person_reviews_the_week_signs_it_and_takes_the_pdf(page: Page, site: Site, tmp_path: Path) -> None:
    page.get_by_role("link", name="Reviews", exact=True).click()
    page.get_by_role("link", name=TITLE).click()
    expect(page.locator(".callout.warned")).to_contain_text("are of auditor (you)")
    evidence = what_the_number_counts(page)
    write_finding(page, evidence)
    # Until the rest is looked at there is no signature.
    sign(page)
    expect(page.get_by_role("alert")).to_contain_text("“Failed logins” has not been looked at yet.")
    page.get_by_label("State of Failed logins").select_option("looked at")
    page.get_by_label("Note on Failed logins").fill("A forgotten password.")
    page.get_by_role("button", name="Save Failed logins").click()
    sign(page)
    signed = page.locator("#signed")
    expect(signed).to_contain_text(WHY)
    sha256 = signed.locator("code").inner_text()
    assert len(sha256) == 64
    for name in ("Save Failed logins", "Add the finding", "Sign off", "Count again"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    text = pdf_of(page, site, tmp_path)
    for said in ("Nobody asked for this role.", "A forgotten password.", WHY, sha256):
        assert said in text
    assert "Not signed yet" not in text


def what_the_number_counts(page: Page) -> str:
    """Follow the number of an item to its one event; the address of that."""
    page.get_by_role("link", name="Permissions and roles: 1, look at them").click()
    expect(page.locator("li.event")).to_have_count(1)
    expect(page.locator("li.event")).to_contain_text("li became administrator")
    page.locator("li.event a.when").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("li became administrator")
    return page.url


def write_finding(page: Page, evidence: str) -> None:
    page.goto("/reviews")
    page.get_by_role("link", name=TITLE).click()
    page.get_by_text("Add a finding").focus()
    page.keyboard.press("Enter")
    page.get_by_label("What was found").fill("Nobody asked for this role.")
    page.get_by_label("Found at").select_option("Permissions and roles")
    page.get_by_label("Severity").select_option("high")
    page.get_by_label("Responsible").fill("Li Wei")
    page.get_by_label("Events it rests on").fill(evidence)
    page.get_by_role("button", name="Add the finding").click()
    finding = page.get_by_role("article", name="Finding 1")
    expect(finding).to_contain_text("Nobody asked for this role.")
    finding.get_by_role("link").click()
    assert page.url == evidence
    page.go_back()
    expect(page.get_by_label("State of Permissions and roles")).to_have_value("finding")


def sign(page: Page) -> None:
    page.get_by_label("Why you review events of your own").fill(WHY)
    page.get_by_label("Your password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Sign off").click()


def pdf_of(page: Page, site: Site, folder: Path) -> str:
    page.get_by_role("button", name="Export as PDF").click()
    expect(page.locator(".export").first).to_contain_text(TITLE)
    work(site)
    page.get_by_role("link", name="Refresh").click()
    with page.expect_download() as downloading:
        page.locator(".export").first.get_by_role("link", name="Download").click()
    file = folder / downloading.value.suggested_filename
    downloading.value.save_as(file)
    return " ".join(" ".join(each.extract_text() for each in PdfReader(file).pages).split())


def work(site: Site) -> None:
    made = makers(site.client, site.store.prefix, site.clock)
    worker = make_worker(
        site.settings,
        site.client,
        site.store.prefix,
        key=KEY,
        stopping=threading.Event(),
        now=site.clock,
        makers=made,
    )
    while worker.work():
        pass
