"""Each number of each report is the number of events that its link finds in the Activity Log."""

import html
import re

import pytest

from tests.support.events import NORD
from tests.support.web import Site
from tests.webui.reports.checking import READERS, Checker, numbers
from tests.webui.reports.conftest import MONTH
from webui.reports.definitions import DEFINITIONS


@pytest.mark.parametrize("kind", DEFINITIONS)
@pytest.mark.parametrize(
    ("who", "more"),
    [
        ("auditor", ""),
        ("auditor", "&user=anna*, sofia.nunez@test001.example"),
        ("auditor", "&user=a1"),
        ("operator", ""),
        ("operator", f"&tenant={NORD}"),
        ("operator", "&tenant=-"),
    ],
    ids=["a tenant", "some users", "one user", "all tenants", "an operator's choice", "no tenant"],
)
def test_is_what_the_activity_log_counts(month: Site, kind: str, who: str, more: str) -> None:
    checker = Checker(month.client, month.store.prefix, month.clock)
    report = checker.made(who, kind, MONTH + more)
    activity = month.app.extensions["audit-activity"]
    assert report.count == activity.counts(READERS[who], report.asked)[2].total
    said = list(numbers(report))
    assert len(said) > (10 if more in {"", f"&tenant={NORD}"} else 0)
    assert checker.wrong(who, said) == []


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_every_link_of_the_page_can_be_followed(month: Site, kind: str) -> None:
    browser = month.signed_in("auditor")
    page = browser.get(f"/reports/{kind}?from=2026-10-24&to=2026-10-26")
    assert page.status_code == 200
    links = {
        html.unescape(each)
        for each in re.findall(r'href="(/(?:activity|users|history)[/?][^"]*)"', page.text)
    }
    assert links
    for link in sorted(links)[:10]:
        assert browser.get(link).status_code == 200, link


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_a_page_shows_the_count_that_the_page_of_the_activity_log_shows(month: Site, kind: str) -> None:
    browser = month.signed_in("auditor")
    page = browser.get(f"/reports/{kind}?{MONTH}").text
    found = re.search(r'href="(/activity\?[^"]*)"\s+id="rests-on">([0-9,]+)<', page)
    assert found
    activity = browser.get(html.unescape(found[1]) + "&counts=1").text
    assert re.search(rf"<strong>{found[2]}</strong>\s*events?", activity)
