"""Who may ask for what: roles, the signed-in identity, and the rule that every route says who it is for.

Deny is the default: a view without `public` or `needs` stops the app from starting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

from flask import Flask, g, redirect, request, url_for
from flask_login import UserMixin, current_user
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from indexer.query import OPERATOR, Scope
from webui.tenancy import Reader

EVERY_TENANT: Final = "*"
_PUBLIC: Final = 0
# Files that come with the product, the same for everybody.
_PUBLIC_FILES: Final = frozenset({"static", "bootstrap.static"})

ViewT = TypeVar("ViewT", bound=Callable[..., object])


class Role(IntEnum):
    """What somebody may do; each role may do all that the ones before it may."""

    VIEWER = 1
    AUDITOR = 2
    ADMIN = 3
    OPERATOR = 4

    @property
    def word(self) -> str:
        """The role as people write it."""
        return self.name.lower()

    @classmethod
    def named(cls, word: str) -> Role:
        """Give the role of that name; ValueError lists the names."""
        try:
            return cls[word.upper()]
        except KeyError:
            known = ", ".join(role.word for role in cls)
            raise ValueError(f"role {word!r} is none of {known}") from None


@dataclass(frozen=True)
class Identity(UserMixin):  # type: ignore[misc]  # flask-login ships no types
    """Who is signed in."""

    id: str
    name: str
    role: Role
    tenant_id: str

    @property
    def scope(self) -> Scope:
        """Whose events this identity may see."""
        if self.role is Role.OPERATOR and self.tenant_id == EVERY_TENANT:
            return OPERATOR
        return Scope(self.tenant_id)


def public(view: ViewT) -> ViewT:
    """Open a view to everybody."""
    view.audit_access = _PUBLIC  # type: ignore[attr-defined]
    return view


def needs(role: Role) -> Callable[[ViewT], ViewT]:
    """Open a view to those signed in with this role or a higher one."""

    def mark(view: ViewT) -> ViewT:
        view.audit_access = int(role)  # type: ignore[attr-defined]
        return view

    return mark


def identity() -> Identity:
    """Who is asking. Only in views that need a role."""
    found: Identity = g.identity
    return found


def reader() -> Reader:
    """Who is asking, as services know it. Only in views that need a role."""
    return Reader(identity().id, identity().scope)


def guard(app: Flask) -> None:
    """Check each request before its view. Call when all routes are there."""
    required = {endpoint: _required(endpoint, view) for endpoint, view in app.view_functions.items()}

    @app.before_request
    def check() -> Response | None:
        endpoint = request.endpoint
        # No such route, or not with that method: the same answer for everybody, from the router.
        if endpoint is None or required[endpoint] == _PUBLIC:
            return None
        if not current_user.is_authenticated:
            wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
            return redirect(url_for("accounts.sign_in", next=wanted), 303)
        # Not the proxy: what follows must not depend on the session any more.
        g.identity = current_user._get_current_object()  # noqa: SLF001  werkzeug's documented name
        if g.identity.role < required[endpoint]:
            raise Forbidden
        return None


def _required(endpoint: str, view: Callable[..., object]) -> int:
    if endpoint in _PUBLIC_FILES:
        return _PUBLIC
    access = getattr(view, "audit_access", None)
    if access is None:
        raise RuntimeError(f"the view {endpoint!r} does not say who it is for; mark it with public or needs")
    return int(access)
