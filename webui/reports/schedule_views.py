"""The pages of scheduled reports: the list, making one, pausing and deleting it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui import trail
from webui.access import Role, identity, needs, reader
from webui.chart import moment_text
from webui.question import QuestionError
from webui.reports import parameters
from webui.reports.definitions import DEFINITIONS
from webui.reports.schedule import DELAY, MADE_UP_COUNT, Every, Schedule
from webui.reports.schedules import Form, Schedules
from webui.reports.service import Reports
from webui.tenancy import NotHereError, Reader

blueprint = Blueprint("reports_schedules", __name__, template_folder="templates")

LABELS = {
    "kind": "Report",
    "every": "How often",
    "format": "Format",
    "user": "Users",
    "channels": "Channels",
}


@blueprint.get("/reports/schedules")
@needs(Role.AUDITOR)
def index() -> str:
    """Show what is made regularly."""
    asked = Form(kind=request.args.get("kind", ""), tenant=request.args.get("tenant", ""))
    return _page(asked)


@blueprint.post("/reports/schedules")
@needs(Role.AUDITOR)
def add() -> Response | tuple[str, int]:
    """Make a schedule."""
    typed = request.form
    form = Form(
        kind=typed.get("kind", ""),
        every=typed.get("every", ""),
        format=typed.get("format", ""),
        users=parameters.read([("user", typed.get("user", ""))]).users,
        tenant=request.args.get("tenant", ""),
        channels=tuple(typed.getlist("channels")),
    )
    try:
        made = _schedules().add(reader(), form)
    except QuestionError as error:
        return _page(form, error.problems), 400
    except NotHereError:
        abort(404)
    _record("scheduled", made)
    return redirect(url_for("reports_schedules.index", tenant=form.tenant or None), 303)


@blueprint.post("/reports/schedules/<schedule_id>/pause")
@needs(Role.AUDITOR)
def pause(schedule_id: str) -> Response:
    """Make no more of it."""
    return _change(schedule_id, "paused", _schedules().pause)


@blueprint.post("/reports/schedules/<schedule_id>/resume")
@needs(Role.AUDITOR)
def resume(schedule_id: str) -> Response:
    """Make it again."""
    return _change(schedule_id, "resumed", _schedules().resume)


@blueprint.post("/reports/schedules/<schedule_id>/delete")
@needs(Role.AUDITOR)
def delete(schedule_id: str) -> Response:
    """Forget it."""
    return _change(schedule_id, "deleted", _schedules().delete)


def _change(schedule_id: str, word: str, change: Callable[[Reader, str], Schedule]) -> Response:
    try:
        schedule = change(reader(), schedule_id)
    except NotHereError:
        abort(404)
    _record(word, schedule)
    return redirect(url_for("reports_schedules.index"), 303)


def _record(word: str, schedule: Schedule) -> None:
    title = DEFINITIONS[schedule.kind].title
    users = f" of {', '.join(schedule.users)}" if schedule.users else ""
    trail.record(
        "configured",
        f"{identity().name} {word} the {schedule.every} report {title}{users} as {schedule.format.upper()}",
        who=identity(),
        status=303,
        entity=("ReportSchedule", schedule.id),
        file_format=schedule.format,
    )


def _page(form: Form, problems: dict[str, str] | None = None) -> str:
    reports: Reports = current_app.extensions["audit-reports"]
    try:
        place = reports.place(reader(), parameters.Parameters(tenant=form.tenant))
        channels = _schedules().channels(reader(), form.tenant)
    except NotHereError:
        abort(404)
    return render_template(
        "reports/schedules.html",
        shown=_schedules().all(reader()),
        form=form,
        place=place,
        tenants=reports.tenants(reader()),
        definitions=DEFINITIONS.values(),
        every=list(Every),
        channels=channels,
        problems=problems or {},
        labels=LABELS,
        local=_local,
        delay_hours=DELAY.seconds // 3600,
        made_up=MADE_UP_COUNT,
    )


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment_text(moment, zone)


def _schedules() -> Schedules:
    found: Schedules = current_app.extensions["audit-schedules"]
    return found
