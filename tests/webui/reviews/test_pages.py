"""A review, asked like a browser does: worked through, signed, and not to be changed any more."""

import hashlib
import re
from dataclasses import replace

import pytest
import requests

from indexer.query import OPERATOR, Scope
from tests.support import events
from tests.support.events import NORD, TEST
from tests.support.web import PASSWORD, token
from tests.webui.reviews.conftest import ANNA, Browser, Desk, browser_of
from webui.chart import moment_text
from webui.commission import UnmakeableError
from webui.reviews import paper
from webui.reviews.assembly import makers
from webui.reviews.plan import PlanForm
from webui.reviews.review import Review
from webui.tenancy import Reader

MINE = events.sample()[3]["event"]
THEIRS = events.sample(NORD, events.MARTA)[3]["event"]["id"]
FINDING = {
    "text": "Who was it?",
    "severity": "high",
    "outcome": "open",
    "responsible": "Li",
    "item": "exports",
}


@pytest.fixture
def page(desk: Desk, review: Review) -> Browser:
    return browser_of(desk, review)


def sign(page: Browser, **form: str) -> tuple[int, str]:
    sent = {"password": PASSWORD, "why": "Nobody else was there.", "revision": page.revision(), **form}
    return page.post("sign", **sent)


@pytest.fixture
def signed(page: Browser) -> Browser:
    page.look_at_all()
    assert page.post("findings", **FINDING, events=f"{MINE['id']}")[0] == 303
    assert sign(page)[0] == 303
    return page


class TestTheChecklist:
    def test_keeps_who_looked_at_what_with_which_note(self, page: Browser) -> None:
        assert "0 of 5 looked at" in page.text()
        assert page.post("items/exports", state="looked at", note="All planned.")[0] == 303
        assert "1 of 5 looked at" in page.text()
        assert "All planned." in page.text()

    @pytest.mark.parametrize(
        "form", [{"state": "done"}, {"state": ""}, {"state": "looked at", "note": "x" * 2001}]
    )
    def test_refuses_what_is_no_state_or_too_long(self, page: Browser, form: dict[str, str]) -> None:
        assert page.post("items/exports", **form)[0] == 400
        assert "0 of 5 looked at" in page.text()

    def test_is_looked_at_again_where_late_events_change_a_count(self, desk: Desk, page: Browser) -> None:
        at = {"@timestamp": "2026-11-10T09:00:00.0000000Z", "event.category": "configuration"}
        load = (desk.site.client, desk.site.store.prefix)
        events.load(*load, [events.document(120, at)])
        period = {"from": "2026-11-10", "to": "2026-11-10", "reviewers": "auditor"}
        sent = {"csrf_token": token(page.client, page.page), **period}
        page.page = page.client.post("/reviews/new", data=sent).location
        # Five things did not happen on that day.
        assert "5 of 6 looked at" in page.text()
        page.post("items/configuration", state="looked at", note="Known.")
        assert "6 of 6 looked at" in page.text()
        events.load(*load, [events.document(121, at)])
        assert page.post("count")[0] == 303
        text = page.text()
        assert "5 of 6 looked at" in text
        assert "Configuration changes: 2, look at them" in text
        assert ">Known.</textarea>" in text


