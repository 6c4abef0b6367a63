"""The routes of alerts in the API: the inbox, one alert, and what people do with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from webui import trail
from webui.access import Role, identity, reader
from webui.alerts.alert import MAX_NOTE_CHARS, Alert, Verdict
from webui.alerts.service import Alerts, TriageError, Wanted
from webui.alerts.telling import shown
from webui.alerts.views import alerts, people_of, record
from webui.api.door import ApiProblem, keyed

FILTERS = ("state", "monitor", "tenant", "assignee")
_STRANGE = "There is no such member."
TRIAGE = ("acknowledge", "close", "reopen", "assign", "note")


def add_to(blueprint: Blueprint) -> None:
    """Add the routes to the API's blueprint."""
    blueprint.add_url_rule("/alerts", view_func=list_alerts)
    blueprint.add_url_rule("/alerts/<alert_id>", view_func=alert)
    blueprint.add_url_rule("/alerts/<alert_id>", view_func=triage, methods=["POST"])


@keyed(Role.AUDITOR)
def list_alerts() -> Response:
    """Give a page of alerts, last opened first."""
    strange = set(request.args) - {*FILTERS, "cursor"}
    if strange:
        raise ApiProblem(400, "There is no such parameter.", dict.fromkeys(sorted(strange), "Leave it out."))
    chosen = {name: value for name in FILTERS if (value := request.args.get(name, ""))}
    try:
        inbox = _alerts().inbox(reader(), Wanted(**chosen, before=request.args.get("cursor", "")))
    except TriageError as error:
        raise ApiProblem(400, str(error)) from error
    who = identity()
    trail.record("viewed", f"{who.name} looked at the alerts", who=who)
    return jsonify({"alerts": [shown(alert) for alert in inbox.alerts], "older": inbox.older or None})


@keyed(Role.AUDITOR)
def alert(alert_id: str) -> Response:
    """Give one alert."""
    found = _alerts().get(reader(), alert_id)
    who = identity()
    said = f"{who.name} looked at the alert “{found.title}”"
    trail.record("viewed", said, who=who, entity=("Alert", found.id))
    return jsonify(shown(found))


@keyed(Role.AUDITOR)
def triage(alert_id: str) -> Response:
    """Do something with an alert."""
    wanted = _body()
    before = _alerts().get(reader(), alert_id)
    try:
        done, words = _done(before, wanted)
    except TriageError as error:
        raise ApiProblem(409, str(error)) from error
    record(done, words)
    return jsonify(shown(done))


def _done(before: Alert, wanted: dict[str, str]) -> tuple[Alert, str]:
    who, note = identity().name, wanted.get("note", "")
    match wanted["action"]:
        case "acknowledge":
            return _alerts().acknowledge(reader(), before.id, who), "acknowledged"
        case "close":
            verdict = wanted["verdict"]
            return _alerts().close(reader(), before.id, who, verdict, note), f"closed as {verdict}"
        case "reopen":
            return _alerts().reopen(reader(), before.id, who), "re-opened"
        case "assign":
            assignee = wanted.get("assignee", "")
            people = [each.value for each in people_of(before)]
            done = _alerts().assign(reader(), before.id, who, assignee, people)
            return done, f"assigned to {assignee or 'nobody'}"
        case _:
            return _alerts().note(reader(), before.id, who, note), "commented on"


def _body() -> dict[str, str]:
    try:
        body: Any = request.get_json()
    except UnsupportedMediaType as error:
        raise ApiProblem(415, "Send JSON, with Content-Type: application/json.") from error
    except BadRequest as error:
        raise ApiProblem(400, "The body is no JSON.") from error
    if not isinstance(body, dict):
        raise ApiProblem(400, 'The body is an object such as {"action": "acknowledge"}.')
    if faults := _faults(body):
        raise ApiProblem(400, "The body asks for something impossible.", faults)
    return {name: str(value) for name, value in body.items()}


def _faults(body: dict[str, Any]) -> dict[str, str]:
    faults = dict.fromkeys(sorted(set(body) - {"action", "verdict", "note", "assignee"}), _STRANGE)
    if body.get("action") not in TRIAGE:
        faults["action"] = f"One of {', '.join(TRIAGE)}."
    closing = body.get("action") == "close"
    verdicts = [verdict.value for verdict in Verdict if verdict]
    if closing and body.get("verdict") not in verdicts:
        faults["verdict"] = f"To close, one of {', '.join(verdicts)}."
    if not closing and "verdict" in body:
        faults["verdict"] = "Only to close."
    note = body.get("note", "")
    if not isinstance(note, str) or len(note) > MAX_NOTE_CHARS:
        faults["note"] = f"Text of at most {MAX_NOTE_CHARS} characters."
    elif body.get("action") == "note" and not note.strip():
        faults["note"] = "Write something."
    if not isinstance(body.get("assignee", ""), str):
        faults["assignee"] = "The name of an account, or empty."
    return faults


def _alerts() -> Alerts:
    return alerts()
