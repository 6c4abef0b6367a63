"""The pages of monitors."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui import chart, trail
from webui.access import Role, identity, needs, reader
from webui.alerts import forms
from webui.alerts.condition import GROUP_WORDS, KINDS, Decision, Template
from webui.alerts.desk import Desk, Preview
from webui.alerts.forms import FormError, MonitorForm
from webui.alerts.monitor import EVERY_TENANT, Monitor
from webui.question import QuestionError

blueprint = Blueprint("monitors", __name__, template_folder="templates")


def register(app: Flask, desk: Desk) -> None:
    """Add the pages to an app."""
    app.extensions["audit-desk"] = desk
    app.register_blueprint(blueprint)


@blueprint.get("/monitors")
@needs(Role.ADMIN)
def index() -> str:
    """Show the monitors and how they do."""
    desk = _desk()
    return render_template(
        "alerts/monitors.html",
        watching=desk.all(reader()),
        missing=desk.missing(reader()),
        pulse=desk.pulse(),
        kinds=KINDS,
        zone=desk.zone_of(desk.proposed(reader(), Template.OWN_QUERY)).zone,
        shown=chart.moment_text,
        several=reader().scope.tenant_id is None,
    )


@blueprint.get("/monitors/new")
@needs(Role.ADMIN)
def new() -> str:
    """Show the form of a new monitor, with the template's usual numbers."""
    base = _desk().proposed(reader(), request.args.get("template", Template.FAILED_LOGINS))
    form = forms.form_of(base)
    if query := request.args.get("query", ""):
        form = replace(form, texts={**form.texts, "query": query[:2000]})
    return _form(form, base)


@blueprint.post("/monitors")
@needs(Role.ADMIN)
def add() -> Response | str | tuple[str, int]:
    """Make a monitor, or show what it would have found."""
    base = _desk().proposed(reader(), request.form.get("template", ""))
    form = _typed(base)
    try:
        if request.form.get("do") == "preview":
            return _previewed(form, base)
        made = _desk().add(reader(), form)
    except FormError as error:
        return _form(form, base, error.problems), 400
    _record(made, f"made the monitor “{made.name}”: {made.rule}")
    return redirect(url_for("monitors.index"), 303)


@blueprint.post("/monitors/usual")
@needs(Role.ADMIN)
def add_usual() -> Response:
    """Make the usual monitors that are missing."""
    for made in _desk().add_usual(reader()):
        _record(made, f"made the monitor “{made.name}”: {made.rule}")
    return redirect(url_for("monitors.index"), 303)


@blueprint.get("/monitors/<monitor_id>")
@needs(Role.ADMIN)
def monitor(monitor_id: str) -> str:
    """Show the form of a monitor."""
    base = _desk().one(reader(), monitor_id)
    return _form(forms.form_of(base), base)


@blueprint.post("/monitors/<monitor_id>")
@needs(Role.ADMIN)
def change(monitor_id: str) -> Response | str | tuple[str, int]:
    """Change a monitor, or show what it would have found."""
    base = _desk().one(reader(), monitor_id)
    form = _typed(base)
    revision = request.form.get("revision", "")
    try:
        if request.form.get("do") == "preview":
            return _previewed(form, base)
        changed = _desk().change(reader(), base, form, forms.revision_of(revision))
    except FormError as error:
        return _form(form, base, error.problems), 400
    _record(changed, f"changed the monitor “{changed.name}”: {_difference(base, changed)}")
    return redirect(url_for("monitors.index"), 303)


@blueprint.post("/monitors/<monitor_id>/switch")
@needs(Role.ADMIN)
def switch(monitor_id: str) -> Response:
    """Switch a monitor on or off."""
    wanted = request.form.get("on", "") == "1"
    try:
        changed = _desk().switch(reader(), monitor_id, on=wanted)
    except FormError as error:
        abort(409, str(error))
    _record(changed, f"switched the monitor “{changed.name}” {'on' if wanted else 'off'}")
    return redirect(url_for("monitors.index"), 303)


@blueprint.post("/monitors/<monitor_id>/delete")
@needs(Role.ADMIN)
def delete(monitor_id: str) -> Response:
    """Delete a monitor; its alerts stay."""
    gone = _desk().delete(reader(), monitor_id)
    _record(gone, f"deleted the monitor “{gone.name}”: {gone.rule}")
    return redirect(url_for("monitors.index"), 303)


def _typed(base: Monitor) -> MonitorForm:
    return forms.read(request.form.items(multi=True), base.condition.template)


def _previewed(form: MonitorForm, base: Monitor) -> str | tuple[str, int]:
    typed = _desk().typed(reader(), form, base)
    try:
        found = _desk().preview(typed)
    except QuestionError as error:
        return _form(form, base, {"query": str(error)}), 400
    who = identity()
    # What it would have found tells of events, as a search does.
    said = f"{who.name} looked at what the monitor “{typed.name}” would have found: {typed.rule}"
    trail.record("searched", said, who=who, sentence=typed.rule)
    return _form(form, base, preview=found)


def _form(
    form: MonitorForm,
    base: Monitor,
    problems: dict[str, str] | None = None,
    preview: Preview | None = None,
) -> str:
    desk = _desk()
    views = current_app.extensions["audit-watchable-views"](reader())
    return render_template(
        "alerts/monitor.html",
        form=form,
        base=base,
        kind=base.condition.kind,
        kinds=KINDS,
        problems=problems or {},
        preview=preview,
        group_words=GROUP_WORDS,
        decisions=Decision,
        templates=Template,
        channels=desk.channels(base.owner),
        views=views,
        owners=desk.owners(reader()),
        place=desk.zone_of(base),
        shown=chart.moment_text,
    )


def _difference(before: Monitor, after: Monitor) -> str:
    """Say what was changed, for the trail."""
    old, new = before.document(), after.document()
    old |= old.pop("condition")
    new |= new.pop("condition")
    silent = {"revision", "updated", "updated_by", "since"}
    changed = [
        f"{name.removesuffix('_secs').replace('_', ' ')} {old[name]!r} -> {new[name]!r}"
        for name in new
        if name not in silent and old[name] != new[name]
    ]
    return "; ".join(changed) or "nothing"


def _record(monitor_: Monitor, words: str) -> None:
    who = identity()
    whose = " of all tenants" if monitor_.owner == EVERY_TENANT else ""
    trail.record(
        "configured", f"{who.name} {words}{whose}", who=who, status=303, entity=("Monitor", monitor_.id)
    )


def _desk() -> Desk:
    found: Desk = current_app.extensions["audit-desk"]
    return found
