"""The API says to programs what the pages say to people, and no more."""

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from indexer.errors import UnreachableError
from indexer.search import EventSearch
from tests.support import events
from tests.support.events import NORD, TEST
from tests.support.store import Store
from tests.support.web import KEY, Site, build
from tests.webui.api.conftest import Program, Programs, programs_of
from webui.access import Role
from webui.api import openapi
from webui.exports.assembly import make_worker

MINE = events.sample()[3]["event"]["id"]
ORDER = "SO-20261123-0121"
PATHS = [
    "/api/v1/events",
    f"/api/v1/events/{MINE}",
    f"/api/v1/history/SalesOrder/{ORDER}",
    "/api/v1/exports",
    "/api/v1/exports/nosuch",
    "/api/v1/exports/nosuch/file",
    "/api/v1/exports/nosuch/manifest",
]


class TestTheDescription:
    def test_names_every_route_and_no_other(self, programs: Programs) -> None:
        routes = {
            (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
            for rule in programs.site.app.url_map.iter_rules()
            if rule.rule.startswith("/api/")
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }
        described = {
            (path, method) for path, methods in openapi.DESCRIPTION["paths"].items() for method in methods
        }
        assert described == routes

    def test_is_given_to_everybody(self, programs: Programs) -> None:
        answer = programs.nobody().get("/api/v1/openapi.json")
        assert answer.status_code == 200
        assert answer.get_json()["openapi"] == "3.1.0"


class TestEvents:
    def test_begin_at_a_time_as_the_page_does(self, programs: Programs) -> None:
        moment = events.sample()[6]["@timestamp"]
        said = programs().get(f"/api/v1/events?at={moment[:19]}Z").get_json()
        assert said["events"]
        assert all(event["@timestamp"] < moment for event in said["events"])
        answer = programs().get("/api/v1/events?at=noon")
        assert answer.status_code == 400
        assert "no date and time" in answer.get_json()["parameters"]["at"]

    def test_are_those_of_the_page(self, programs: Programs) -> None:
        said = programs().get("/api/v1/events?outcome=failure").get_json()
        assert [event["event"]["action"] for event in said["events"]] == ["deleted", "login_failed"]
        assert said["sentence"] == "All activity with outcome failure, at any time, bookkeeping left out."
        assert (said["zone"], said["older"], said["newer"]) == ("Europe/Stockholm", None, None)

    def test_one_has_all_its_fields(self, programs: Programs) -> None:
        said = programs().get(f"/api/v1/events/{MINE}").get_json()
        assert said["event"] == events.sample()[3]
        assert [event["entity"]["type"] for event in said["same_request"]] == ["SalesOrder", "SalesOrderLine"]

    def test_are_paged_by_cursors_that_fit_their_question_alone(self, programs: Programs) -> None:
        site = programs.site
        many = [events.document(2000 + number, {"message": "many"}) for number in range(60)]
        events.load(site.client, site.store.prefix, many)
        program = programs()
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            said = program.get(f"/api/v1/events?q=many&cursor={cursor}").get_json()
            seen += [event["event"]["id"] for event in said["events"]]
            cursor = said["older"]
            if cursor:
                assert programs.stranger().get(f"/api/v1/events?q=many&cursor={cursor}").status_code == 404
                assert program.get(f"/api/v1/events?q=other&cursor={cursor}").status_code == 404
        assert seen == [event["event"]["id"] for event in reversed(many)]

    def test_a_mistake_is_named(self, programs: Programs) -> None:
        answer = programs().get("/api/v1/events?outcome=maybe&ip=10.0.0.300&nosuch=1")
        assert answer.status_code == 400
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["parameters"]["ip"].startswith("10.0.0.300 is no IP address")


class TestHistory:
    def test_is_found_by_a_number_with_a_slash(self, programs: Programs) -> None:
        entity = {"type": "Invoice", "id": "inv-1", "number": "INV/2026/1"}
        made = events.document(900, {"entity": entity})
        events.load(programs.site.client, programs.site.store.prefix, [made])
        said = programs().get("/api/v1/history/Invoice/INV/2026/1").get_json()
        assert said["entity"] == {"type": "Invoice", "id": "inv-1", "number": "INV/2026/1"}
        assert programs().get("/api/v1/history/Invoice/INV%2F2026%2F1").get_json() == said

    def test_is_that_of_the_page(self, programs: Programs) -> None:
        said = programs().get(f"/api/v1/history/SalesOrder/{ORDER}").get_json()
        assert [event["event"]["action"] for event in said["events"]] == ["status_changed", "created"]
        assert said["entity"]["number"] == ORDER

    @pytest.mark.parametrize("query", ["requests=maybe", "nosuch=1"])
    def test_a_mistake_is_named(self, programs: Programs, query: str) -> None:
        answer = programs().get(f"/api/v1/history/SalesOrder/{ORDER}?{query}")
        assert answer.status_code == 400
        assert query.partition("=")[0] in answer.get_json()["parameters"]


class TestKeys:
    @pytest.mark.parametrize("path", PATHS)
    def test_nothing_opens_without_one(self, programs: Programs, path: str) -> None:
        answer = programs.nobody().get(path)
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("path", PATHS[:4])
    def test_a_session_is_none(self, programs: Programs, path: str) -> None:
        assert programs.site.signed_in("operator").get(path).status_code == 401

    def test_a_page_does_not_open_to_one(self, programs: Programs) -> None:
        assert programs(Role.ADMIN).get("/activity").status_code == 303

    @pytest.mark.parametrize("spoiled", ["cut", "loud", "other"])
    def test_must_be_right_to_the_last_letter(self, programs: Programs, spoiled: str) -> None:
        right = programs()
        other = f"swa_{'0' * 12}{right.text[16:]}"
        text = {"cut": right.text[:-1], "loud": right.text.upper(), "other": other}[spoiled]
        wrong = Program(right.browser, text)
        assert (right.get(PATHS[0]).status_code, wrong.get(PATHS[0]).status_code) == (200, 401)

    def test_ends_when_it_is_revoked(self, programs: Programs) -> None:
        program = programs()
        programs.keys.revoke(program.text.split("_")[1])
        assert program.get(PATHS[0]).status_code == 401

    def test_ends_by_itself(self, programs: Programs) -> None:
        program = programs(days=30)
        clock = programs.site.clock
        clock.ahead += timedelta(days=30)
        try:
            assert program.get(PATHS[0]).status_code == 401
        finally:
            clock.ahead -= timedelta(days=30)

    def test_is_stored_as_a_hash_alone(self, programs: Programs) -> None:
        program = programs()
        found = programs.site.store.get(f"{programs.site.store.prefix}-app-apikeys/_search")
        assert program.text.rpartition("_")[2] not in str(found)

    def test_a_viewers_key_exports_nothing(self, programs: Programs) -> None:
        answer = programs(Role.VIEWER).post("/api/v1/exports", json={"format": "csv"})
        assert answer.status_code == 403
        assert "auditor" in answer.get_json()["detail"]

    def test_use_is_in_the_trail(self, programs: Programs) -> None:
        program = programs()
        program.get("/api/v1/events?user=sofia*")
        program.get(f"/api/v1/events/{MINE}")
        searched, viewed = programs.site.trail()[-2:]
        assert (searched["Action"], viewed["Action"]) == ("searched", "viewed")
        assert searched["UserId"] == f"key:{program.text.split('_')[1]}"
        assert (searched["TenantId"], searched["UserName"]) == (TEST, "key reporting")


class TestAStranger:
    @pytest.mark.parametrize(
        "path", [PATHS[1], PATHS[2], f"/api/v1/events?tenant={TEST}", "/api/v1/exports/{export}", "{file}"]
    )
    def test_gets_404(self, programs: Programs, path: str) -> None:
        export = programs().post("/api/v1/exports", json={"format": "csv"}).get_json()["id"]
        path = path.format(export=export, file=f"/api/v1/exports/{export}/file")
        answer = programs.stranger().get(path)
        if path == PATHS[2]:
            # Both tenants have an order of that number: each sees its own.
            assert {event["tenant"]["id"] for event in answer.get_json()["events"]} == {NORD}
        else:
            assert answer.status_code == 404
        assert TEST not in answer.text

    def test_sees_its_own_events(self, programs: Programs) -> None:
        said = programs.stranger().get("/api/v1/events").get_json()
        assert {event["tenant"]["id"] for event in said["events"]} == {NORD}


class TestErrors:
    @pytest.mark.parametrize(("path", "status"), [("/api/v1/nosuch", 404), ("/api/nosuch", 404)])
    def test_what_is_not_there_is_a_problem_too(self, programs: Programs, path: str, status: int) -> None:
        answer = programs.nobody().get(path)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")

    def test_a_method_that_is_not_there(self, programs: Programs) -> None:
        answer = programs().post("/api/v1/events")
        assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")

    def test_a_store_that_is_away(self, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: object, **__: object) -> None:
            raise UnreachableError("OpenSearch at 10.1.1.1 does not answer")

        program = programs()
        monkeypatch.setattr(EventSearch, "page", away)
        answer = program.get("/api/v1/events")
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert answer.get_json()["error_id"]
        assert "10.1.1.1" not in answer.text


class TestExports:
    def test_are_asked_for_made_and_fetched_with_one_key(self, programs: Programs) -> None:
        site, program = programs.site, programs()
        asked = program.post("/api/v1/exports?outcome=failure", json={"format": "ndjson"})
        assert asked.status_code == 202
        where = asked.headers["Location"]
        assert program.get(where).get_json()["state"] == "waiting"
        assert program.get(f"{where}/file").status_code == 410
        worker = make_worker(site.settings, site.client, site.store.prefix, key=KEY, stopping=Event())
        while worker.work():
            pass
        done = program.get(where).get_json()
        assert (done["state"], done["row_count"]) == ("done", 2)
        with program.get(f"{where}/file") as answer:
            assert len(answer.data.splitlines()) == 2
            assert hashlib.sha256(answer.data).hexdigest() == done["sha256"]
        with program.get(f"{where}/manifest") as answer:
            assert answer.get_json()["complete"] is True
        assert [each["id"] for each in program.get("/api/v1/exports").get_json()["exports"]] == [done["id"]]
        assert programs().get(where).status_code == 404, "another key of the same tenant"
        recorded = [line["Action"] for line in site.trail() if line.get("EntityId") == done["id"]]
        assert recorded == ["exported", "downloaded"]

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({"format": "exe"}, "format"),
            ({"format": "csv", "bom": 1}, "bom"),
            ({"format": "csv", "x": 1}, "x"),
        ],
        ids=["format", "bom", "member"],
    )
    def test_a_mistake_in_the_body_is_named(self, programs: Programs, body: object, named: str) -> None:
        answer = programs().post("/api/v1/exports", json=body)
        assert answer.status_code == 400
        assert named in answer.get_json()["parameters"]


def test_a_key_that_asks_too_often_is_told_to_wait(store: Store, tmp_path: Path) -> None:
    site = build(store, tmp_path, change=lambda each: each.model_copy(update={"api_per_minute": 3}))
    programs = programs_of(site)
    program = programs()
    statuses = [program.get("/api/v1/exports").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert programs().get("/api/v1/exports").status_code == 200, "another key"
    assert program.get("/api/v1/exports").mimetype == "application/problem+json"
    site.client.close()


def test_who_tries_keys_is_shut_out(own_site: Site) -> None:
    wrong = Program(own_site.browser(), f"swa_{'0' * 12}_{'A' * 43}")
    programs_of(own_site)
    statuses = [wrong.get("/api/v1/events").status_code for _ in range(31)]
    assert statuses == [401] * 30 + [429]