class TestAFinding:
    @pytest.mark.parametrize(
        "named", [MINE["id"], f"https://audit.example/activity/{MINE['id']}", f"/activity/{MINE['id']}?x=1#a"]
    )
    def test_rests_on_events_by_id_or_permalink(self, page: Browser, named: str) -> None:
        assert page.post("findings", **FINDING, events=named)[0] == 303
        text = page.text()
        assert f'href="/activity/{MINE["id"]}"' in text
        assert "created sales order SO-20261123-0121" in text
        assert re.search(r'id="state-exports".*?<option value="finding" selected>', text)

    @pytest.mark.parametrize("named", [THEIRS, "nosuch"])
    def test_never_rests_on_what_is_not_of_this_tenant(self, page: Browser, named: str) -> None:
        status, text = page.post("findings", **FINDING, events=named)
        assert status == 400
        assert f"There is no event “{named}” of this tenant." in text
        assert "Who was it?" in text
        assert "created sales order" not in text

    def test_of_an_operator_neither(self, desk: Desk, review: Review) -> None:
        assert browser_of(desk, review, "operator").post("findings", **FINDING, events=THEIRS)[0] == 400

    def test_is_changed_by_its_number(self, page: Browser) -> None:
        page.post("findings", **FINDING, events=MINE["id"])
        changed = {**FINDING, "outcome": "explained", "text": "It was the inventory."}
        assert page.post("findings/1", **changed, events=MINE["id"])[0] == 303
        assert "It was the inventory." in page.text()
        assert page.post("findings/2", **changed, events="")[0] == 404
        assert page.post("findings/0", **changed, events="")[0] == 404

    @pytest.mark.parametrize(
        "wrong", [{"text": ""}, {"severity": "bad"}, {"outcome": ""}, {"item": "weather"}]
    )
    def test_says_what_is_missing(self, page: Browser, wrong: dict[str, str]) -> None:
        assert page.post("findings", **{**FINDING, **wrong}, events="")[0] == 400


class TestASignature:
    def test_waits_until_all_was_looked_at(self, page: Browser) -> None:
        status, text = sign(page)
        assert status == 400
        assert "“Exports and downloads” has not been looked at yet." in text
        page.look_at_all()
        page.post("items/exports", state="finding", note="")
        assert "none was written down for it" in sign(page)[1]

    def test_asks_whoever_is_among_the_reviewed_why(self, page: Browser) -> None:
        page.look_at_all()
        # What the auditor downloaded counts; that they looked at this audit does not.
        assert ">1 of the reviewed events</a> is of auditor (you)" in page.text()
        status, text = sign(page, why=" ")
        assert status == 400
        assert "say why you review them" in text
        assert sign(page)[0] == 303
        assert "1 of the reviewed events were auditor's own: Nobody else was there." in page.text()

    def test_needs_no_reason_of_somebody_else(self, desk: Desk, review: Review, page: Browser) -> None:
        page.look_at_all()
        other = browser_of(desk, review, "admin")
        assert "is of auditor." in other.text()
        assert 'name="why"' not in other.text()
        assert sign(other, why="")[0] == 303
        assert "events were" not in other.text()

    def test_knows_a_reviewer_by_the_names_of_the_plan(self, desk: Desk) -> None:
        (review,) = desk.opened(desk.plan(form=PlanForm(reviewers="auditor: Sofia User\nadmin")))
        text = browser_of(desk, review).text()
        found = re.search(r">(\d+) of the reviewed events</a> are of auditor \(you\)", text)
        assert found
        assert int(found[1]) > 10

    def test_needs_the_password_again(self, desk: Desk, page: Browser) -> None:
        page.look_at_all()
        status, text = sign(page, password="a wrong password")
        assert status == 403
        assert "That is not your password. Nothing was signed." in text
        assert "SHA-256" not in page.text()
        wrong = [line for line in desk.site.trail() if line.get("StatusCode") == 403]
        assert wrong[-1]["Outcome"] == "failure"

    def test_is_not_guessed(self, desk: Desk, review: Review) -> None:
        # Nobody else signs as the operator, who is shut out for a while afterwards.
        page = browser_of(desk, review, "operator")
        page.look_at_all()
        answers = [sign(page, password=f"guess {number}")[0] for number in range(11)]
        assert answers == [403] * 10 + [429]
        assert sign(page)[0] == 429

    def test_is_of_what_was_seen(self, page: Browser) -> None:
        page.look_at_all()
        seen = page.revision()
        page.post("items/exports", state="looked at", note="Changed by somebody else meanwhile.")
        status, text = sign(page, revision=seen)
        assert status == 409
        assert "It was changed since you opened this page." in text

    def test_has_its_hash_on_the_page_in_the_record_and_in_the_trail(
        self, desk: Desk, signed: Browser
    ) -> None:
        text = signed.text()
        found = re.search(r"SHA-256 <code>(\w{64})</code>", text)
        assert found
        record = signed.client.get(f"{signed.page}/records/0")
        assert hashlib.sha256(record.data).hexdigest() == found[1]
        assert record.json
        assert record.json["findings"][0]["events"][0]["id"] == MINE["id"]
        assert record.json["findings"][0]["events"][0]["sha256"] == MINE["hash"]
        said = [line for line in desk.site.trail() if found[1] in str(line["Message"])]
        assert [(line["Action"], line["UserName"]) for line in said] == [("reviewed", "auditor")]

    def test_that_cannot_be_recorded_is_not_given(self, desk: Desk, page: Browser) -> None:
        page.look_at_all()
        sent = {"csrf_token": token(page.client, page.page), "password": PASSWORD, "why": "x"}
        sent["revision"] = page.revision()
        desk.site.trail_path.rename(desk.site.trail_path.with_suffix(".kept"))
        desk.site.trail_path.mkdir()
        assert page.client.post(f"{page.page}/sign", data=sent).status_code == 503
        desk.site.trail_path.rmdir()
        assert "SHA-256" not in page.text()
        assert sign(page)[0] == 303


