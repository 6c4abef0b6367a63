"""Asking for a report: by address and by form, what is refused, whose it is, and what is written down."""

import csv
import html
import io
import re
import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

from indexer.query import Scope
from tests.support.events import NORD, TEST
from tests.support.web import KEY, Site, token
from tests.webui.reports.conftest import MONTH
from webui.exports import manifest
from webui.exports.assembly import make_worker
from webui.exports.job import Job
from webui.reports import assembly
from webui.reports.definitions import DEFINITIONS
from webui.reports.kinds import failed_logins
from webui.tenancy import Reader

ADDRESS = f"/reports/failed-logins?{MONTH}&failures=5"


@pytest.fixture(scope="module")
def browser(month: Site) -> FlaskClient:
    return month.signed_in("auditor")


def text(page: str) -> str:
    bare = re.sub(r"<(script|style|title|option)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(bare))


def work(site: Site) -> None:
    """Do what `audit-webui jobs run` does for exports."""
    worker = make_worker(
        site.settings,
        site.client,
        site.store.prefix,
        key=KEY,
        stopping=threading.Event(),
        now=site.clock,
        makers=assembly.makers(site.client, site.store.prefix, site.clock),
    )
    while worker.work():
        pass


def exported(site: Site, browser: FlaskClient, address: str, kind: str) -> Path:
    """Press the button, and give the file."""
    answer = browser.post(
        address, data={"csrf_token": token(browser, "/reports/failed-logins?range=7d"), "format": kind}
    )
    assert (answer.status_code, answer.location) == (303, "/exports")
    work(site)
    newest: Job = site.app.extensions["audit-exports"].all(Reader("auditor", Scope(TEST)))[0]
    return site.settings.export_dir / newest.stored_name


def test_the_list_leads_to_each(browser: FlaskClient) -> None:
    page = browser.get("/reports").text
    for definition in DEFINITIONS.values():
        assert f'href="/reports/{definition.kind}"' in page
        assert definition.purpose in text(page)


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_without_parameters_it_is_a_form(browser: FlaskClient, kind: str) -> None:
    page = browser.get(f"/reports/{kind}")
    assert page.status_code == 200
    assert "Generate" in page.text
    assert "Rests on" not in page.text


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_says_what_it_rests_on(browser: FlaskClient, kind: str) -> None:
    seen = text(browser.get(f"/reports/{kind}?{MONTH}").text)
    assert "Tenant Test Warehouse" in seen
    assert "Period 1 Oct 2026, 00:00 until 24 Nov 2026, 00:00, the end left out (Europe/Stockholm)" in seen
    assert "Rests on All activity" in seen
    assert re.search(r"Events [1-9]\d*", seen)
    assert "How complete this is" in seen
    assert "The oldest event there is, is of 24 Oct 2026" in seen
    assert "Events that name no tenant are not among these" in seen


# More digits than Python reads, of a number that would fit.
LONG = "0" * 4400 + "5"


@pytest.mark.parametrize(
    ("address", "name", "said"),
    [
        ("range=fortnight", "range", "Choose one of the periods offered."),
        ("range=custom", "from", "Say when the period begins."),
        ("from=2026-10-01", "to", "Say when the period ends."),
        ("from=yesterday&to=2026-10-01", "from", "“yesterday” is no date and time"),
        ("from=2026-10-02T00:00&to=2026-10-02T00:00", "to", "The end must lie after the start."),
        ("from=2028-01-01&to=2028-02-01", "from", "This period has not begun yet."),
        ("from=1990-01-01&to=2026-01-01", "from", "A period is at most 3,700 days long."),
        ("range=7d&failures=1", "failures", "“1” is no number from 2 to 1000."),
        (f"range=7d&failures={LONG}", "failures", f"“{LONG}” is no number from 2 to 1000."),
        ("range=7d&minutes=²", "minutes", "“²” is no number from 1 to 1440."),
        ("range=7d&minutes=soon", "minutes", "“soon” is no number from 1 to 1440."),
        ("range=7d&user=nosuchperson", "user", "No event of this period names nosuchperson."),
        ("range=7d&colour=red", "colour", "There is no such parameter."),
    ],
)
def test_a_mistake_is_named_and_the_form_kept(
    browser: FlaskClient, address: str, name: str, said: str
) -> None:
    page = browser.get(f"/reports/failed-logins?{address}&user=sofia*")
    assert page.status_code == 400
    assert f"<code>{name}</code> {said}" in html.unescape(page.text)
    assert 'value="sofia*' in page.text or "nosuchperson, sofia*" in page.text


def test_the_form_shows_the_period_that_was_shown(browser: FlaskClient) -> None:
    page = browser.get(ADDRESS).text
    assert 'value="2026-10-01T00:00"' in page
    assert 'value="2026-11-24T00:00"' in page


def test_a_run_of_failures_that_ended_in_a_success_is_told(browser: FlaskClient) -> None:
    seen = text(browser.get(ADDRESS).text)
    assert "address 198.51.100.99 6 25 Oct 2026, 23:00:00 25 Oct 2026, 23:00:25 25 Oct 2026, 23:00:30" in seen
    assert "user Ken Åström 6 25 Oct 2026, 23:00:00" in seen
    assert "address 198.51.100.99 6" not in text(
        browser.get(f"/reports/failed-logins?{MONTH}&failures=7").text
    )


def test_another_tenants_events_are_not_in_it(month: Site) -> None:
    page = month.signed_in("stranger").get(f"/reports/failed-logins?{MONTH}")
    assert page.status_code == 200
    assert "Nord Logistik" in page.text
    assert "198.51.100.99" not in page.text
    assert "Test Warehouse" not in page.text


def test_another_tenant_cannot_be_asked_for(month: Site) -> None:
    stranger = month.signed_in("stranger")
    assert stranger.get(f"/reports/failed-logins?range=7d&tenant={TEST}").status_code == 404
    answer = stranger.post(
        f"/reports/failed-logins?range=7d&tenant={TEST}",
        data={"csrf_token": token(stranger, "/reports/failed-logins?range=7d"), "format": "csv"},
    )
    assert answer.status_code == 404


def test_an_operator_chooses_a_tenant_and_its_zone(month: Site) -> None:
    page = text(month.signed_in("operator").get(f"/reports/failed-logins?{MONTH}&tenant={NORD}").text)
    assert "1 Oct 2026, 00:00 until 24 Nov 2026, 00:00, the end left out (Asia/Tokyo)" in page


def test_looking_is_recorded(month: Site, browser: FlaskClient) -> None:
    browser.get(ADDRESS)
    last = month.trail()[-1]
    assert (last["Action"], last["EntityType"], last["EntityId"]) == ("viewed", "Report", "failed-logins")
    assert str(last["Sentence"]).startswith("Failed logins, from 1 Oct 2026")


def test_the_csv_has_the_numbers_of_the_screen(month: Site, browser: FlaskClient) -> None:
    file = exported(month, browser, ADDRESS, "csv")
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))
    screen = text(browser.get(ADDRESS).text)
    figure = next(row for row in rows if row["table"] == "Figures" and row["name"] == "Failed logins")
    assert f"Failed logins {figure['value']} " in screen
    run = next(
        row for row in rows if row["table"].startswith("Runs") and row["By"] == "address 198.51.100.99"
    )
    assert (run["Failures"], run["First"]) == ("6", "2026-10-25 23:00:00.000+01:00")
    assert run["evidence"].startswith(
        "/activity?from=2026-10-25T22%3A00%3A00Z&to=2026-10-25T22%3A00%3A25.000001Z"
    )
    assert browser.get(run["evidence"]).status_code == 200
    about = {row["name"]: row["value"] for row in rows if row["table"] == "About"}
    assert about["Tenant"] == "Test Warehouse"
    said = manifest.read(manifest.beside(file))
    assert manifest.findings(file, said, KEY) == []
    assert said["complete"] is True
    assert said["sentence"].startswith("Failed logins, from 1 Oct 2026")
    assert said["filter"]["report"]["kind"] == "failed-logins"
    assert said["row_count"] == len(rows)


def test_the_pdf_is_numbered_and_says_the_same(month: Site, browser: FlaskClient) -> None:
    file = exported(month, browser, ADDRESS, "pdf")
    pages = PdfReader(file).pages
    seen = " ".join(" ".join(page.extract_text() for page in pages).split())
    for said in (
        "SmartWMS Audit: Failed logins",
        "Test Warehouse",
        "Asked for by auditor",
        "198.51.100.99",
        "How complete this is",
        f"Page 1 of {len(pages)}",
    ):
        assert said in seen, said
    listed = text(browser.get("/exports").text)
    assert "PDF report Failed logins, from 1 Oct 2026" in listed


def test_another_format_is_refused(browser: FlaskClient) -> None:
    answer = browser.post(ADDRESS, data={"csrf_token": token(browser, ADDRESS), "format": "ndjson"})
    assert answer.status_code == 409
    assert "Choose CSV or PDF." in answer.text


def test_nobody_waits_for_the_runs_among_very_many_sign_ins(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_logins, "WALKED_ON_SCREEN_COUNT", 10)
    seen = text(browser.get(ADDRESS).text)
    assert "Runs that ended in a success in the file" in seen
    assert "These are more than 10 sign-ins: runs are looked for when you export the report" in seen
