"""Every page of the UI: axe finds nothing serious, nothing is wider than the screen, nothing complains."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from indexer.query import Scope
from tests.support import events, reporting, reviewed, watching
from tests.support.checkout import ROOT
from tests.support.events import MORNING, SOFIA, TEST
from tests.support.web import CHANNEL, PASSWORD, Site
from webui.reviews.service import Reviews
from webui.tenancy import Reader

AXE = ROOT / ".cache" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
ORDER = "211bcda3-9c96-494f-8a80-38e6a8de09ba"
CREATED, CHANGED = (events.sample()[number]["event"]["id"] for number in (3, 5))
# Who looks, and at what. A page that is missing here is found by `test_every_page_is_looked_at`.
PAGES = {
    "/sign-in": ("", "/sign-in"),
    "/": ("operator", "/?range=30d"),
    "/activity": ("admin", "/activity?counts=1"),
    "/activity/<event_id>": ("admin", f"/activity/{CHANGED}"),
    "/history": ("admin", "/history"),
    "/history/<kind>/<path:key>": ("admin", f"/history/SalesOrder/{ORDER}"),
    "/state/<kind>/<path:key>": ("admin", f"/state/SalesOrder/{ORDER}"),
    "/compare/<kind>/<path:key>": ("admin", f"/compare/SalesOrder/{ORDER}?a={CREATED}&b={CHANGED}"),
    "/users/<path:key>": ("admin", f"/users/{SOFIA['id']}?range=365d"),
    "/exports": ("admin", "/exports"),
    "/exports/new": ("admin", "/exports/new?category=orders"),
    "/notifications": ("admin", "/notifications"),
    "/notifications/<channel_id>": ("admin", f"/notifications/{CHANNEL}"),
    "/reviews": ("admin", "/reviews"),
    "/reviews/<review_id>": ("admin", f"/reviews/{reviewed.OPEN}"),
    "a signed review": ("admin", f"/reviews/{reviewed.SIGNED}"),
    "/reviews/new": ("operator", "/reviews/new"),
    "/reviews/plans": ("operator", "/reviews/plans"),
    "/reviews/plans/<plan_id>": ("admin", "{plan}"),
    "/reports": ("admin", "/reports"),
    "/reports/<kind>": ("admin", "/reports/user-activity?from=2026-11-01&to=2026-11-30"),
    "/reports/schedules": ("admin", "/reports/schedules"),
    "a report of all tenants": ("operator", "/reports/failed-logins?from=2026-11-01&to=2026-11-30"),
    "a report with a mistake": ("admin", "/reports/failed-logins?range=fortnight&failures=1"),
    "/account": ("admin", "/account"),
    "/alerts": ("operator", "/alerts?state=all"),
    "/alerts/<alert_id>": ("admin", f"/alerts/{watching.ALERT}"),
    "/monitors": ("admin", "/monitors"),
    "/monitors/new": ("operator", "/monitors/new?template=own_query"),
    "/monitors/<monitor_id>": ("admin", f"/monitors/{watching.MONITOR}"),
    "/admin": ("operator", "/admin"),
    "/admin/agents": ("operator", "/admin/agents"),
    "/admin/integrity": ("operator", "/admin/integrity"),
    "/admin/accounts": ("operator", "/admin/accounts"),
    "/admin/tenants/<tenant_id>": ("operator", f"/admin/tenants/{TEST}"),
    "/admin/retention": ("operator", "/admin/retention"),
    "/admin/new-tenant": ("operator", "/admin/new-tenant"),
    "a search that finds nothing": ("admin", "/activity?q=nosuchword"),
    "a search with a mistake": ("admin", "/activity?ip=10.0.0.300&from=teatime"),
    "a page that is not there": ("admin", "/nosuch"),
}
# Pieces of pages, and files.
NO_PAGES = re.compile(
    r"^/sign-in/provider|^/account/again$|/static/|^/activity/counts$|/file$|/manifest$|/records/|^/api/"
)

WIDEST = """width => [...document.querySelectorAll('main *')]
  .filter(each => each.getBoundingClientRect().right > width + 1)
  .slice(0, 4).map(each => each.outerHTML.slice(0, 90))"""

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def windows(chromium: Browser, served: str, site: Site) -> Iterator[dict[tuple[str, str], BrowserContext]]:
    """A window for each reader and theme, signed in once."""
    site.clock.ahead = max(timedelta(), MORNING + timedelta(hours=2) - datetime.now(UTC))
    reviews: Reviews = site.app.extensions["audit-reviews"]
    reporting.leave(site.client, site.store.prefix, site.clock())
    plan = reviewed.leave(reviews, Reader("admin", Scope(TEST)), CHANGED, "Sofia User")
    PAGES["/reviews/plans/<plan_id>"] = ("admin", f"/reviews/plans/{plan}")
    made: dict[tuple[str, str], BrowserContext] = {}
    schemes: tuple[Scheme, Scheme] = ("light", "dark")
    for scheme in schemes:
        for name in ("", "admin", "operator"):
            context = chromium.new_context(base_url=served, color_scheme=scheme, bypass_csp=True)
            context.set_default_timeout(20_000)
            page = context.new_page()
            page.goto("/sign-in")
            if name:
                page.get_by_label("Name").fill(name)
                page.get_by_label("Password").fill(PASSWORD)
                page.get_by_role("button", name="Sign in").click()
                expect(page.get_by_role("heading", name="Overview")).to_be_visible()
            made[name, scheme] = context
    yield made
    for context in made.values():
        context.close()


def opened(windows: dict[tuple[str, str], BrowserContext], name: str, scheme: str) -> Page:
    who, path = PAGES[name]
    page = windows[who, scheme].pages[0]
    page.goto(path)
    expect(page.locator("main")).to_be_visible()
    return page


def test_every_page_is_looked_at(site: Site) -> None:
    rules = {rule.rule for rule in site.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert {rule for rule in rules if not NO_PAGES.search(rule)} <= set(PAGES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(
    windows: dict[tuple[str, str], BrowserContext], name: str, scheme: str
) -> None:
    page = opened(windows, name, scheme)
    # Sheets and details are part of the page: what they hold must be read as well.
    page.evaluate("document.querySelectorAll('details').forEach((each, i) => { each.open = i < 8 })")
    page.add_script_tag(path=str(AXE))
    found: dict[str, Any] = page.evaluate(
        "axe.run({resultTypes: ['violations'], rules: {'region': {enabled: true}}})"
    )
    serious = [
        (each["id"], [node["html"][:120] for node in each["nodes"][:3]])
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
    assert serious == []


@pytest.mark.parametrize("width", [320, 820, 1280])
def test_no_page_is_wider_than_its_screen(windows: dict[tuple[str, str], BrowserContext], width: int) -> None:
    wide = []
    for name in PAGES:
        page = windows[PAGES[name][0], "light"].pages[0]
        page.set_viewport_size({"width": width, "height": 800})
        opened(windows, name, "light")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append((name, page.evaluate(WIDEST, width)))
    assert wide == []


def test_axe_is_where_setup_puts_it() -> None:
    assert Path(AXE).is_file(), "`make setup` fetches axe-core"
