"""What a person comes to do with histories, saved views and accounts, with and without script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.web import PASSWORD

ORDER = "SO-20261123-0121"


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def page(chromium: Browser, served: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of an admin."""
    context = chromium.new_context(base_url=served, java_script_enabled=request.param, locale="en-GB")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    yield page
    context.close()


def test_from_the_overview_to_what_an_order_was_before(page: Page) -> None:
    page.get_by_label("Order number or id").fill(ORDER)
    page.locator("form", has=page.get_by_label("Order number or id")).get_by_role("button").click()
    page.get_by_role("link", name=re.compile("Open the event .* changed the status of")).click()
    page.get_by_role("link", name="History", exact=True).last.click()
    expect(page.get_by_role("heading", name=ORDER)).to_be_visible()
    expect(page.locator(".entry")).to_have_count(2)
    page.get_by_role("button", name="Compare A with B").click()
    expect(page.get_by_role("row", name=re.compile("Status Draft .*Confirmed"))).to_be_visible()
    page.get_by_role("link", name="State at a moment").click()
    expect(page.get_by_role("row", name=re.compile("Status Confirmed"))).to_be_visible()


def test_a_row_leaves_out_by_a_click(page: Page) -> None:
    page.goto("/activity?view=")
    row = page.locator("li.event", has_text="A sign-in failed")
    row.locator("summary").click()
    row.get_by_role("row", name=re.compile("Category")).get_by_role("link", name="without").click()
    expect(page.locator(".query-sentence")).to_contain_text("not in authentication")
    expect(page.locator("li.event", has_text="A sign-in failed")).to_have_count(0)


def test_a_view_is_saved_and_found_again(page: Page) -> None:
    page.goto("/activity?category=products")
    page.locator(".views > summary").click()
    page.get_by_label("Save what is asked now as").fill("Products only")
    page.get_by_role("button", name="Save").click()
    page.goto("/activity?view=")
    page.locator(".views > summary").click()
    page.get_by_role("link", name="Products only").click()
    expect(page.locator(".query-sentence")).to_contain_text("All activity in products")
    page.locator(".views > summary").click()
    page.get_by_role("button", name="Delete the view Products only").click()
    expect(page.get_by_role("heading", name="Activity Log")).to_be_visible()


def test_jumping_to_a_time(page: Page) -> None:
    page.goto("/activity?view=")
    page.get_by_label("Jump to").fill("2026-11-23T07:29:50")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("li.event")).to_have_count(3)
    page.get_by_role("link", name="Newer").click()
    expect(page.locator("li.event")).to_have_count(9)


def test_an_account_is_disabled_and_enabled(page: Page) -> None:
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("link", name="Accounts").click()
    page.get_by_role("button", name="Disable spare").click()
    page.get_by_role("button", name="Enable spare").click()
    expect(page.get_by_role("button", name="Disable spare")).to_be_visible()


def test_a_user_through_time(page: Page) -> None:
    page.goto("/activity?view=")
    row = page.locator("li.event", has_text="changed the status of")
    row.locator("summary").click()
    row.get_by_role("link", name="This user").click()
    expect(page.get_by_role("heading", name="sofia User")).to_be_visible()
    expect(page.get_by_role("heading", name="Hours of the week")).to_be_visible()


def test_a_history_is_found_by_its_number_and_asked_for_a_moment(page: Page) -> None:
    page.get_by_role("link", name="History", exact=True).click()
    page.get_by_label("What it is").fill("SalesOrder")
    page.get_by_label("Number or id").fill(ORDER)
    page.get_by_role("button", name="Show its history").click()
    page.get_by_role("link", name="State at a moment").click()
    page.get_by_label("At").fill("2026-11-23T07:30:30")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row", name=re.compile("Status Draft"))).to_be_visible()


def test_an_event_leads_to_the_others_of_its_request_and_back_to_the_log(page: Page) -> None:
    page.goto("/activity?action=created&type=SalesOrder")
    page.get_by_role("link", name=re.compile("Open the event .* created sales order")).click()
    same = page.locator("section", has=page.get_by_role("heading", name="The same request"))
    expect(same).to_contain_text("created sales order line SKU-022617")
    page.get_by_role("link", name=re.compile("Open the event .* SKU-022617")).click()
    expect(page.get_by_role("heading", name=re.compile("SKU-022617"))).to_be_visible()
    page.locator(".crumbs").get_by_role("link", name="Activity Log").click()
    expect(page.get_by_role("heading", name="Activity Log")).to_be_visible()
