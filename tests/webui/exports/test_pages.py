"""The pages of exports, asked like a browser does."""

import re
from datetime import timedelta

import orjson
import pytest
from flask.testing import FlaskClient

from tests.support.events import NORD, TEST
from tests.support.web import token
from tests.webui.exports.conftest import ANNA, Desk
from webui.exports import service


@pytest.fixture
def auditor(own_desk: Desk) -> FlaskClient:
    return own_desk.site.signed_in("auditor")


def ask(browser: FlaskClient, address: str = "", **form: str) -> int:
    sent = {"csrf_token": token(browser, "/exports/new"), "format": "csv", **form}
    return browser.post(f"/exports?{address}", data=sent).status_code


def links(page: str) -> list[str]:
    return re.findall(r'href="(/exports/\w+/(?:file|manifest))"', page)


def fetch(browser: FlaskClient, link: str) -> bytes:
    """Download a file to its end."""
    with browser.get(link) as answer:
        assert answer.status_code == 200
        data: bytes = answer.data
        return data


class TestAsking:
    def test_leads_from_the_search_to_a_file_of_it(self, own_desk: Desk, auditor: FlaskClient) -> None:
        activity = auditor.get("/activity?outcome=failure&range=custom").text
        found = re.search(r'href="(/exports/new\?[^"]+)"', activity)
        assert found
        page = auditor.get(found[1].replace("&amp;", "&")).text
        assert "<strong>2</strong> events" in page
        assert ask(auditor, "outcome=failure") == 303
        listed = auditor.get("/exports").text
        assert "waiting" in listed
        assert 'data-unfinished="1"' in listed
        assert links(listed) == []
        own_desk.worker().work()
        listed = auditor.get("/exports").text
        assert 'data-unfinished="0"' in listed
        assert "All activity with outcome failure" in listed
        file, manifest = links(listed)
        with auditor.get(file) as answer:
            data = answer.data
        assert answer.mimetype == "text/csv"
        assert re.search(r"filename=smartwms-audit-\w+-\w+\.csv", answer.headers["Content-Disposition"])
        assert data.count(b"\r\n") == 3
        said = orjson.loads(fetch(auditor, manifest))
        assert said["size_bytes"] == len(data)
        assert "downloaded 1" in " ".join(auditor.get("/exports").text.split())

    def test_a_byte_order_mark_is_asked_for(self, own_desk: Desk, auditor: FlaskClient) -> None:
        ask(auditor, bom="1")
        own_desk.worker().work()
        (file, _) = links(auditor.get("/exports").text)
        assert fetch(auditor, file).startswith(b"\xef\xbb\xbf")

    @pytest.mark.parametrize("form", [{"format": "exe"}, {"format": ""}])
    def test_an_unknown_format_is_refused(self, auditor: FlaskClient, form: dict[str, str]) -> None:
        assert ask(auditor, **form) == 400

    def test_an_impossible_filter_is_named(self, auditor: FlaskClient) -> None:
        page = auditor.get("/exports/new?outcome=maybe")
        assert page.status_code == 400
        assert "“maybe” is none of the outcome values offered." in page.text

    def test_a_pdf_of_too_many_rows_is_not_offered(
        self, auditor: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "PDF_LIMIT_COUNT", 3)
        page = auditor.get("/exports/new").text
        assert "choose CSV, or narrow the search" in page
        assert re.search(r'value="pdf"[^>]*disabled', page)
        assert ask(auditor, format="pdf") == 409

    def test_nobody_keeps_all_workers_to_himself(self, auditor: FlaskClient) -> None:
        answers = [ask(auditor) for _ in range(service.MAX_UNFINISHED_COUNT + 1)]
        assert answers == [303] * service.MAX_UNFINISHED_COUNT + [409]


