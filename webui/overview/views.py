"""The first page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Flask, abort, current_app, render_template, request

from webui import trail
from webui.access import Role, identity, needs, reader
from webui.overview.page import shown
from webui.overview.service import SPANS, USUAL_SPAN, Overviews
from webui.tenancy import Reader

# How many lines of a panel stand here; the rest is where it leads.
PANEL_LINES: Final = 8

blueprint = Blueprint("overview", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for people: who may see it, its words, how many there are, and where it leads."""

    role: Role
    words: str
    count: Callable[[Reader, str], int]
    """Counts for a reader in a tenant; empty: in all that the reader sees."""
    path: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a panel: a name, the class and the words of its badge, and what else there is to say."""

    name: str
    look: str
    words: str
    note: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What another feature shows here: who may see it, its title, its lines, and where it leads."""

    role: Role
    title: str
    lines: Callable[[Reader], Sequence[Line]]
    """The most important first."""
    empty: str
    path: str


def register(
    app: Flask, overviews: Overviews, waiting: Sequence[Waiting] = (), panels: Sequence[Panel] = ()
) -> None:
    """Add the feature to an app; `waiting` and `panels`: what other features count and show."""
    app.extensions["audit-overviews"] = overviews
    app.extensions["audit-waiting"] = waiting
    app.extensions["audit-panels"] = panels
    app.register_blueprint(blueprint)


@blueprint.get("/")
@needs(Role.VIEWER)
def overview() -> str:
    """Show what happened lately."""
    span = request.args.get("range", USUAL_SPAN)
    if span not in SPANS:
        abort(400)
    overviews: Overviews = current_app.extensions["audit-overviews"]
    lately = overviews.lately(reader(), request.args.get("tenant", ""), span)
    trail.record(
        "viewed",
        f"{identity().name} looked at the overview of {lately.place.name}, {SPANS[span][0].lower()}",
        who=identity(),
    )
    return render_template(
        "overview/overview.html",
        lately=lately,
        sums=lately.sums,
        place=lately.place,
        shown=shown(lately),
        spans=[(value, label) for value, (label, _) in SPANS.items()],
        tenants=overviews.tenants(reader()),
        waiting=[
            (each.words, each.count(reader(), lately.place.id), each.path)
            for each in current_app.extensions["audit-waiting"]
            if each.role <= identity().role
        ],
        panels=[
            (each, each.lines(reader()))
            for each in current_app.extensions["audit-panels"]
            if each.role <= identity().role
        ],
        panel_lines=PANEL_LINES,
    )
