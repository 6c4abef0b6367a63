"""What an auditor came for: each report, the events behind its numbers, its files; also without script."""

import csv
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.support import events
from tests.support.serving import on_loopback
from tests.support.web import KEY, PASSWORD, Site
from webui.exports import manifest
from webui.exports.assembly import make_worker
from webui.reports.assembly import makers
from webui.reports.definitions import DEFINITIONS

WAIT_MS = 40_000
DAY = "2026-11-23T00:00"
NEXT_DAY = "2026-11-24T00:00"


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    """The site behind a server, with a setting that was changed and a role that was given."""
    changed = {
        "event.category": "configuration",
        "entity": {"type": "SystemSetting", "number": "LockoutMinutes"},
    }
    given = {
        "event.category": "users",
        "event.action": "role_changed",
        "entity": {"type": "ApplicationUser", "id": events.LI["id"], "number": events.LI["email"]},
    }
    values = {"change.fields": ["Value"], "change.before": {"Value": "15"}, "change.after": {"Value": "5"}}
    events.load(
        site.client,
        site.store.prefix,
        [events.document(500, changed | values), events.document(501, given)],
    )
    site.clock.ahead = max(site.clock.ahead, events.MORNING + timedelta(days=1) - datetime.now(UTC))
    with on_loopback(site.app) as address:
        yield address


@pytest.fixture(params=["script", "no script"])
def page(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An auditor's page, which complains about nothing."""
    context = chromium.new_context(
        base_url=address, java_script_enabled=request.param == "script", locale="en-GB"
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/sign-in?next=/reports")
    page.get_by_label("Name").fill("auditor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Audit reports")).to_be_visible()
    yield page
    context.close()
    assert complaints == []


def generate(page: Page, title: str) -> None:
    """Choose a report of the day of the samples, and generate it."""
    page.goto("/reports")
    page.get_by_role("link", name=title, exact=True).click()
    page.get_by_label("Period").select_option("custom")
    page.get_by_label("From", exact=True).fill(DAY)
    page.get_by_label("To", exact=True).fill(NEXT_DAY)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".report-facts")).to_contain_text("23 Nov 2026, 00:00 until 24 Nov 2026, 00:00")


def test_each_report_leads_to_the_events_behind_its_numbers(page: Page) -> None:
    for definition in DEFINITIONS.values():
        generate(page, definition.title)
        for link in (page.locator("#rests-on"), page.locator(".report-table td.number a").first):
            count = link.inner_text()
            href = link.get_attribute("href") or ""
            page.goto(f"{href}&counts=1")
            expect(page.locator(".histogram-head strong")).to_have_text(count)
            page.go_back()
            expect(page.get_by_role("heading", name=definition.title, exact=True)).to_be_visible()


def test_a_report_is_downloaded_as_pdf_and_csv(page: Page, site: Site, tmp_path: Path) -> None:
    generate(page, "Configuration changes")
    expect(page.locator(".report-change").first).to_contain_text("Value")
    here = page.url
    for kind in ("PDF", "CSV"):
        page.goto(here)
        page.get_by_role("button", name=f"Export {kind}").click()
        expect(page.get_by_role("heading", name="Exports")).to_be_visible()
        worker = make_worker(
            site.settings,
            site.client,
            site.store.prefix,
            key=KEY,
            stopping=threading.Event(),
            now=site.clock,
            makers=makers(site.client, site.store.prefix, site.clock),
        )
        while worker.work():
            pass
        page.goto("/exports")
        newest = page.locator(".export").first
        expect(newest).to_contain_text("Configuration changes, from 23 Nov 2026")
        files = []
        for words in ("Download", "Manifest"):
            with page.expect_download() as downloading:
                newest.get_by_role("link", name=re.compile(words)).click()
            files.append(tmp_path / downloading.value.suggested_filename)
            downloading.value.save_as(files[-1])
        assert manifest.findings(files[0], manifest.read(files[1]), KEY) == []
        if kind == "PDF":
            assert "LockoutMinutes" in PdfReader(files[0]).pages[0].extract_text()
        else:
            with files[0].open(encoding="utf-8-sig", newline="") as text:
                assert "Value: 15 -> 5" in {row["Change"] for row in csv.DictReader(text)}


def test_a_report_is_scheduled_paused_and_deleted(page: Page) -> None:
    generate(page, "Failed logins")
    page.get_by_role("link", name="Schedule", exact=True).click()
    expect(page.get_by_label("Report", exact=True)).to_have_value("failed-logins")
    page.get_by_label("How often").select_option("monthly")
    page.get_by_role("button", name="Schedule").click()
    row = page.locator(".report-table tbody tr").first
    expect(row).to_contain_text("monthly, 1 Dec 2026, 03:00 (Europe/Stockholm)")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing yet.")).to_be_visible()


def test_the_pages_fit_every_screen(page: Page) -> None:
    for path in ("/reports", "/reports/schedules", f"/reports/user-activity?from={DAY}&to={NEXT_DAY}"):
        page.goto(path)
        for width in (320, 820, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
