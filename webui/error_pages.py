"""What somebody sees when something is wrong: what happened, what to do, and an id that our log has too."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, g, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from indexer.errors import ConflictError, IndexerError, NotPreparedError, PermanentError
from webui import problems, trail
from webui.tenancy import NotHereError
from webui.trail import TrailError

_log = logging.getLogger(__name__)
_SHOWN_PATH_CHARS: Final = 300

Page = tuple[str | Response, int]

# What happened, and what to do.
_SAYS: Final = {
    400: ("That request could not be understood", "Go back, check what you entered, and try again."),
    403: ("Your role does not allow this", "Ask an administrator of your tenant if you need it."),
    404: (
        "There is nothing here",
        (
            "The page does not exist, its events are no longer kept, or it is not yours to see. "
            "A link to a page of results works for the search, and for the tenant, it was made for."
        ),
    ),
    405: ("That cannot be done here", "Follow a link or press a button of a page."),
    413: ("That was too much to send", "Send less."),
    429: ("Too many attempts", "Wait a few minutes before you try again. Each attempt is recorded."),
}
_STORE_AWAY: Final = (
    "The event store does not answer",
    (
        "Nothing is lost: the agents go on reading where they stopped. Try again in a minute; if it lasts, "
        "tell the people who run this audit the error's id."
    ),
)
_STORE_REFUSES: Final = (
    "The event store does not work as it should",
    "Tell the people who run this audit the error's id: their log says what has to be put right.",
)
_NO_TRAIL: Final = (
    "What you do cannot be recorded at the moment",
    (
        "This audit shows nothing that it cannot record. Tell the people who run it the error's id: the "
        "file of the trail cannot be written."
    ),
)
_BROKEN: Final = ("Something went wrong on our side", "Try again; if it lasts, report the error's id.")


def register(app: Flask) -> None:
    """Add pages for all errors to an app."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotHereError, _not_here)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(ConflictError, _second)
    app.register_error_handler(IndexerError, _store)
    app.register_error_handler(TrailError, _trail)
    app.register_error_handler(Exception, _bug)


def _http(error: HTTPException) -> Page:
    code = error.code or 500
    if code in {403, 404}:
        return _refused(code)
    status = HTTPStatus(code)
    happened, todo = _SAYS.get(code, (status.phrase, status.description))
    return _page(code, happened, todo)


def _not_here(_error: NotHereError) -> Page:
    return _refused(404)


def _refused(code: int) -> Page:
    """Answer what is not there, or not for this reader; who was signed in and tried is recorded."""
    who = g.get("identity")
    if who is not None:
        asked = request.full_path.rstrip("?")[:_SHOWN_PATH_CHARS]
        words = "may not open" if code == HTTPStatus.FORBIDDEN else "found nothing at"
        said = f"{who.name} {words} {asked}"
        query = request.query_string.decode(errors="replace")
        try:
            trail.record("viewed", said, who=who, failed=True, status=code, query=query)
        except TrailError as error:
            return _trail(error)
    return _page(code, *_SAYS[code])


def _csrf(_error: CSRFError) -> Page:
    return _page(400, "This form is too old", "Your session ended meanwhile. Open the page again and repeat.")


def _second(_error: ConflictError) -> Page:
    todo = "Nothing was done. Look at it again, then repeat."
    return _page(409, "Somebody else changed this at the same moment", todo)


def _store(error: IndexerError) -> Page:
    refuses = isinstance(error, PermanentError | NotPreparedError)
    return _page(503, *(_STORE_REFUSES if refuses else _STORE_AWAY), cause=error)


def _trail(error: TrailError) -> Page:
    return _page(503, *_NO_TRAIL, cause=error)


def _bug(error: Exception) -> Page:
    return _page(500, *_BROKEN, cause=error, trace=True)


def _page(
    code: int, happened: str, todo: str, *, cause: Exception | None = None, trace: bool = False
) -> Page:
    error_id = secrets.token_hex(4)
    if cause is not None:
        _log.error(
            "error %s on request %s: %s", error_id, g.request_id, cause, exc_info=cause if trace else None
        )
    if problems.wanted():
        said = problems.problem(code, f"{happened}. {todo}", error_id=error_id if cause else "")
        return said, code
    return render_template(
        "error.html", code=code, happened=happened, todo=todo, error_id=error_id if cause else ""
    ), code
