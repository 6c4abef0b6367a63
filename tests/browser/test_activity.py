"""What a person comes to do, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support import events
from tests.support.web import PASSWORD, Site
from webui.search.service import PAGE_COUNT

MORE_THAN_A_PAGE = PAGE_COUNT + 20


@pytest.fixture(scope="module")
def address(site: Site, served: str) -> str:
    """The site behind a server, with more events than one page shows."""
    many = [events.document(100 + number, {"message": "many"}) for number in range(MORE_THAN_A_PAGE)]
    events.load(site.client, site.store.prefix, many)
    return served


@pytest.fixture(params=["script", "no script"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "script")


@pytest.fixture
def context(chromium: Browser, address: str, *, script: bool) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=address, java_script_enabled=script, locale="en-GB")
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that is signed in and that complains about nothing."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/activity")
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Activity Log")).to_be_visible()
    yield page
    assert complaints == []


def rows(page: Page) -> Locator:
    return page.locator("li.event")


def open_filters(page: Page) -> None:
    if not page.get_by_label("Entity id or number").is_visible():
        page.get_by_text("More filters").click()


def test_finds_all_changes_to_an_order_and_what_was_before(page: Page) -> None:
    open_filters(page)
    page.get_by_label("Entity id or number").fill("so-20261123-0121")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".query-sentence")).to_contain_text("All activity about so-20261123-0121")
    expect(rows(page)).to_have_count(2)
    page.get_by_role("link", name=re.compile("Open the event .* changed the status of")).click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.get_by_role("row", name="Status Draft Confirmed")).to_be_visible()


def test_a_click_on_a_value_filters_by_it_and_another_lets_go(page: Page) -> None:
    open_filters(page)
    page.get_by_label("Outcome").select_option("failure")
    page.get_by_role("button", name="Search").click()
    expect(rows(page)).to_have_count(2)
    page.locator("li.event").get_by_role("link", name="SKU-505856", exact=True).click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="outcome: failure").click()
    expect(page.locator(".conditions")).not_to_contain_text("outcome")
    expect(page.locator(".query-sentence")).to_have_text(
        "All activity about SKU-505856, at any time, bookkeeping left out."
    )


def test_older_and_newer_lead_there_and_back(page: Page) -> None:
    first = page.locator("li.event time").first.get_attribute("datetime")
    expect(rows(page)).to_have_count(PAGE_COUNT)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("There is nothing older.")).to_be_visible()
    expect(rows(page)).to_have_count(MORE_THAN_A_PAGE + 9 - PAGE_COUNT)
    page.get_by_role("link", name="Newer").click()
    expect(rows(page)).to_have_count(PAGE_COUNT)
    assert page.locator("li.event time").first.get_attribute("datetime") == first


def test_counts_come_by_themselves_or_by_a_link(page: Page, *, script: bool) -> None:
    if not script:
        page.get_by_role("link", name="Show counts and histogram").click()
    expect(page.locator(".histogram")).to_contain_text(f"{MORE_THAN_A_PAGE + 9} events")
    page.locator(".facets").get_by_role("link", name=re.compile("^authentication")).click()
    expect(rows(page)).to_have_count(2)


def test_a_bar_of_the_histogram_narrows_the_time(page: Page, *, script: bool) -> None:
    if not script:
        page.get_by_role("link", name="Show counts and histogram").click()
    bar = page.locator(".bars a").last
    count = int(re.findall(r": (\d+) event", bar.get_attribute("aria-label") or "")[0])
    bar.click()
    expect(page.locator(".query-sentence")).to_contain_text("Europe/Stockholm")
    expect(rows(page)).to_have_count(count)


@pytest.mark.usefixtures("page")
def test_a_mistake_is_marked_where_it_was_made(context: BrowserContext) -> None:
    # A tab of its own: Chromium reports the 400 as a complaint.
    other = context.new_page()
    other.goto("/activity?ip=10.0.0.300&q=kept")
    expect(other.get_by_role("alert")).to_contain_text("10.0.0.300 is no IP address")
    expect(other.get_by_label("IP address")).to_have_attribute("aria-invalid", "true")
    expect(other.get_by_label("Text")).to_have_value("kept")
    other.get_by_label("IP address").fill("203.0.113.16")
    other.get_by_label("Text").fill("")
    other.get_by_role("button", name="Search").click()
    expect(other.locator(".query-sentence")).to_contain_text("from 203.0.113.16")
    other.close()


def test_signing_out_closes_the_door(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/activity")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


class TestScript:
    """What is better with it."""

    @pytest.fixture
    def script(self) -> bool:
        return True

    def test_the_theme_is_chosen_and_kept(self, page: Page) -> None:
        page.get_by_role("button", name="Dark theme").click()
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    def test_typing_a_date_chooses_the_range(self, page: Page) -> None:
        page.get_by_label("Date range").select_option("24h")
        page.get_by_label("From", exact=True).fill("2026-11-23T00:00")
        expect(page.get_by_label("Date range")).to_have_value("custom")
        page.get_by_role("button", name="Search").click()
        expect(page.locator(".query-sentence")).to_contain_text("from 2026-11-23 00:00")
        assert "user=" not in page.url, "empty fields are left out of the address"

    def test_a_link_is_copied(self, context: BrowserContext, page: Page) -> None:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("link", name="Link to exactly this").click()
        expect(page.get_by_role("link", name="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert "/activity?to=" in copied

    def test_everything_is_reached_with_the_keyboard(self, page: Page) -> None:
        expect(page.locator(".histogram")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.locator("a.when").first.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="The record as read")).to_be_visible()

    @pytest.mark.parametrize("width", [320, 390, 820, 1440])
    def test_no_page_is_wider_than_its_screen(self, page: Page, width: int) -> None:
        page.set_viewport_size({"width": width, "height": 800})
        for path in (
            "/activity?counts=1",
            f"/activity/{events.sample()[3]['event']['id']}",
            "/activity?q=nosuch",
        ):
            page.goto(path)
            expect(page.locator("main")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
