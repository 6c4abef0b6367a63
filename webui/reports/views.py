"""The pages of the reports: which there are, one on screen, and asking for its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui import trail
from webui.access import Role, identity, needs, reader
from webui.commission import Commission, RefusedError
from webui.question import QuestionError, local_text
from webui.reports import paper, parameters, schedule_views
from webui.reports.definitions import DEFINITIONS
from webui.reports.parameters import LABELS, NUMBERS, PRESETS, USUAL_PRESET, Parameters
from webui.reports.report import Report
from webui.reports.schedules import Schedules
from webui.reports.service import Order, Reports
from webui.tenancy import NotHereError, Reader, TenantFacts

blueprint = Blueprint("reports", __name__, template_folder="templates")

SHOWN_ROWS_COUNT: Final = 50
"""How many rows a table has on screen; its file has all."""


class Job(Protocol):
    """What the pages need to know of an export."""

    @property
    def id(self) -> str:
        """Its id."""


Press = Callable[[Reader, Commission, str, Callable[[Job], None]], object]
"""Puts a commission in the queue of the exports, after having it recorded; RefusedError."""


def register(app: Flask, reports: Reports, schedules: Schedules, press: Press) -> None:
    """Add the feature to an app; `press` is what makes files."""
    app.extensions["audit-reports"] = reports
    app.extensions["audit-schedules"] = schedules
    app.extensions["audit-press"] = press
    app.register_blueprint(blueprint)
    app.register_blueprint(schedule_views.blueprint)


@blueprint.get("/reports")
@needs(Role.AUDITOR)
def index() -> str:
    """Show which reports there are."""
    return render_template("reports/index.html", definitions=DEFINITIONS.values())


@blueprint.get("/reports/<kind>")
@needs(Role.AUDITOR)
def report(kind: str) -> str | tuple[str, int]:
    """Show a report; without a period, what it can be asked for."""
    asked = parameters.read(request.args.items(multi=True))
    if not request.query_string:
        return _page(kind, Parameters(preset=USUAL_PRESET))
    try:
        order = _reports().order(reader(), kind, asked)
        found = _reports().make(order)
    except QuestionError as error:
        return _page(kind, asked, problems=error.problems), 400
    except NotHereError:
        abort(404)
    trail.record(
        "viewed",
        f"{identity().name} looked at a report: {order.sentence}",
        who=identity(),
        entity=("Report", kind),
        query=order.asked.address,
        sentence=order.sentence,
        rows_count=found.count,
    )
    return _page(kind, asked, order=order, found=found)


@blueprint.post("/reports/<kind>")
@needs(Role.AUDITOR)
def ask(kind: str) -> Response | str | tuple[str, int]:
    """Ask for the file of the report that the address says."""
    asked = parameters.read(request.args.items(multi=True))
    try:
        order = _reports().order(reader(), kind, asked)
    except QuestionError as error:
        return _page(kind, asked, problems=error.problems), 400
    except NotHereError:
        abort(404)
    chosen = request.form.get("format", "")

    def record(job: Job) -> None:
        trail.record(
            "exported",
            f"{identity().name} exported a report as {chosen.upper()}: {order.sentence}",
            who=identity(),
            status=303,
            entity=("Export", job.id),
            query=order.asked.address,
            sentence=order.sentence,
            file_format=chosen,
        )

    press: Press = current_app.extensions["audit-press"]
    try:
        press(reader(), paper.commission(order), chosen, record)
    except RefusedError as error:
        return _page(kind, asked, problems={"format": str(error)}), 409
    return redirect(url_for("exports.index"), 303)


def _page(
    kind: str,
    asked: Parameters,
    *,
    order: Order | None = None,
    found: Report | None = None,
    problems: dict[str, str] | None = None,
) -> str:
    if kind not in DEFINITIONS:
        abort(404)
    try:
        place = _reports().place(reader(), asked)
    except NotHereError:
        abort(404)
    dated = "custom" if asked.start or asked.end else asked.preset
    return render_template(
        "reports/report.html",
        definition=DEFINITIONS[kind],
        definitions=DEFINITIONS.values(),
        asked=asked,
        place=place,
        tenants=_reports().tenants(reader()),
        presets=[(value, label, value == dated) for value, label in PRESETS.items()],
        dates=_dates(asked, order, place),
        numbers=[
            (name, (asked.numbers or {}).get(name, "") or str(NUMBERS[name][0]), *NUMBERS[name][1:])
            for name in DEFINITIONS[kind].takes
        ],
        labels=LABELS,
        problems=problems or {},
        report=found.cut(SHOWN_ROWS_COUNT) if found else None,
        fixed=order.asked.address if order else "",
    )


def _dates(asked: Parameters, order: Order | None, place: TenantFacts) -> list[tuple[str, str]]:
    """Give what the two fields of dates show: of a report its period, else what was typed."""
    if asked.preset not in {"", "custom"}:
        return [("from", ""), ("to", "")]
    typed = order.asked if order else asked
    return [("from", local_text(typed.start, place.zone)), ("to", local_text(typed.end, place.zone))]


def _reports() -> Reports:
    found: Reports = current_app.extensions["audit-reports"]
    return found
