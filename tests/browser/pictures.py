"""Pictures of every page, for the documents: `python -m tests.browser.pictures` writes them to docs/images.

Light and wide as they stand in the documents; `--all` also dark, tablet and phone, to look at. The sample day
is shipped by the real agent into a node of its own (or the one that AUDIT_TEST_STORE_URL names).
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support import reporting, reviewed, sample_retention, sample_site, shared_node
from tests.support.checkout import ROOT
from tests.support.events import TEST
from tests.support.sample_site import HOOK
from tests.support.store import lent
from tests.support.web import PASSWORD

# Name of the picture, who looks, and the address; {event} is an order's change of status, {compare} compares
# two versions of one.
PAGES: Final = (
    ("overview", "anna", "/?range=30d"),
    ("overview-operator", "otto", "/?range=30d"),
    ("activity", "anna", "/activity?category=orders&category=inventory&category=products&counts=1"),
    ("event", "anna", "{event}"),
    ("history", "anna", "/history/SalesOrder/SO-20261123-0123"),
    ("state", "anna", "/state/SalesOrder/SO-20261123-0123"),
    ("compare", "anna", "{compare}"),
    ("history-find", "anna", "/history"),
    ("export", "anna", "/exports/new?category=orders&outcome=success"),
    ("exports", "anna", "/exports"),
    ("user", "anna", "/users/erik%20User"),
    ("channels", "anna", "/notifications"),
    ("channel", "anna", "/notifications/" + HOOK),
    ("reviews", "anna", "/reviews"),
    ("review", "anna", f"/reviews/{reviewed.OPEN}"),
    ("review-signed", "anna", f"/reviews/{reviewed.SIGNED}"),
    ("review-plans", "anna", "/reviews/plans"),
    ("review-new", "anna", "/reviews/new"),
    ("alerts", "anna", "/alerts"),
    ("alerts-operator", "otto", "/alerts"),
    ("alert", "anna", "{alert}"),
    ("monitors", "anna", "/monitors"),
    ("monitor", "anna", "{preview}"),
    ("reports", "anna", "/reports"),
    ("report-user-activity", "anna", "/reports/user-activity?from=2026-11-23&to=2026-11-23"),
    ("report-data-access", "anna", "/reports/data-access?from=2026-11-23&to=2026-11-23"),
    ("report-configuration", "anna", "/reports/configuration-changes?from=2026-11-23&to=2026-11-23"),
    ("report-access-review", "anna", "/reports/access-review?from=2026-11-23&to=2026-11-23"),
    ("report-failed-logins", "otto", "/reports/failed-logins?from=2026-11-23&to=2026-11-23&failures=2"),
    ("report-schedules", "anna", "/reports/schedules"),
    ("administration", "otto", "/admin"),
    ("tenant", "otto", "/admin/tenants/" + TEST),
    ("accounts", "anna", "/admin/accounts"),
    ("retention", "otto", "/admin/retention"),
    ("integrity", "otto", "/admin/integrity"),
    ("agents", "otto", "/admin/agents"),
    ("audit", "anna", "/activity?category=audit"),
    ("nothing-found", "anna", "/activity?q=nosuchword&range=24h"),
    ("mistake", "anna", "/activity?ip=10.0.0.300&from=yesterday"),
    ("not-found", "anna", "/activity/nosuch"),
    ("account", "anna", "/account"),
    ("sign-in", "", "/sign-in"),
)
LOOKS: Final = {
    "": (1440, 900, "light"),
    "-dark": (1440, 900, "dark"),
    "-tablet": (820, 1180, "light"),
    "-phone": (390, 844, "dark"),
}


def pages() -> Iterator[tuple[str, str, str]]:
    """Every page that has a picture."""
    yield from PAGES


def signed_in(browser: Browser, address: str, name: str, look: str) -> BrowserContext:
    """A window in which somebody is signed in."""
    width, height, scheme = LOOKS[look]
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto("/sign-in")
    if name:
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Overview").wait_for()
    return context


def resolve(page: Page, path: str) -> str:
    """Fill in what only the store knows."""
    if path == "{compare}":
        page.goto("/history/SalesOrder/SO-20261123-0123")
        ids = [each.get_attribute("value") for each in page.locator("input[name=a]").all()]
        return f"/compare/SalesOrder/SO-20261123-0123?a={ids[-1]}&b={ids[0]}"
    if path == "{alert}":
        page.goto("/alerts")
        return page.locator("a.alert-title").first.get_attribute("href") or ""
    if path == "{preview}":
        # What the button shows is the answer to a form, not an address.
        page.goto("/monitors/new?template=permission_change")
        page.get_by_role("button", name="What would it have found?").click()
        page.locator(".hits").wait_for()
        return ""
    if path != "{event}":
        return path
    page.goto("/activity?action=status_changed&category=orders")
    link = page.locator("li.event a.when").first.get_attribute("href") or ""
    return path.replace("{event}", link)


class Quiet(logging.Filter):
    """The server's line for each request is not what somebody who takes pictures wants to read."""

    def filter(self, _record: logging.LogRecord) -> bool:
        return False


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "docs" / "images", show_default=True)
@click.option("--all", "every", is_flag=True, help="Also dark, tablet and phone.")
@click.option("--only", multiple=True, help="Names of pictures to take.")
def main(out: Path, only: tuple[str, ...], *, every: bool) -> None:
    """Take pictures of the pages."""
    logging.getLogger("werkzeug").addFilter(Quiet())
    shared_node.begin_run()
    folder = Path(tempfile.mkdtemp(prefix="smartwms-audit-pictures-"))
    # What a picture says of where a log lies is not where this checkout lies.
    samples = shutil.copytree(sample_site.SAMPLES, folder / "logs")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        with (
            lent(shared_node.url()) as store,
            sample_site.serving(store, folder, samples) as site,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            # What was looked at so far is in the trail: ship it, so that its picture has something to show.
            signed_in(browser, site.address, "vera", "").close()
            site.ship()
            sample_retention.keep(store)
            reporting.leave(site.client, store.prefix, datetime.now(UTC))
            for look in LOOKS if every else ("",):
                take(browser, site.address, out, look, only)
            browser.close()
    finally:
        shared_node.end_run()
        shutil.rmtree(folder)


def take(browser: Browser, address: str, out: Path, look: str, only: tuple[str, ...]) -> None:
    """Take every picture in one look."""
    out.mkdir(parents=True, exist_ok=True)
    contexts: dict[str, BrowserContext] = {}
    for name, who, path in pages():
        if only and name not in only:
            continue
        if who not in contexts:
            contexts[who] = signed_in(browser, address, who, look)
        page = contexts[who].pages[0]
        if there := resolve(page, path):
            page.goto(there)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=out / f"{name}{look}.png", full_page=bool(look))
        click.echo(f"{name}{look}")
    for context in contexts.values():
        context.close()


if __name__ == "__main__":
    main()