class TestWhatIsSigned:
    @pytest.mark.parametrize(
        ("path", "form"),
        [
            ("items/exports", {"state": "looked at", "note": "no"}),
            ("findings", {**FINDING, "events": ""}),
            ("findings/1", {**FINDING, "events": ""}),
            ("count", {}),
            ("sign", {"password": PASSWORD, "revision": "1"}),
        ],
        ids=lambda each: each if isinstance(each, str) else "",
    )
    def test_is_not_changed_any_more(self, signed: Browser, path: str, form: dict[str, str]) -> None:
        before = signed.client.get(f"{signed.page}/records/0").data
        status, text = signed.post(path, **form)
        assert status == 409
        assert "signed" in text
        assert signed.client.get(f"{signed.page}/records/0").data == before

    def test_is_refused_by_the_store_too(self, desk: Desk, signed: Browser) -> None:
        where = f"{desk.site.store.url}/{desk.site.store.prefix}-app-reviewrecords/_doc/{signed.id}.0"
        kept = requests.get(where, timeout=30).json()["_source"]
        edits = [
            requests.put(where, json={**kept, "sha256": "0" * 64}, timeout=30).status_code,
            requests.delete(where, timeout=30).status_code,
            requests.post(
                where.replace("_doc", "_update"), json={"doc": {"sha256": "0"}}, timeout=30
            ).status_code,
        ]
        assert edits == [400, 400, 400]
        assert requests.get(where, timeout=30).json()["_source"] == kept

    def test_is_shown_whatever_is_written_into_the_review(
        self, desk: Desk, review: Review, signed: Browser
    ) -> None:
        where = f"{desk.site.store.url}/{desk.site.store.prefix}-app-reviews/_doc/{review.id}"
        source = requests.get(where, timeout=30).json()["_source"]
        forged = {**source, "findings": [], "signed": None, "title": "Nothing found"}
        requests.put(where, json=forged, timeout=30).raise_for_status()
        text = signed.text()
        assert "Who was it?" in text
        assert "Nothing found" not in text
        assert signed.post("items/exports", state="looked at", note="")[0] == 409

    def test_takes_notes_that_name_the_hash_before_them(self, signed: Browser) -> None:
        assert signed.post("notes", note="It was Li.", password="wrong")[0] == 403
        assert signed.post("notes", note=" ", password=PASSWORD)[0] == 400
        assert signed.post("notes", note="It was Li.", password=PASSWORD)[0] == 303
        assert signed.post("notes", note="And it is fixed.", password=PASSWORD)[0] == 303
        records = [signed.client.get(f"{signed.page}/records/{number}") for number in range(4)]
        assert [each.status_code for each in records] == [200, 200, 200, 404]
        said = records[2].json
        assert said
        assert said["follows"] == hashlib.sha256(records[1].data).hexdigest()
        text = signed.text()
        assert "It was Li." in text
        assert "does not hold" not in text

    def test_of_nothing_has_no_notes_and_no_record(self, page: Browser) -> None:
        assert page.post("notes", note="Too early.", password=PASSWORD)[0] == 400
        assert page.client.get(f"{page.page}/records/0").status_code == 404


