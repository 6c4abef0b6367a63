"""The pages of the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui import chart, trail
from webui import question as questions
from webui.access import Role, identity, needs, reader
from webui.alerts import monitor_views
from webui.alerts.alert import VERDICT_WORDS, Alert
from webui.alerts.condition import Template
from webui.alerts.desk import Choice, Desk
from webui.alerts.evidence import Evidence
from webui.alerts.service import SHOWN, Alerts, TriageError, Wanted
from webui.question import Question

blueprint = Blueprint("alerts", __name__, template_folder="templates")

_FILTERS = ("state", "monitor", "tenant", "assignee", "since", "until", "before")


def register(app: Flask, alerts: Alerts, desk: Desk, evidence: Evidence) -> None:
    """Add the feature to an app."""
    app.extensions["audit-alerts"] = alerts
    app.extensions["audit-evidence"] = evidence
    app.register_blueprint(blueprint)
    monitor_views.register(app, desk)


@blueprint.get("/alerts")
@needs(Role.AUDITOR)
def index() -> str:
    """Show the alerts that wait, or those that were closed."""
    wanted = Wanted(**{name: request.args.get(name, "") or getattr(Wanted(), name) for name in _FILTERS})
    try:
        inbox = alerts().inbox(reader(), wanted)
    except TriageError as error:
        abort(400, str(error))
    desk: Desk = current_app.extensions["audit-desk"]
    narrowed = {name: getattr(wanted, name) for name in _FILTERS[:-1] if getattr(wanted, name)}
    return render_template(
        "alerts/inbox.html",
        inbox=inbox,
        wanted=wanted,
        states=SHOWN,
        counts=alerts().counts(reader()),
        pulse=desk.pulse(),
        monitors=[watching.monitor for watching in desk.all(reader())],
        tenants=alerts().tenants(reader()),
        older=urlencode({**narrowed, "before": inbox.older}),
        place=alerts().place,
        zone=desk.zone_of(desk.proposed(reader(), Template.OWN_QUERY)).zone,
        shown=chart.moment_text,
    )


@blueprint.get("/alerts/<alert_id>")
@needs(Role.AUDITOR)
def alert(alert_id: str) -> str:
    """Show one alert with its events."""
    return _page(alerts().get(reader(), alert_id))


@blueprint.post("/alerts/<alert_id>")
@needs(Role.AUDITOR)
def triage(alert_id: str) -> Response | tuple[str, int]:
    """Do something with an alert."""
    before = alerts().get(reader(), alert_id)
    who, note = identity().name, request.form.get("note", "")
    try:
        match request.form.get("do", ""):
            case "acknowledge":
                done, words = alerts().acknowledge(reader(), alert_id, who), "acknowledged"
            case "close":
                verdict = request.form.get("verdict", "")
                done, words = alerts().close(reader(), alert_id, who, verdict, note), f"closed as {verdict}"
            case "reopen":
                done, words = alerts().reopen(reader(), alert_id, who), "re-opened"
            case "assign":
                assignee = request.form.get("assignee", "")
                done = alerts().assign(
                    reader(), alert_id, who, assignee, [each.value for each in people_of(before)]
                )
                words = f"assigned to {assignee or 'nobody'}"
            case "note":
                done, words = alerts().note(reader(), alert_id, who, note), "commented on"
            case _:
                abort(400)
    except TriageError as error:
        return _page(before, str(error)), 409
    record(done, words)
    return redirect(url_for("alerts.alert", alert_id=alert_id), 303)


def record(done: Alert, words: str) -> None:
    """Write what somebody did with an alert to the trail."""
    who = identity()
    trail.record(
        "configured",
        f"{who.name} {words} the alert “{done.title}”",
        who=who,
        status=303,
        entity=("Alert", done.id),
    )


def alerts() -> Alerts:
    """Give the alerts of the installation."""
    found: Alerts = current_app.extensions["audit-alerts"]
    return found


def people_of(found: Alert) -> Sequence[Choice]:
    """Give who may look after an alert."""
    evidence: Evidence = current_app.extensions["audit-evidence"]
    return evidence.people(reader(), found.owner)


def _page(found: Alert, problem: str = "") -> str:
    evidence: Evidence = current_app.extensions["audit-evidence"]
    place = alerts().place(found)
    asked = questions.read(parse_qsl(found.evidence)) if found.evidence else None
    shown = evidence.of(reader(), asked, place.zone) if asked else None
    if shown:
        who = identity()
        said = f"{who.name} looked at the events of the alert “{found.title}”"
        trail.record(
            "viewed", said, who=who, entity=("Alert", found.id), query=found.evidence, sentence=shown.sentence
        )
    return render_template(
        "alerts/alert.html",
        alert=found,
        place=place,
        evidence=shown,
        asked=asked or Question(),
        verdicts=VERDICT_WORDS,
        people=people_of(found),
        related=alerts().related(reader(), found),
        problem=problem,
        shown=chart.moment_text,
    )
