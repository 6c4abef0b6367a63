"""Values in letters that are written from right to left, beside what was before and after."""

import pytest
from playwright.sync_api import Browser, Page

from tests.support import events
from tests.support.web import PASSWORD, Site

BEFORE, AFTER = "חדש", "סגור"


@pytest.fixture
def page(chromium: Browser, site: Site, served: str) -> Page:
    change = {"before": {"Status": BEFORE}, "after": {"Status": AFTER}, "fields": ["Status"]}
    made = {"entity": {"type": "Odd", "id": "odd-1", "number": "ODD-1"}, "change": change}
    events.load(site.client, site.store.prefix, [events.document(900, made)])
    page = chromium.new_context(base_url=served, locale="en-GB").new_page()
    page.goto("/activity?type=Odd")
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def test_what_was_stands_before_the_arrow_and_what_became_of_it_behind(page: Page) -> None:
    ends = [
        page.locator(".changes").get_by_text(text, exact=True).bounding_box() for text in (BEFORE, "→", AFTER)
    ]

    lefts = [box["x"] for box in ends if box]
    assert len(lefts) == 3
    assert lefts == sorted(lefts)
