"""What the forms around saved views send: save, begin with, delete."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from flask import Blueprint, abort, current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from webui import question as questions
from webui import trail
from webui.access import Role, identity, needs, reader
from webui.question import QuestionError
from webui.search.saved import SavedViews, ViewError
from webui.search.service import Activity

SHARING: Final = Role.AUDITOR

blueprint = Blueprint("views", __name__)


@blueprint.post("/activity/views")
@needs(Role.VIEWER)
def save() -> Response:
    """Keep what is asked under a name."""
    asked = questions.read(parse_qsl(request.form.get("query", "")))
    shared = "shared" in request.form and identity().role >= SHARING
    activity: Activity = current_app.extensions["audit-activity"]
    place = activity.place(reader(), asked)
    try:
        said = asked.filter(place.zone, activity.now).sentence(place.zone)
        view = saved_views().save(reader(), request.form.get("name", ""), asked.address, shared=shared)
    except (QuestionError, ViewError) as error:
        abort(400, str(error))
    if "default" in request.form and not view.is_default:
        saved_views().begin_with(reader(), view.id)
    whose = "for the tenant" if shared else "for themselves"
    _record(f"saved the view “{view.name}” {whose}: {said}", said)
    return _back(view.query)


@blueprint.post("/activity/views/<view_id>/default")
@needs(Role.VIEWER)
def begin_with(view_id: str) -> Response:
    """Begin with a view from now on, or no longer."""
    view = saved_views().begin_with(reader(), view_id)
    words = "no longer begins with" if view.is_default else "begins with"
    _record(f"{words} the view “{view.name}”")
    return _back(view.query)


@blueprint.post("/activity/views/<view_id>/delete")
@needs(Role.VIEWER)
def delete(view_id: str) -> Response:
    """Delete a view."""
    view = saved_views().delete(reader(), view_id, any_shared=identity().role >= Role.ADMIN)
    _record(f"deleted the view “{view.name}”")
    return _back("")


def saved_views() -> SavedViews:
    """Give the views of the installation."""
    found: SavedViews = current_app.extensions["audit-views"]
    return found


def _back(query: str) -> Response:
    return redirect(f"{url_for('search.activity')}?{query or 'view='}", 303)


def _record(words: str, sentence: str = "") -> None:
    who = identity()
    trail.record("configured", f"{who.name} {words}", who=who, status=303, sentence=sentence)
