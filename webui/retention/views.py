"""The page of retention, and what an operator does there."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer.trail import ASKED, CONFIRMED, WITHDRAWN
from webui import trail
from webui.access import Role, identity, needs, reader
from webui.retention.service import SHOWN_COUNT, HoldForm, RefusedError, Retention

blueprint = Blueprint("retention_admin", __name__, template_folder="templates")


def register(app: Flask, retention: Retention) -> None:
    """Add the feature to an app."""
    app.extensions["audit-retention"] = retention
    app.register_blueprint(blueprint)


@blueprint.get("/admin/retention")
@needs(Role.ADMIN)
def index() -> str:
    """Show what is kept, what is held, what was deleted."""
    return _page(HoldForm(), {})


@blueprint.post("/admin/retention/holds")
@needs(Role.OPERATOR)
def place_hold() -> Response | tuple[str, int]:
    """Place a legal hold."""
    names = ("tenant", "reason", "start", "end", "entity_type", "entity_id")
    form = HoldForm(**{name: request.form.get(name, "").strip() for name in names})
    try:
        hold = _retention().place(reader(), form, identity().name)
    except RefusedError as error:
        return _page(form, error.problems), 400
    return _done(f"placed a legal hold on {hold.sentence()}: {hold.reason}", hold.tenant)


@blueprint.post("/admin/retention/holds/<hold_id>/release")
@needs(Role.OPERATOR)
def release_hold(hold_id: str) -> Response | tuple[str, int]:
    """Release a hold that another person placed."""
    try:
        hold = _retention().release(reader(), hold_id, request.form.get("reason", ""), identity().name)
    except RefusedError as error:
        return _refused(error)
    return _done(f"released the legal hold on {hold.sentence()}: {hold.release_reason}", hold.tenant)


@blueprint.post("/admin/retention/erasures")
@needs(Role.OPERATOR)
def ask_erasure() -> Response | tuple[str, int]:
    """Ask for the erasure of a tenant."""
    tenant, reason = request.form.get("tenant", ""), request.form.get("reason", "")
    try:
        made = _retention().ask_erasure(reader(), tenant, reason, identity().name)
    except RefusedError as error:
        return _refused(error)
    said = f"asked for the erasure of tenant {made.tenant}: {made.reason}"
    return _done(said, made.tenant, erasure=ASKED)


@blueprint.post("/admin/retention/erasures/<tenant_id>/confirm")
@needs(Role.OPERATOR)
def confirm_erasure(tenant_id: str) -> Response | tuple[str, int]:
    """Confirm an erasure that another person asked for."""
    try:
        made = _retention().confirm_erasure(reader(), tenant_id, identity().name)
    except RefusedError as error:
        return _refused(error)
    said = f"confirmed the erasure of tenant {made.tenant}: {made.reason}"
    return _done(said, made.tenant, erasure=CONFIRMED)


@blueprint.post("/admin/retention/erasures/<tenant_id>/withdraw")
@needs(Role.OPERATOR)
def withdraw_erasure(tenant_id: str) -> Response | tuple[str, int]:
    """Take back an erasure that is not confirmed."""
    try:
        made = _retention().withdraw_erasure(reader(), tenant_id)
    except RefusedError as error:
        return _refused(error)
    return _done(f"took back the erasure of tenant {made.tenant}", made.tenant, erasure=WITHDRAWN)


def _done(what: str, tenant_id: str, *, erasure: str = "") -> Response:
    who = identity()
    said, entity = f"{who.name} {what}", ("Tenant", tenant_id)
    trail.record("configured", said, who=who, status=303, entity=entity, erasure=erasure)
    return redirect(url_for("retention_admin.index"), 303)


def _refused(error: RefusedError) -> tuple[str, int]:
    return _page(HoldForm(), {"": " ".join(error.problems.values())}), 400


def _page(form: HoldForm, problems: dict[str, str]) -> str:
    return render_template(
        "retention/retention.html",
        shown=_retention().shown(reader()),
        form=form,
        problems=problems,
        may_act=identity().role >= Role.OPERATOR,
        shown_count=SHOWN_COUNT,
    )


def _retention() -> Retention:
    found: Retention = current_app.extensions["audit-retention"]
    return found
