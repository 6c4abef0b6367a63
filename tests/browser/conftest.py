"""The fixtures of tests of the web UI, and a browser."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.serving import on_loopback
from tests.support.web import Site, own_site, site

__all__ = ["chromium", "own_site", "served", "site"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "these tests need Chromium; `make setup` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(site: Site) -> Iterator[str]:
    """The site of the module behind a server: its address."""
    with on_loopback(site.app) as address:
        yield address
