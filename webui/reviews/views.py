"""The pages of reviews: the list, one review to work through, and what was signed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask_limiter import Limiter, RequestLimit
from werkzeug.wrappers import Response

from indexer.event import Category
from webui import trail
from webui.access import Role, identity, needs, reader
from webui.chart import moment_text
from webui.commission import Commission, RefusedError
from webui.proving import Prover, UnprovenError
from webui.reviews import paper, plan_views
from webui.reviews.archive import SignedError
from webui.reviews.checklist import ABOUT, TITLES, event_path
from webui.reviews.plan import FormError
from webui.reviews.record import Record
from webui.reviews.review import ItemState, Outcome, Review, Severity
from webui.reviews.service import UNFINISHED, Reviews, Shown, StaleError
from webui.tenancy import NotHereError, Reader

LIMIT_CONFIRM: Final = "10 per 5 minutes; 30 per hour"
"""How often a password may be wrong where something is signed: as at the sign-in."""

blueprint = Blueprint("reviews", __name__, template_folder="templates")
Page = str | Response | tuple[str, int]


class Job(Protocol):
    """What the pages need to know of an export."""

    @property
    def id(self) -> str:
        """Its id."""


Press = Callable[[Reader, Commission, str, Callable[[Job], None]], object]
"""Puts a commission in the queue of the exports, after having it recorded; RefusedError."""


def register(app: Flask, reviews: Reviews, limiter: Limiter, press: Press) -> None:
    """Add the feature to an app; `press` is what makes files."""
    app.extensions["audit-reviews"] = reviews
    app.extensions["audit-reviews-press"] = press
    app.register_blueprint(blueprint)
    app.register_blueprint(plan_views.blueprint)
    limited = limiter.shared_limit(
        LIMIT_CONFIRM,
        scope="signing",
        key_func=lambda: f"signing:{identity().id}",
        deduct_when=_unconfirmed,
        on_breach=_record_breach,
    )
    app.view_functions["reviews.sign"] = limited(sign)
    app.view_functions["reviews.add_note"] = limited(add_note)


def _record_breach(_limit: RequestLimit) -> None:
    """Record an attempt that is not even tried, as at the sign-in."""
    said = f"{identity().name} was not let sign: too many wrong passwords"
    trail.record("reviewed", said, who=identity(), failed=True, status=429)


def _unconfirmed(response: Any) -> bool:  # noqa: ANN401  flask-limiter's own signature
    return bool(response.status_code == 403)  # noqa: PLR2004  only a wrong password counts


@blueprint.get("/reviews")
@needs(Role.AUDITOR)
def index() -> str:
    """Show the reviews: those to be done first."""
    found = _service().all(reader())
    trail.record("viewed", f"{identity().name} looked at the reviews", who=identity())
    return render_template(
        "reviews/index.html",
        open=[each for each in found if each.signed is None],
        signed=[each for each in found if each.signed is not None],
        now=_service().now,
        tenants=_service().tenants(reader()),
        plans_count=len(_service().plans.of(reader().scope.tenant_id)),
        may_plan=identity().role >= Role.ADMIN,
        moment_text=moment_text,
    )


@blueprint.get("/reviews/new")
@needs(Role.AUDITOR)
def new() -> str:
    """Show the form that opens a review of any period."""
    return _new_form({"reviewers": identity().id}, (), {})


@blueprint.post("/reviews/new")
@needs(Role.AUDITOR)
def start() -> Page:
    """Open a review of a period."""
    categories = tuple(request.form.getlist("category"))
    tenant = request.form.get("tenant", "") or identity().scope.tenant_id or ""
    try:
        made = _service().start(reader(), tenant, request.form, categories)
    except FormError as error:
        return _new_form(request.form, categories, error.problems), 400
    _record(f"opened the review “{made.title}”", made)
    return redirect(url_for("reviews.review", review_id=made.id), 303)


@blueprint.get("/reviews/<review_id>")
@needs(Role.AUDITOR)
def review(review_id: str) -> str:
    """Show a review: its checklist, its findings, and what was signed."""
    shown = _service().one(reader(), review_id)
    said = f"{identity().name} looked at the review “{shown.review.title}”"
    trail.record("viewed", said, who=identity(), entity=("Review", review_id))
    return _page(shown)


@blueprint.post("/reviews/<review_id>/count")
@needs(Role.AUDITOR)
def recount(review_id: str) -> Page:
    """Take the counts again."""

    def change() -> str:
        changed = _service().recount(reader(), review_id)
        _record(f"had the review “{changed.title}” counted again", changed)
        return ""

    return _changed(review_id, change)


@blueprint.post("/reviews/<review_id>/items/<key>")
@needs(Role.AUDITOR)
def look_at(review_id: str, key: str) -> Page:
    """Say how far an item of the checklist is."""

    def change() -> str:
        state, note = request.form.get("state", ""), request.form.get("note", "")
        changed = _service().look_at(reader(), review_id, key, state, note)
        _record(f"set “{TITLES[key]}” of the review “{changed.title}” to {state}", changed)
        return f"item-{key}"

    return _changed(review_id, change)


@blueprint.post("/reviews/<review_id>/findings")
@needs(Role.AUDITOR)
def add_finding(review_id: str) -> Page:
    """Write a finding down."""

    def change() -> str:
        changed = _service().find(reader(), review_id, 0, request.form)
        number = len(changed.findings)
        _record(f"wrote finding {number} of the review “{changed.title}” down", changed)
        return f"finding-{number}"

    return _changed(review_id, change, form="finding")


@blueprint.post("/reviews/<review_id>/findings/<int:number>")
@needs(Role.AUDITOR)
def change_finding(review_id: str, number: int) -> Page:
    """Change a finding."""
    if number < 1:
        raise NotHereError

    def change() -> str:
        changed = _service().find(reader(), review_id, number, request.form)
        _record(f"changed finding {number} of the review “{changed.title}”", changed)
        return f"finding-{number}"

    return _changed(review_id, change, form=f"finding-{number}")


@blueprint.post("/reviews/<review_id>/sign")
@needs(Role.AUDITOR)
def sign(review_id: str) -> Page:
    """Sign a review off."""

    def change() -> str:
        _service().sign(
            reader(),
            identity().role.word,
            review_id,
            prove=_prove,
            revision=request.form.get("revision", ""),
            why=request.form.get("why", ""),
            record=lambda made: _record_signed("signed the review off", made),
        )
        return "signed"

    return _changed(review_id, change, form="sign")


@blueprint.post("/reviews/<review_id>/notes")
@needs(Role.AUDITOR)
def add_note(review_id: str) -> Page:
    """Sign a note to a signed review."""

    def change() -> str:
        _service().add_note(
            reader(),
            identity().role.word,
            review_id,
            prove=_prove,
            note=request.form.get("note", ""),
            record=lambda made: _record_signed(f"signed note {made.number} to the review", made),
        )
        return "signed"

    return _changed(review_id, change, form="note")


@blueprint.post("/reviews/<review_id>/export")
@needs(Role.AUDITOR)
def export(review_id: str) -> Page:
    """Ask for the review as a PDF."""
    wanted = paper.commission(reader(), _service().one(reader(), review_id).review)

    def record(job: Job) -> None:
        trail.record(
            "exported",
            f"{identity().name} exported a review as PDF: {wanted.sentence}",
            who=identity(),
            status=303,
            entity=("Export", job.id),
            sentence=wanted.sentence,
            file_format="pdf",
        )

    press: Press = current_app.extensions["audit-reviews-press"]
    try:
        press(reader(), wanted, "pdf", record)
    except RefusedError as error:
        return _refused(review_id, "", {"": str(error)}, 409)
    return redirect(url_for("exports.index"), 303)


@blueprint.get("/reviews/<review_id>/records/<int:number>")
@needs(Role.AUDITOR)
def record(review_id: str, number: int) -> Response:
    """Give what was signed, byte for byte: its SHA-256 is the one on the page."""
    shown = _service().one(reader(), review_id)
    found = next((each for each in shown.records if each.number == number), None)
    if found is None:
        raise NotHereError
    said = f"{identity().name} downloaded record {number} of the review “{shown.review.title}”"
    trail.record("downloaded", said, who=identity(), entity=("Review", review_id), file_format="json")
    name = f"smartwms-audit-review-{found.id}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found.text.encode(), content_type="application/json", headers=headers)


def _service() -> Reviews:
    """Give the service of this app."""
    found: Reviews = current_app.extensions["audit-reviews"]
    return found


def _prover() -> Prover:
    found: Prover = current_app.extensions["audit-prover"]
    return found


def _prove() -> str:
    """Say by what whoever signs has shown who they are; UnprovenError."""
    return _prover().prove(identity().id, request.form.get("password", ""))


def _changed(review_id: str, change: Callable[[], str], form: str = "") -> Page:
    """Do a step and lead back to where it was done; what keeps it from being done is said on the page."""
    try:
        anchor = change()
    except FormError as error:
        return _refused(review_id, form, error.problems, 400)
    except (SignedError, StaleError) as error:
        if form in {"sign", "note"}:
            # Whose line says that they signed, and who was second all the same, has a line that says so.
            said = f"{identity().name} signed nothing: {error}"
            trail.record(
                "reviewed", said, who=identity(), failed=True, status=409, entity=("Review", review_id)
            )
        return _refused(review_id, form, {"": str(error)}, 409)
    except UnprovenError as error:
        said = f"{identity().name} did not show who they are where something is signed, and signed nothing"
        trail.record("reviewed", said, who=identity(), failed=True, status=403, entity=("Review", review_id))
        return _refused(review_id, form, {"password": str(error)}, 403)
    return redirect(url_for("reviews.review", review_id=review_id, _anchor=anchor or None), 303)


def _refused(review_id: str, form: str, problems: dict[str, str], status: int) -> tuple[str, int]:
    return _page(_service().one(reader(), review_id), form, problems), status


def _page(shown: Shown, form: str = "", problems: dict[str, str] | None = None) -> str:
    return render_template(
        "reviews/review.html",
        shown=shown,
        review=shown.review,
        now=_service().now,
        about=ABOUT,
        titles=TITLES,
        states=list(ItemState),
        severities=[(each.value, each.value) for each in Severity],
        outcomes=[(each.value, each.value) for each in Outcome],
        form=form,
        problems=problems or {},
        left=[said for name, said in (problems or {}).items() if name.startswith(UNFINISHED)],
        typed=request.form,
        moment_text=moment_text,
        moments=datetime.fromisoformat,
        event_path=event_path,
        mine=shown.own_count(identity().id),
        way=_prover().way(identity().id, url_for("reviews.review", review_id=shown.review.id)),
        several=identity().scope.tenant_id is None,
    )


def _new_form(typed: Any, categories: tuple[str, ...], problems: dict[str, str]) -> str:  # noqa: ANN401  a form
    return render_template(
        "reviews/new.html",
        typed=typed,
        chosen=categories,
        categories=[each.value for each in Category],
        tenants=_service().tenants(reader()),
        problems=problems,
    )


def _record(words: str, changed: Review) -> None:
    who = identity()
    trail.record("reviewed", f"{who.name} {words}", who=who, status=303, entity=("Review", changed.id))


def _record_signed(words: str, made: Record) -> None:
    who = identity()
    said = f"{who.name} {words} “{made.said.get('title', made.review)}”, SHA-256 {made.sha256}"
    trail.record("reviewed", said, who=who, status=303, entity=("Review", made.review))