class TestAsADocument:
    @pytest.mark.parametrize("who", ["auditor", "operator"])
    def test_a_review_says_whether_it_is_signed(self, desk: Desk, review: Review, who: str) -> None:
        page = browser_of(desk, review, who)
        assert page.post("export")[0] == 303
        (newest, *_) = desk.site.app.extensions["audit-exports"].all(
            Reader(who, Scope(TEST) if who == "auditor" else OPERATOR)
        )
        maker = makers(desk.site.client, desk.site.store.prefix, desk.site.clock)[newest.subject.maker]
        paper = maker(newest.subject, {"Asked for by": who}, lambda: None)
        assert "Not signed yet" in paper.page
        assert "Permissions and roles" in paper.page
        assert [row[1] for row in paper.rows] == [item.title for item in review.items]

    def test_what_people_wrote_is_no_markup(self, desk: Desk, signed: Browser) -> None:
        shown = desk.reviews.one(ANNA, signed.id)
        evil = replace(shown.review, title="<script>alert(1)</script>")
        page = paper.page(replace(shown, review=evil), {})
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
        assert "Not signed yet" not in page

    def test_of_another_tenant_is_not_made(self, desk: Desk, review: Review) -> None:
        stranger = Reader("stranger", Scope(NORD))
        asked = paper.commission(stranger, review)
        make = makers(desk.site.client, desk.site.store.prefix, desk.site.clock)[asked.maker]
        with pytest.raises(UnmakeableError):
            make(asked, {}, lambda: None)


class TestTheOverview:
    def test_counts_what_is_overdue(self, desk: Desk, review: Review) -> None:
        desk.later(days=4)
        late = desk.site.signed_in("auditor")
        figure = re.search(
            r'href="/reviews">\s*<span class="figure-name">Overdue reviews</span>\s*<strong[^>]*>(\d+)',
            late.get("/").text,
        )
        assert figure
        assert int(figure[1]) == desk.reviews.overdue_count(ANNA) > 0
        assert f"overdue since {moment_text(review.due, review.zone)}" in late.get("/reviews").text
        assert "Overdue reviews" not in desk.site.signed_in("owner").get("/").text


class TestOthers:
    def test_find_no_review_of_another_tenant(self, desk: Desk, review: Review, signed: Browser) -> None:
        stranger = browser_of(desk, review, "stranger")
        for path in ("", "/records/0"):
            assert stranger.client.get(f"{signed.page}{path}").status_code == 404
        csrf = token(stranger.client, "/reviews/new")
        for path in ("sign", "count", "notes", "export", "findings", "findings/1", "items/exports"):
            answer = stranger.client.post(
                f"{signed.page}/{path}", data={"csrf_token": csrf, "state": "looked at"}
            )
            assert answer.status_code == 404, path
        assert "Weekly review" not in stranger.client.get("/reviews").text

    def test_without_the_role_are_refused(self, desk: Desk, review: Review) -> None:
        assert desk.client("owner").get(f"/reviews/{review.id}").status_code == 403
        assert desk.client("auditor").get("/reviews/plans").status_code == 403

    def test_of_the_operator_see_all_tenants(self, desk: Desk) -> None:
        desk.opened(desk.plan())
        desk.opened(desk.plan(NORD, PlanForm(reviewers="stranger", name="Of the north")))
        text = desk.client("operator").get("/reviews").text
        assert "Of the north" in text
        assert "Weekly review, week 48" in text
