"""Alerts and their triage, for programs."""

import pytest

from tests.support import watching
from tests.webui.api.conftest import Programs
from webui.access import Role

PATH = f"/api/v1/alerts/{watching.ALERT}"


def test_the_inbox_and_one_alert_say_the_same(programs: Programs) -> None:
    program = programs()
    (listed,) = program.get("/api/v1/alerts?state=all").get_json()["alerts"]
    one = program.get(PATH).get_json()
    assert listed == one
    assert one["title"] == "5 failed logins from 198.51.100.24"
    assert one["group"] == {"by": "ip", "value": "198.51.100.24"}
    assert one["evidence"].startswith("/activity?from=2026-11-23T06")


def test_triage_is_done_by_a_key_and_in_the_trail(programs: Programs) -> None:
    program = programs()
    closed = program.post(PATH, {"action": "close", "verdict": "false", "note": "a drill"}).get_json()
    assert (closed["state"], closed["verdict"]) == ("closed", "false")
    assert closed["steps"][-1]["note"] == "a drill"
    assert str(programs.site.trail()[-1]["Message"]).startswith("key reporting closed as false the alert")
    assert program.get("/api/v1/alerts").get_json() == {"alerts": [], "older": None}
    assert program.post(PATH, {"action": "close", "verdict": "real"}).status_code == 409
    assert program.post(PATH, {"action": "reopen"}).get_json()["state"] == "acknowledged"
    assert program.post(PATH, {"action": "assign", "assignee": "admin"}).get_json()["assignee"] == "admin"
    assert program.post(PATH, {"action": "assign", "assignee": "stranger"}).status_code == 409


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "action"),
        ({"action": "close"}, "verdict"),
        ({"action": "reopen", "verdict": "real"}, "verdict"),
        ({"action": "note", "note": " "}, "note"),
        ({"action": "note", "note": 5}, "note"),
        ({"action": "assign", "assignee": None}, "assignee"),
        ({"action": "acknowledge", "who": "me"}, "who"),
    ],
)
def test_a_body_that_asks_for_something_impossible_is_named(
    programs: Programs, body: dict[str, object], fault: str
) -> None:
    answer = programs().post(PATH, body)
    assert answer.status_code == 400
    assert list(answer.get_json()["parameters"]) == [fault]


def test_nobody_else_sees_or_changes_it(programs: Programs) -> None:
    for program, status in (
        (programs.stranger(), 404),
        (programs(Role.VIEWER), 403),
        (programs.nobody(), 401),
    ):
        assert program.get(PATH).status_code == status
        assert program.post(PATH, {"action": "acknowledge"}).status_code == status
    assert programs.stranger().get("/api/v1/alerts?state=all").get_json()["alerts"] == []


@pytest.mark.parametrize(
    "query",
    [
        "state=unknown",
        "cursor=made-up",
        f"cursor=2026-99-99T99:99:99.999999Z~2026-11-23T00:00:00.000000Z~{'a' * 24}-1",
        "nosuch=1",
    ],
)
def test_an_impossible_question_is_400(programs: Programs, query: str) -> None:
    assert programs().get(f"/api/v1/alerts?{query}").status_code == 400
