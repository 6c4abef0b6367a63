"""The pages on which an administrator plans reviews."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer.event import NO_TENANT, Category
from webui import trail
from webui.access import Role, identity, needs, reader
from webui.reviews.plan import FormError, Plan, PlanForm, form_of
from webui.reviews.service import Reviews
from webui.reviews.week import WEEKDAYS

blueprint = Blueprint("reviews_plans", __name__, template_folder="templates")

Page = str | Response | tuple[str, int]


@blueprint.get("/reviews/plans")
@needs(Role.ADMIN)
def plans() -> str:
    """Show the plans, and the form for another."""
    return _list(PlanForm(reviewers=""), {})


@blueprint.post("/reviews/plans")
@needs(Role.ADMIN)
def add_plan() -> Page:
    """Make a plan."""
    form = _typed()
    chosen = request.form.get("tenant", "")
    place = _service().place(reader(), chosen)
    if place.id in {"", NO_TENANT}:
        return _list(form, {"tenant": "Choose a tenant."}), 400
    try:
        plan = _service().plans.add(place.id, form)
    except FormError as error:
        return _list(form, error.problems, chosen), 400
    _record("planned", plan)
    return redirect(url_for("reviews_plans.plans"), 303)


@blueprint.get("/reviews/plans/<plan_id>")
@needs(Role.ADMIN)
def plan(plan_id: str) -> str:
    """Show one plan's form."""
    found = _service().plans.get(reader(), plan_id)
    return _one(found, form_of(found), {})


@blueprint.post("/reviews/plans/<plan_id>")
@needs(Role.ADMIN)
def change_plan(plan_id: str) -> Page:
    """Change a plan, or switch it on or off."""
    found, form = _service().plans.get(reader(), plan_id), _typed()
    try:
        changed = _service().plans.change(reader(), plan_id, form)
    except FormError as error:
        return _one(found, form, error.problems), 400
    _record("changed the plan of", changed)
    return redirect(url_for("reviews_plans.plans"), 303)


def _list(form: PlanForm, problems: dict[str, str], tenant: str = "") -> str:
    return render_template(
        "reviews/plans.html",
        plans=_service().plans.of(reader().scope.tenant_id),
        names={each.id: each.name for each in _service().tenants(reader())},
        tenants=_service().tenants(reader()),
        tenant=tenant,
        **_form(form, problems),
    )


def _one(plan: Plan, form: PlanForm, problems: dict[str, str]) -> str:
    place = _service().place(reader(), plan.tenant)
    return render_template("reviews/plan.html", plan=plan, place=place, **_form(form, problems))


def _form(form: PlanForm, problems: dict[str, str]) -> dict[str, object]:
    return {
        "form": form,
        "problems": problems,
        "weekdays": list(enumerate(WEEKDAYS, 1)),
        "categories": [each.value for each in Category],
    }


def _typed() -> PlanForm:
    sent = request.form
    return PlanForm(
        name=sent.get("name", ""),
        weekday=sent.get("weekday", ""),
        categories=tuple(sent.getlist("category")),
        users=sent.get("users", ""),
        types=sent.get("types", ""),
        reviewers=sent.get("reviewers", ""),
        due_days=sent.get("due_days", ""),
        on=sent.get("on") == "1",
    )


def _record(words: str, plan: Plan) -> None:
    who = identity()
    reviewers = ", ".join(each.account for each in plan.reviewers)
    state = "on" if plan.on else "off"
    said = (
        f"{who.name} {words} reviews “{plan.name}”: {WEEKDAYS[plan.weekday - 1]}s, by {reviewers}, "
        f"within {plan.due_days} days, {state}"
    )
    trail.record("configured", said, who=who, status=303, entity=("ReviewPlan", plan.id))


def _service() -> Reviews:
    found: Reviews = current_app.extensions["audit-reviews"]
    return found
