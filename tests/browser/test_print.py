"""What comes out of the printer: black on white, all of it, and who printed it."""

import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.support.web import PASSWORD

PAGES = {
    "activity": ("/activity?counts=1", "sales order SO-20261123-0121"),
    "history": ("/history/SalesOrder/SO-20261123-0121", "Göteborg"),
    "overview": ("/?range=7d", "Overview"),
    "user": ("/users/sofia%20User", "Hours of the week"),
    "exports": ("/exports", "Exports"),
}


@pytest.fixture(scope="module")
def page(chromium: Browser, served: str) -> Iterator[Page]:
    """A window of somebody who likes it dark."""
    context = chromium.new_context(base_url=served, color_scheme="dark")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Name").fill("auditor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    yield page
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_paper_says_all_of_it_and_who_printed_it(page: Page, name: str) -> None:
    path, words = PAGES[name]
    page.goto(path)
    sheets = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages]
    said = re.sub(r"\s+", " ", " ".join(sheets))
    assert words in said
    assert re.search(r"Printed by auditor, \d{4}-\d\d-\d\d \d\d:\d\d UTC, from http", said)
    for button in ("Sign out", "Older →", "Apply", "Compare A with B", "state then"):
        assert button not in said


def test_paper_is_white_also_for_who_likes_it_dark(page: Page) -> None:
    page.goto("/history/SalesOrder/SO-20261123-0121")
    colours = "getComputedStyle(document.querySelector('{}')).{}"
    dark = page.evaluate(colours.format("body", "backgroundColor"))
    page.emulate_media(media="print")
    assert page.evaluate(colours.format("body", "backgroundColor")) == "rgb(255, 255, 255)" != dark
    assert page.evaluate(colours.format("h1", "color")) == "rgb(0, 0, 0)"
    assert page.locator("nav.menu").is_hidden()
    assert page.locator(".printed").is_visible()
    page.emulate_media(media="null")
    assert page.locator(".printed").is_hidden()


def test_nothing_is_wider_than_the_paper(page: Page) -> None:
    page.emulate_media(media="print")
    # A4 between its margins, at 96 dots an inch.
    page.set_viewport_size({"width": 703, "height": 1000})
    for path, _ in PAGES.values():
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 703, path
    page.emulate_media(media="null")
