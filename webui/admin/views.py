"""The pages of administration that are about tenants."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer.classes import PLANS
from webui import trail
from webui.access import Role, identity, needs, reader
from webui.admin.service import TenantAdmin, TenantForm, TenantFormError, TenantShown, form_of

blueprint = Blueprint("admin", __name__, template_folder="templates")


def register(app: Flask, admin: TenantAdmin) -> None:
    """Add the feature to an app."""
    app.extensions["audit-admin"] = admin
    app.register_blueprint(blueprint)


@blueprint.get("/admin")
@needs(Role.ADMIN)
def index() -> str:
    """Show the tenants."""
    return render_template("admin/tenants.html", tenants=_admin().all(reader()))


@blueprint.get("/admin/tenants/<tenant_id>")
@needs(Role.ADMIN)
def tenant(tenant_id: str) -> str:
    """Show one tenant's form and the history of its plans."""
    shown = _admin().one(reader(), tenant_id)
    return _form(form_of(shown), shown, {})


@blueprint.post("/admin/tenants/<tenant_id>")
@needs(Role.ADMIN)
def change_tenant(tenant_id: str) -> Response | tuple[str, int]:
    """Change a tenant."""
    shown = _admin().one(reader(), tenant_id)
    return _save(_typed(tenant_id), shown)


@blueprint.get("/admin/new-tenant")
@needs(Role.OPERATOR)
def new_tenant() -> str:
    """Show an empty form."""
    return _form(TenantForm(), None, {})


@blueprint.post("/admin/new-tenant")
@needs(Role.OPERATOR)
def add_tenant() -> Response | tuple[str, int]:
    """Make a tenant."""
    return _save(_typed(request.form.get("id", "")), None)


def _save(form: TenantForm, shown: TenantShown | None) -> Response | tuple[str, int]:
    try:
        saved = _admin().save(reader(), form)
    except TenantFormError as error:
        return _form(form, shown, error.problems), 400
    who = identity()
    plan = f", plan {saved.plans[-1].plan}" if saved.plans else ""
    said = f"{who.name} set tenant {saved.name}: zone {saved.zone}, hours {saved.hours}{plan}"
    trail.record("configured", said, who=who, status=303, entity=("Tenant", saved.id))
    return redirect(url_for("admin.index"), 303)


def _form(form: TenantForm, shown: TenantShown | None, problems: dict[str, str]) -> str:
    return render_template(
        "admin/tenant.html",
        form=form,
        shown=shown,
        problems=problems,
        plans=PLANS,
        zones=sorted(available_timezones()),
        may_plan=identity().role >= Role.OPERATOR,
    )


def _typed(tenant_id: str) -> TenantForm:
    names = ("name", "zone", "hours", "plan", "start", "days")
    return TenantForm(id=tenant_id.strip().lower(), **{name: request.form.get(name, "") for name in names})


def _admin() -> TenantAdmin:
    found: TenantAdmin = current_app.extensions["audit-admin"]
    return found
