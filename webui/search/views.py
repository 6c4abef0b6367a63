"""The pages of the activity log."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui import question as questions
from webui import trail
from webui.access import Role, identity, needs, reader
from webui.question import Question, QuestionError, local_text
from webui.rows import days, entity_of, sentence
from webui.search import saving
from webui.search.detail import detail
from webui.search.page import Form, active, counts_shown, widenings
from webui.search.saved import SavedViews
from webui.search.saving import SHARING, saved_views
from webui.search.service import Activity, Listing
from webui.tenancy import Reader, TenantFacts

blueprint = Blueprint("search", __name__, template_folder="templates")


def register(app: Flask, activity: Activity, views: SavedViews) -> None:
    """Add the feature to an app."""
    app.extensions["audit-activity"] = activity
    app.extensions["audit-views"] = views
    app.register_blueprint(blueprint)
    app.register_blueprint(saving.blueprint)


@blueprint.get("/activity")
@needs(Role.VIEWER)
def activity() -> str | tuple[str, int] | Response:
    """Show events that fit the address."""
    who, asked = reader(), _question()
    if not request.query_string and (view := saved_views().default(who)):
        return redirect(f"{url_for('search.activity')}?{view.query or 'view='}", 303)
    place = _activity().place(who, asked)
    try:
        listing = _activity().page(who, asked, request.args.get("cursor", ""), request.args.get("at", ""))
    except QuestionError as error:
        return _page(who, asked, place, problems=error.problems), 400
    _record_search(asked, listing.sentence)
    return _page(who, asked, place, listing)


@blueprint.get("/activity/counts")
@needs(Role.VIEWER)
def counts() -> str | tuple[str, int]:
    """Give histogram and facets of an address: a piece of the page, fetched after the rows."""
    who, asked = reader(), _question()
    try:
        found, place, counted = _activity().counts(who, asked)
    except QuestionError as error:
        return render_template("search/_problems.html", problems=error.problems, labels=questions.LABELS), 400
    if not _activity().was_asked(who, asked, request.args.get("proof", "")):
        # Counts tell as much as rows: who asks for them alone has searched too.
        _record_search(asked, found.sentence(place.zone))
    return render_template("search/_counts.html", shown=counts_shown(counted, asked, place), asked=asked)


@blueprint.get("/activity/<event_id>")
@needs(Role.VIEWER)
def event(event_id: str) -> str:
    """Show one event."""
    found = _activity().event(reader(), event_id)
    subject = found.event
    entity = (subject.text("entity.type"), subject.text("entity.id") or subject.text("entity.number"))
    said = f"{identity().name} opened an event: {subject.text('message')}"
    trail.record("viewed", said, who=identity(), entity=entity)
    return render_template(
        "search/event.html",
        event=subject,
        place=found.place,
        detail=detail(subject, found.place.zone, found.names),
        sentence=tuple(sentence(subject, found.names)),
        entity=entity_of(subject),
        same_request=days(found.same_request, found.place.zone, found.names),
        same_count=len(found.same_request),
        asked=Question(tenant=subject.text("tenant.id") if identity().scope.tenant_id is None else ""),
        permalink=url_for("search.event", event_id=subject.id, _external=True),
    )


def _page(
    who: Reader,
    asked: Question,
    place: TenantFacts,
    listing: Listing | None = None,
    problems: dict[str, str] | None = None,
) -> str:
    """Render the page with its rows, or with what is wrong with the form."""
    shown = None
    if listing and "counts" in request.args:
        shown = counts_shown(_activity().counts(who, asked)[2], asked, place)
    here = url_for("search.activity")
    pairs = list(asked.pairs())
    at = request.args.get("at", "")
    return render_template(
        "search/activity.html",
        asked=asked,
        form=Form(asked, place.zone),
        place=place,
        tenants=_activity().tenants(who),
        several=who.scope.tenant_id is None and not asked.tenant,
        tenant_names={tenant.id: tenant.name for tenant in _activity().tenants(who)},
        problems=problems or {},
        labels=questions.LABELS,
        listing=listing,
        days=days(listing.events, place.zone, listing.names) if listing else (),
        phrases=listing.asked.phrases(place.zone) if listing else (),
        conditions=active(asked),
        widenings=widenings(asked) if listing and not listing.events else (),
        shown=shown,
        exactly=_exactly(asked, listing) if listing else "",
        newer=f"{here}?{urlencode([*pairs, ('cursor', listing.newer)])}" if listing and listing.newer else "",
        older=f"{here}?{urlencode([*pairs, ('cursor', listing.older)])}" if listing and listing.older else "",
        on_first_page="cursor" not in request.args and not at,
        at=local_text(at, place.zone),
        views=saved_views().all(who),
        may_share=identity().role >= SHARING,
        counts_link=f"{here}?{urlencode([*pairs, ('counts', '1')])}",
        counts_source=(
            url_for("search.counts") + "?" + urlencode([*pairs, ("proof", listing.proof)]) if listing else ""
        ),
    )


def _exactly(asked: Question, listing: Listing) -> str:
    """Give the address that shows these very events to everybody, whenever they look."""
    window = _activity().exactly(listing.asked)
    at = [("at", request.args["at"])] if request.args.get("at") else []
    pairs = [*asked.within(window).pairs(), *at]
    return url_for("search.activity", _external=True) + "?" + urlencode(pairs)


def _record_search(asked: Question, said: str) -> None:
    trail.record(
        "searched", f"{identity().name} searched: {said}", who=identity(), query=asked.address, sentence=said
    )


def _question() -> Question:
    return questions.read(request.args.items(multi=True))


def _activity() -> Activity:
    found: Activity = current_app.extensions["audit-activity"]
    return found
