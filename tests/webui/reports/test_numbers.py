"""Each number of each report is the number of events that its link finds in the Activity Log."""

import html
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest

from indexer.query import OPERATOR, Query, Scope, within_tenant
from indexer.search import EventSearch
from tests.support.events import NORD, TEST
from tests.support.web import Site
from tests.webui.reports.conftest import MONTH
from webui import question
from webui.question import Question
from webui.reports import parameters
from webui.reports.definitions import DEFINITIONS
from webui.reports.report import Cell, Report
from webui.tenancy import Reader

READERS = {"auditor": Reader("auditor", Scope(TEST)), "operator": Reader("operator", OPERATOR)}


def made(site: Site, who: str, kind: str, address: str) -> Report:
    reports = site.app.extensions["audit-reports"]
    found: Report = reports.make(reports.order(READERS[who], kind, parameters.read(parse_qsl(address))))
    return found


def linked(report: Report) -> Iterator[tuple[str, Cell]]:
    for figure in report.figures:
        yield figure.label, figure.cell
    for table in report.tables:
        for row in table.rows:
            yield from (
                (f"{table.title}: {column.label}", cell)
                for column, cell in zip(table.columns, row, strict=True)
            )


def counted(site: Site, who: str, asked: list[Question]) -> list[int]:
    """How many events there are at the address of each question, as the Activity Log understands it."""
    scope, search = READERS[who].scope, EventSearch(site.client, site.store.prefix)
    clauses = {}
    for number, each in enumerate(asked):
        read = question.read(parse_qsl(each.address))
        zone = site.app.extensions["audit-activity"].place(READERS[who], read).zone
        clauses[str(number)] = read.filter(zone, site.clock()).query().clause
    everything = within_tenant(scope, Query({"match_all": {}}))
    found = search.aggregate(everything, {"all": {"filters": {"filters": clauses}}})["all"]["buckets"]
    return [found[str(number)]["doc_count"] for number in range(len(asked))]


def bars(report: Report) -> Iterator[tuple[str, int, Question]]:
    for picture in report.pictures:
        for bar in picture.chart.bars:
            found = re.search(r": ([0-9,]+) event", bar.title)
            assert found
            yield f"{picture.title}: {bar.title}", int(found[1].replace(",", "")), bar.leads


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
    report = made(month, who, kind, MONTH + more)
    activity = month.app.extensions["audit-activity"]
    assert report.count == activity.counts(READERS[who], report.asked)[2].total
    said = [
        (name, int(cell.value), cell.leads)
        for name, cell in linked(report)
        if cell.leads and cell.value.isdigit()
    ]
    said += [each for each in bars(report) if each[1]]
    assert len(said) > (10 if more in {"", f"&tenant={NORD}"} else 0)
    found = counted(month, who, [leads for _, _, leads in said])
    wrong = [
        f"{name}: {count}, but {truth} at {leads.address}"
        for (name, count, leads), truth in zip(said, found, strict=True)
        if count != truth
    ]
    assert wrong == []


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