class TestTheTrail:
    def test_says_that_an_offer_was_looked_at(self, own_desk: Desk, auditor: FlaskClient) -> None:
        auditor.get("/exports/new?outcome=failure")
        searched = own_desk.site.trail()[-1]
        assert searched["Action"] == "searched"
        assert "fail" in str(searched["Sentence"])

    def test_says_who_exported_and_downloaded_what(self, own_desk: Desk, auditor: FlaskClient) -> None:
        ask(auditor, "outcome=failure")
        own_desk.worker().work()
        (file, _) = links(auditor.get("/exports").text)
        fetch(auditor, file)
        exported, downloaded = own_desk.site.trail()[-2:]
        assert (exported["Action"], exported["Rows"], exported["Format"]) == ("exported", 2, "csv")
        assert str(exported["Sentence"]).startswith("All activity with outcome failure")
        assert exported["TenantId"] == TEST
        assert (downloaded["Action"], downloaded["UserName"]) == ("downloaded", "auditor")
        assert downloaded["EntityId"] == exported["EntityId"]

    def test_that_cannot_be_written_lets_nothing_be_exported(
        self, own_desk: Desk, auditor: FlaskClient
    ) -> None:
        csrf = token(auditor, "/exports/new")
        own_desk.site.trail_path.unlink()
        own_desk.site.trail_path.mkdir()
        answer = auditor.post("/exports", data={"csrf_token": csrf, "format": "csv"})
        assert answer.status_code == 503
        assert own_desk.exports.all(ANNA) == []


class TestOthers:
    def test_get_404_for_file_and_manifest(self, own_desk: Desk, auditor: FlaskClient) -> None:
        ask(auditor)
        own_desk.worker().work()
        for link in links(auditor.get("/exports").text):
            for who in ("stranger", "operator"):
                assert own_desk.site.signed_in(who).get(link).status_code == 404
            assert own_desk.site.signed_in("owner").get(link).status_code == 403
            assert own_desk.site.browser().get(link).status_code == 303

    def test_have_their_own_list_and_their_own_events(self, own_desk: Desk, auditor: FlaskClient) -> None:
        ask(auditor)
        stranger = own_desk.site.signed_in("stranger")
        assert "No exports yet" in stranger.get("/exports").text
        assert stranger.get(f"/exports/new?tenant={TEST}").status_code == 404
        assert ask(stranger) == 303
        own_desk.worker().work()
        own_desk.worker().work()
        data = fetch(stranger, links(stranger.get("/exports").text)[0]).decode()
        assert NORD in data
        assert TEST not in data


class TestAFileThatIsGone:
    def test_is_410_with_the_reason(self, own_desk: Desk, auditor: FlaskClient) -> None:
        ask(auditor)
        own_desk.worker().work()
        (file, _) = links(auditor.get("/exports").text)
        for path in own_desk.site.settings.export_dir.glob("*.csv"):
            path.unlink()
        answer = auditor.get(file)
        assert answer.status_code == 410
        assert "AUDIT_WEBUI_EXPORT_DIR" in answer.text

    def test_can_be_asked_for_again(self, own_desk: Desk, auditor: FlaskClient) -> None:
        ask(auditor, "outcome=failure&not_user=li*&q=SKU-505856&in=message")
        own_desk.worker().work()
        own_desk.site.clock.ahead += timedelta(days=8)
        own_desk.worker().work()
        later = own_desk.site.signed_in("auditor")
        found = re.search(r'href="(/exports/new\?[^"]+)">Export the same again', later.get("/exports").text)
        assert found
        assert "<strong>1</strong> event," in later.get(found[1].replace("&amp;", "&")).text

    def test_expires(self, own_desk: Desk, auditor: FlaskClient) -> None:
        ask(auditor)
        own_desk.worker().work()
        (file, _) = links(auditor.get("/exports").text)
        own_desk.site.clock.ahead += timedelta(days=8)
        later = own_desk.site.signed_in("auditor").get(file)
        assert later.status_code == 410
        assert "expired" in later.text
