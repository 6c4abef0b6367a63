"""An export from the search to the file, in a real browser, with and without script."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import events
from tests.support.serving import on_loopback
from tests.support.web import KEY, PASSWORD, Site
from webui.exports import manifest
from webui.exports.assembly import make_worker

WAIT_MS = 20_000


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    """The site behind a server."""
    # An export ends now; the day of the samples has to be over.
    site.clock.ahead = max(site.clock.ahead, events.MORNING + timedelta(days=1) - datetime.now(UTC))
    with on_loopback(site.app) as address:
        yield address


@pytest.fixture(params=["script", "no script"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "script")


@pytest.fixture
def page(chromium: Browser, address: str, *, script: bool) -> Iterator[Page]:
    """An auditor's page, which complains about nothing."""
    context = chromium.new_context(base_url=address, java_script_enabled=script, locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/sign-in?next=/activity")
    page.get_by_label("Name").fill("auditor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()
    assert complaints == []


def work(site: Site) -> None:
    worker = make_worker(
        site.settings, site.client, site.store.prefix, key=KEY, stopping=threading.Event(), now=site.clock
    )
    while worker.work():
        pass


def test_what_is_on_screen_becomes_a_file_with_its_manifest(
    page: Page, site: Site, tmp_path: Path, *, script: bool
) -> None:
    page.goto("/activity?outcome=failure")
    sentences = page.locator("#sentence").inner_text()
    page.get_by_role("link", name="Export", exact=True).click()
    expect(page.get_by_role("heading", name="Export")).to_be_visible()
    expect(page.locator("#sentence")).to_contain_text("All activity with outcome failure")
    expect(page.locator(".export-form")).to_contain_text("2 events")
    page.get_by_label("NDJSON").check()
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("heading", name="Exports")).to_be_visible()
    newest = page.locator(".export").first
    expect(newest).to_contain_text("waiting")
    work(site)
    if not script:
        page.get_by_role("link", name="Refresh").click()
    expect(newest).to_contain_text("complete")
    with page.expect_download() as downloading:
        newest.get_by_role("link", name=re.compile("Download")).click()
    file = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(file)
    with page.expect_download() as downloading:
        newest.get_by_role("link", name=re.compile("Manifest")).click()
    downloading.value.save_as(tmp_path / downloading.value.suggested_filename)
    said = manifest.read(manifest.beside(file))
    assert manifest.findings(file, said, KEY) == []
    assert said["sentence"].startswith(sentences.split(",")[0])
    actions = [orjson.loads(line)["event"]["action"] for line in file.read_bytes().splitlines()]
    assert actions == ["deleted", "login_failed"]


def test_the_list_fits_every_screen(page: Page, site: Site) -> None:
    page.goto("/exports/new")
    page.get_by_role("button", name="Export").click()
    work(site)
    for path in ("/exports", "/exports/new"):
        page.goto(path)
        for width in (320, 820, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_is_reached_with_the_keyboard_alone(page: Page) -> None:
    page.goto("/exports/new")
    page.locator("#format-csv").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("NDJSON")).to_be_checked()
    page.locator("#bom").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Export")).to_be_focused()
