"""What people come to do with tenants, accounts and their own sessions, with and without script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.web import PASSWORD

ACME = "7c3f9a10-0c55-4f6e-8d7a-3b2c4d5e6f03"


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def page(chromium: Browser, served: str, script: bool) -> Iterator[Page]:  # noqa: FBT001  a fixture
    """A page of the operator."""
    context = chromium.new_context(base_url=served, java_script_enabled=script, locale="en-GB")
    context.set_default_timeout(20_000)
    page = context.new_page()
    enter(page, "operator", PASSWORD)
    yield page
    context.close()


def enter(page: Page, name: str, password: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_tenant_is_added_and_moved_to_another_zone(page: Page, *, script: bool) -> None:
    tenant = ACME.replace("7c", "7d" if script else "7e")
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("link", name="Add a tenant").click()
    page.get_by_label("Id in SmartWMS").fill(tenant)
    page.get_by_label("Name", exact=True).fill(f"Acme Storage {script}")
    page.get_by_label("Time zone").fill("Europe/Atlantis")
    page.get_by_label("Business hours").fill("08:00-17:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#a-zone-problem")).to_contain_text("Europe/Atlantis")
    page.get_by_label("Time zone").fill("Europe/Madrid")
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name=re.compile(f"Acme Storage {script}"))
    expect(row).to_contain_text("Europe/Madrid")
    row.get_by_role("link").click()
    page.get_by_label("Time zone").fill("Atlantic/Canary")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Atlantic/Canary")


def test_an_account_is_made_used_and_signed_out_everywhere(
    page: Page, chromium: Browser, served: str, *, script: bool
) -> None:
    name = f"newcomer{script}".lower()
    page.goto("/admin/accounts")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Role", exact=True).select_option("operator")
    page.get_by_role("button", name="Add", exact=True).click()
    password = page.locator("code.secret").inner_text()
    context = chromium.new_context(base_url=served, java_script_enabled=script)
    here, there = context.new_page(), chromium.new_context(base_url=served).new_page()
    for each in (here, there):
        each.set_default_timeout(20_000)
        enter(each, name, password)
    here.get_by_role("link", name=re.compile(name)).click()
    here.get_by_role("button", name="Sign out everywhere").click()
    expect(here.get_by_role("heading", name="Sign in")).to_be_visible()
    there.goto("/activity")
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()
    there.context.close()


def test_a_role_is_changed(page: Page) -> None:
    page.goto("/admin/accounts")
    row = page.get_by_role("row", name=re.compile("^spare"))
    row.get_by_label("Role of spare").select_option("auditor")
    row.get_by_role("button", name="change").click()
    expect(row.get_by_label("Role of spare")).to_have_value("auditor")
    row.get_by_label("Role of spare").select_option("viewer")
    row.get_by_role("button", name="change").click()
    expect(row.get_by_label("Role of spare")).to_have_value("viewer")
