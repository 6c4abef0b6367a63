"""The routes of the API. What each takes and gives is said in `openapi`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, current_app, jsonify, request, url_for
from flask_limiter import Limiter
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.wrappers import Response

from indexer.query import iso
from webui import question as questions
from webui import trail
from webui.access import Role, identity, public, reader
from webui.api import alert_routes, door
from webui.api.door import ApiProblem, keyed
from webui.api.keys import Keys
from webui.api.openapi import DESCRIPTION
from webui.commission import RefusedError
from webui.exports import views as export_views
from webui.exports.job import Format, Job
from webui.exports.service import Exports, GoneError
from webui.history.service import Histories, Shown
from webui.question import Question, QuestionError
from webui.search.service import Activity

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
alert_routes.add_to(blueprint)
_FLAGS = {"": False, "0": False, "1": True}


def register(app: Flask, keys: Keys, limiter: Limiter, per_minute: int) -> None:
    """Add the API to an app that has all the features."""
    app.extensions["audit-keys"] = keys
    app.register_blueprint(blueprint)
    # A program has no page with a token; and without a cookie nobody can make a browser send its key.
    app.extensions["csrf"].exempt(blueprint)
    app.register_error_handler(ApiProblem, ApiProblem.answer)
    door.limit(app, limiter, per_minute)


@blueprint.get("/openapi.json")
@public
def description() -> Response:
    """Describe the API."""
    return jsonify(DESCRIPTION)


@blueprint.get("/events")
@keyed(Role.VIEWER)
def events() -> Response:
    """Give a page of events, newest first."""
    asked = _question()
    try:
        listing = _activity().page(reader(), asked, _one("cursor"), _one("at"))
    except QuestionError as error:
        raise _misunderstood(error) from error
    who = identity()
    said = f"{who.name} searched: {listing.sentence}"
    trail.record("searched", said, who=who, query=asked.address, sentence=listing.sentence)
    return jsonify(
        {
            "sentence": listing.sentence,
            "zone": listing.place.zone.key,
            "events": [event.document for event in listing.events],
            "newer": listing.newer or None,
            "older": listing.older or None,
        }
    )


@blueprint.get("/events/<event_id>")
@keyed(Role.VIEWER)
def event(event_id: str) -> Response:
    """Give one event with all its fields, and the others of its request."""
    found = _activity().event(reader(), event_id)
    subject = found.event
    entity = (subject.text("entity.type"), subject.text("entity.id") or subject.text("entity.number"))
    said = f"{identity().name} opened an event: {subject.text('message')}"
    trail.record("viewed", said, who=identity(), entity=entity)
    return jsonify(
        {"event": subject.document, "same_request": [each.document for each in found.same_request]}
    )


@blueprint.get("/history/<kind>/<path:key>")
@keyed(Role.VIEWER)
def history(kind: str, key: str) -> Response:
    """Give a page of an entity's history, newest first."""
    strange = set(request.args) - {"cursor", "requests", "bookkeeping"}
    if strange:
        raise ApiProblem(400, "There is no such parameter.", dict.fromkeys(sorted(strange), "Leave it out."))
    shown = Shown(requests=_flag("requests"), bookkeeping=_flag("bookkeeping"))
    found = _histories().timeline(reader(), kind, key, shown, _one("cursor"))
    said = f"{identity().name} opened the history of {kind} {found.entity.name}"
    trail.record("viewed", said, who=identity(), entity=(kind, found.entity.id or key))
    return jsonify(
        {
            "entity": {"type": kind, "id": found.entity.id, "number": found.entity.number},
            "zone": found.place.zone.key,
            "events": [event.document for event in found.events],
            "newer": found.newer or None,
            "older": found.older or None,
        }
    )


@blueprint.get("/exports")
@keyed(Role.AUDITOR)
def exports() -> Response:
    """Give the exports that were asked for with this key, newest first."""
    return jsonify({"exports": [_shown(job) for job in _exports().all(reader())]})


@blueprint.post("/exports")
@keyed(Role.AUDITOR)
def ask() -> tuple[Response, int, dict[str, str]]:
    """Ask for an export of what the address says."""
    kind, bom = _wanted()
    try:
        offer = _exports().offer(reader(), _question())
        job = _exports().ask(
            reader(), offer, kind, bom=bom, record=lambda job: export_views.record_asked(job, offer)
        )
    except QuestionError as error:
        raise _misunderstood(error) from error
    except RefusedError as error:
        raise ApiProblem(409, str(error)) from error
    return jsonify(_shown(job)), 202, {"Location": url_for("api.export", export_id=job.id)}


@blueprint.get("/exports/<export_id>")
@keyed(Role.AUDITOR)
def export(export_id: str) -> Response:
    """Say how far an export is."""
    return jsonify(_shown(_exports().get(reader(), export_id)))


@blueprint.get("/exports/<export_id>/file")
@keyed(Role.AUDITOR)
def export_file(export_id: str) -> Response:
    """Give the file of an export."""
    try:
        return export_views.sent_file(export_id)
    except GoneError as error:
        raise ApiProblem(410, str(error)) from error


@blueprint.get("/exports/<export_id>/manifest")
@keyed(Role.AUDITOR)
def export_manifest(export_id: str) -> Response:
    """Give the manifest of an export."""
    try:
        return export_views.sent_manifest(export_id)
    except GoneError as error:
        raise ApiProblem(410, str(error)) from error


def _shown(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "format": job.format.value,
        "state": job.state.value,
        "sentence": job.subject.sentence,
        "zone": job.subject.zone.key,
        "created": iso(job.created),
        "finished": iso(job.finished) if job.finished else None,
        "expires": iso(job.expires) if job.expires else None,
        "row_count": job.row_count,
        "total_count": job.total_count,
        "size_bytes": job.size_bytes,
        "sha256": job.sha256 or None,
        "problem": job.problem or None,
    }


def _wanted() -> tuple[Format, bool]:
    """Read the body of a request for an export."""
    try:
        body = request.get_json()
    except UnsupportedMediaType as error:
        raise ApiProblem(415, "Send JSON, with Content-Type: application/json.") from error
    except BadRequest as error:
        raise ApiProblem(400, "The body is no JSON.") from error
    if not isinstance(body, dict):
        raise ApiProblem(400, 'The body is an object such as {"format": "csv"}.')
    faults = dict.fromkeys(sorted(set(body) - {"format", "bom"}), "There is no such member.")
    if body.get("format") not in list(Format):
        faults["format"] = f"One of {', '.join(Format)}."
    if not isinstance(body.get("bom", False), bool):
        faults["bom"] = "true or false."
    if faults:
        raise ApiProblem(400, "The body asks for something impossible.", faults)
    return Format(body["format"]), bool(body.get("bom", False))


def _question() -> Question:
    pairs: MultiDict[str, str] = request.args
    return questions.read([(name, value) for name, value in pairs.items(multi=True) if name != "cursor"])


def _misunderstood(error: QuestionError) -> ApiProblem:
    return ApiProblem(400, "The parameters say something impossible.", error.problems)


def _one(name: str) -> str:
    return request.args.get(name, "")


def _flag(name: str) -> bool:
    try:
        return _FLAGS[_one(name)]
    except KeyError:
        raise ApiProblem(400, "The parameters say something impossible.", {name: "0 or 1."}) from None


def _activity() -> Activity:
    found: Activity = current_app.extensions["audit-activity"]
    return found


def _histories() -> Histories:
    found: Histories = current_app.extensions["audit-histories"]
    return found


def _exports() -> Exports:
    found: Exports = current_app.extensions["audit-exports"]
    return found
