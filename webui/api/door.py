"""The door of the API: who asks, with which key, how often. A session's cookie opens nothing here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Flask, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from webui import problems
from webui.access import Role, public
from webui.api.keys import Keys, key_id

ENDPOINT_PREFIX: Final = "api."
# For somebody who tries keys.
LIMIT_REFUSED: Final = "30 per 5 minutes; 200 per hour"

ViewT = TypeVar("ViewT", bound=Callable[..., Any])


class ApiProblem(HTTPException):
    """Why a request has no other answer."""

    def __init__(self, code: int, detail: str, parameters: Mapping[str, str] | None = None) -> None:
        """`parameters`: a sentence for each that is at fault."""
        super().__init__(detail)
        self.code = code
        self.parameters = parameters

    def answer(self) -> Response:
        """Give it as application/problem+json."""
        headers = {"WWW-Authenticate": 'Bearer realm="SmartWMS Audit"'} if self.code == 401 else None  # noqa: PLR2004
        return problems.problem(
            self.code or 500, self.description or "", parameters=self.parameters, headers=headers
        )


def keyed(role: Role) -> Callable[[ViewT], ViewT]:
    """Open a view to keys of this role or a higher one; nothing else opens it, also no session."""

    def mark(view: ViewT) -> ViewT:
        @wraps(view)
        def checked(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the view takes and gives
            _enter(role)
            return view(*arguments, **named)

        checked.audit_key_role = role  # type: ignore[attr-defined]
        # For the guard of the pages, which looks for a session: here the key is all.
        return public(checked)  # type: ignore[return-value]

    return mark


def limit(app: Flask, limiter: Limiter, per_minute: int) -> None:
    """Limit how often a key may ask, and how often an address may ask with none that opens."""
    by_key = limiter.limit(f"{per_minute} per minute", key_func=_asking)
    by_address = limiter.limit(LIMIT_REFUSED, key_func=get_remote_address, deduct_when=_refused)
    views: dict[str, Any] = app.view_functions
    for endpoint, view in views.items():
        if endpoint.startswith(ENDPOINT_PREFIX):
            views[endpoint] = by_key(by_address(view))


def _enter(role: Role) -> None:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text:
        raise ApiProblem(401, "Send a key: “Authorization: Bearer swa_…”. `audit-webui keys add` makes one.")
    keys: Keys = current_app.extensions["audit-keys"]
    key = keys.open(text.strip())
    if key is None:
        raise ApiProblem(401, "This key does not exist, has expired, or was revoked.")
    if key.role < role:
        raise ApiProblem(403, f"This needs a key with the role {role.word}; this one is {key.role.word}.")
    g.identity = key.identity


def _asking() -> str:
    found = key_id(request.headers.get("Authorization", "").partition(" ")[2].strip())
    return f"key:{found}" if found else f"address:{request.remote_addr}"


def _refused(response: Response) -> bool:
    return response.status_code == 401  # noqa: PLR2004  only keys that open nothing count
