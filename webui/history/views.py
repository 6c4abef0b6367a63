"""The pages of one entity and of one user."""

from __future__ import annotations

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui import chart, trail
from webui.access import Role, identity, needs, reader
from webui.history import page
from webui.history.service import SPANS, USUAL_SPAN, Entity, Histories, Shown
from webui.question import PRESETS, Question, QuestionError, local_text
from webui.rows import days as rows_by_day
from webui.wording import entity_name

blueprint = Blueprint("history", __name__, template_folder="templates")

# What people ask for most; any other type can be typed.
KINDS = (
    *("SalesOrder", "PurchaseOrder", "Product", "StockLevel", "StockAdjustment", "StockTransfer"),
    *("ApplicationUser", "ApplicationRole", "SystemSetting", "Warehouse", "Location", "Customer", "Supplier"),
)


def register(app: Flask, histories: Histories) -> None:
    """Add the feature to an app."""
    app.extensions["audit-histories"] = histories
    app.register_blueprint(blueprint)


@blueprint.get("/history")
@needs(Role.VIEWER)
def find() -> str | Response:
    """Ask which history is wanted, or lead to it."""
    kind, key = (request.args.get(name, "").strip() for name in ("type", "id"))
    if kind and key:
        return redirect(url_for("history.timeline", kind=kind, key=key), 303)
    return render_template(
        "history/find.html", kinds=[(each, entity_name(each)) for each in KINDS], kind=kind
    )


@blueprint.get("/history/<kind>/<path:key>")
@needs(Role.VIEWER)
def timeline(kind: str, key: str) -> str:
    """Show the history of an entity."""
    shown = Shown(requests="requests" in request.args, bookkeeping="bookkeeping" in request.args)
    found = _histories().timeline(reader(), kind, key, shown, request.args.get("cursor", ""))
    _record(found.entity, "opened the history of")
    return render_template(
        "history/timeline.html",
        entity=found.entity,
        place=found.place,
        days=page.days(found.events, found.place.zone, found.names),
        shown=shown,
        newer=found.newer,
        older=found.older,
        on_first_page="cursor" not in request.args,
    )


@blueprint.get("/state/<kind>/<path:key>")
@needs(Role.VIEWER)
def state(kind: str, key: str) -> str | tuple[str, int]:
    """Show what an entity was at a moment."""
    at = request.args.get("at", "")
    problem = ""
    try:
        entity, place, found = _histories().at_moment(reader(), kind, key, at)
    except QuestionError as error:
        problem = error.problems["at"]
        entity, place, found = _histories().at_moment(reader(), kind, key, "")
    _record(entity, "looked at an earlier state of")
    shown = page.version(found, place.zone)
    answer = render_template(
        "history/state.html",
        entity=entity,
        place=place,
        version=shown,
        at=at if problem else local_text(found.moment.isoformat(), place.zone)[:19],
        problem=problem,
    )
    return (answer, 400) if problem else answer


@blueprint.get("/compare/<kind>/<path:key>")
@needs(Role.VIEWER)
def compare(kind: str, key: str) -> str | tuple[str, int]:
    """Compare what an entity was after two of its events."""
    ids = request.args.get("a", ""), request.args.get("b", "")
    if not all(ids):
        abort(400)
    entity, place, earlier, later = _histories().versions(reader(), kind, key, ids)
    _record(entity, "compared versions of")
    return render_template(
        "history/compare.html",
        entity=entity,
        place=place,
        earlier=page.version(earlier, place.zone),
        later=page.version(later, place.zone),
        earlier_event=earlier.event,
        later_event=later.event,
        differences=page.compared(earlier, later, place.zone),
    )


@blueprint.get("/users/<path:key>")
@needs(Role.VIEWER)
def user(key: str) -> str:
    """Show one user through time."""
    span = request.args.get("range", USUAL_SPAN)
    if span not in SPANS:
        abort(400)
    person = _histories().person(reader(), key, span)
    who = identity()
    trail.record(
        "viewed",
        f"{who.name} opened the page of user {person.name}, {SPANS[span][0].lower()}",
        who=who,
        entity=("ApplicationUser", person.id or person.name),
    )
    period = Question(preset=span) if span in PRESETS else Question().within(person.window)
    asked = period.any_of("user", person.keys)
    zone = person.place.zone
    habits = person.habits
    return render_template(
        "history/user.html",
        person=person,
        place=person.place,
        span=span,
        spans=[(value, label) for value, (label, _) in SPANS.items()],
        asked=asked,
        chart=page.habits_chart(habits, asked, zone) if habits else None,
        heat=page.heat(habits) if habits else (),
        addresses=page.habits_of(habits.addresses, zone) if habits else (),
        agents=page.habits_of(habits.agents, zone) if habits else (),
        first=chart.moment_text(habits.first, zone) if habits else "",
        last=chart.moment_text(habits.last, zone) if habits else "",
        exports=rows_by_day(person.exports, zone, person.names),
        permissions=rows_by_day(person.permissions, zone, person.names),
    )


def _record(entity: Entity, words: str) -> None:
    who = identity()
    said = f"{who.name} {words} {entity_name(entity.kind)} {entity.name}"
    trail.record("viewed", said, who=who, entity=(entity.kind, entity.id or entity.key))


def _histories() -> Histories:
    found: Histories = current_app.extensions["audit-histories"]
    return found
