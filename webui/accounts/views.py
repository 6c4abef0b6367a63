"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from flask_limiter import Limiter, RequestLimit
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user, logout_user
from werkzeug.wrappers import Response

from webui import trail
from webui.access import Identity, Role, identity, needs, public, reader
from webui.accounts import administration, entrance, provider_views
from webui.accounts.forms import PasswordForm, SignInForm, local_target
from webui.accounts.provider import ProviderAwayError
from webui.accounts.proving import Proving
from webui.accounts.service import Accounts
from webui.accounts.single_sign_on import SingleSignOn
from webui.tenancy import Tenancy

# Per minute for somebody who mistypes, per hour for somebody who guesses.
LIMIT_ACCOUNT: Final = "10 per 5 minutes; 30 per hour"
LIMIT_ADDRESS: Final = "30 per 5 minutes; 100 per hour"
# Moments of use are written back to the cookie at most this often.
_SEEN_STEP: Final = timedelta(minutes=1)
_REFUSED: Final = "Name and password do not belong together. The attempt was recorded."

blueprint = Blueprint("accounts", __name__, template_folder="templates")


def register(
    app: Flask, accounts: Accounts, limiter: Limiter, sso: SingleSignOn | None, tenancy: Tenancy
) -> None:
    """Add the feature to an app; `sso` is None where people sign in by password alone."""
    app.extensions["audit-accounts"] = accounts
    app.extensions["audit-single-sign-on"] = sso
    app.extensions["audit-prover"] = Proving(accounts, sso)
    app.extensions["audit-account-tenancy"] = tenancy
    app.register_blueprint(blueprint)
    app.register_blueprint(administration.blueprint)
    by_account = limiter.limit(
        LIMIT_ACCOUNT, key_func=_typed_name, deduct_when=_failed, on_breach=_record_breach
    )
    by_address = limiter.limit(
        LIMIT_ADDRESS, key_func=get_remote_address, deduct_when=_failed, on_breach=_record_breach
    )
    app.view_functions["accounts.submit_sign_in"] = by_account(by_address(submit_sign_in))
    by_owner = limiter.limit(
        LIMIT_ACCOUNT,
        key_func=lambda: f"own:{identity().id}",
        deduct_when=lambda response: response.status_code == HTTPStatus.FORBIDDEN,
        on_breach=_record_own_breach,
    )
    app.view_functions["accounts.change_password"] = by_owner(change_password)
    provider_views.register(app, limiter, LIMIT_ADDRESS)
    manager = LoginManager()
    # Without `current_user` in templates: it would ask the store, also for the page that says it is away.
    manager.init_app(app, add_context_processor=False)
    # Its own guess (address and browser hashed) would sign out everybody whose address changes.
    manager.session_protection = None

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(_name: str) -> Identity | None:
        held = entrance.held_session()
        found = accounts.resume(held) if held else None
        if held is None or found is None:
            session.clear()
            return None
        if accounts.now - held.seen > _SEEN_STEP:
            session["seen"] = accounts.now.timestamp()
        return found.identity


def _typed_name() -> str:
    return "account:" + request.form.get("name", "").strip().lower()[:64]


def _record_breach(_limit: RequestLimit) -> None:
    """Record an attempt that is not even tried: a brute force must be in the trail too."""
    name = request.form.get("name", "").strip()[:64]
    trail.record(
        "sign_in_failed",
        f"Sign-in as {name} was not tried: too many attempts",
        who=None,
        name=name,
        failed=True,
        status=429,
    )


def _failed(response: Any) -> bool:  # noqa: ANN401  flask-limiter's own signature
    return bool(response.status_code != 303)  # noqa: PLR2004  only failures count against the limit


@blueprint.get("/sign-in")
@public
def sign_in() -> str | Response:
    """Show the form."""
    target = local_target(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target, 303)
    form = SignInForm(formdata=None)
    form.next.data = target
    return entrance.page(form, sign_out_address=_provider_sign_out() if "ended" in request.args else "")


@blueprint.post("/sign-in")
@public
def submit_sign_in() -> Response | tuple[str, int]:
    """Check name and password, and begin a session."""
    form = SignInForm()
    if not form.validate():
        return entrance.page(form), 400
    name, password = (form.name.data or "").strip(), form.password.data or ""
    begun = _accounts().sign_in(name, password)
    if begun is None:
        trail.record(
            "sign_in_failed", f"Sign-in as {name} failed", who=None, name=name, failed=True, status=401
        )
        return entrance.page(form, problem=_REFUSED), 401
    account, held = begun
    trail.record("signed_in", f"{account.name} signed in", who=account.identity, status=303)
    entrance.begin(account, held)
    return redirect(local_target(form.next.data), 303)


@blueprint.post("/sign-out")
@needs(Role.VIEWER)
def sign_out() -> Response:
    """End the session."""
    held = entrance.held_session()
    if held is not None:
        _accounts().sign_out(held)
    trail.record("signed_out", f"{identity().name} signed out", who=identity(), status=303)
    by_provider = session.get("by") == entrance.BY_PROVIDER
    logout_user()
    session.clear()
    return redirect(url_for("accounts.sign_in", ended=1 if by_provider else None), 303)


@blueprint.get("/account")
@needs(Role.VIEWER)
def own() -> str:
    """Show who is signed in, how to end that everywhere, and how to have another password."""
    return _own_page(PasswordForm(formdata=None), changed="changed" in request.args)


@blueprint.post("/account/password")
@needs(Role.VIEWER)
def change_password() -> Response | tuple[str, int]:
    """Change one's own password; every other session of the account ends."""
    who, form = identity(), PasswordForm()
    if not form.validate():
        return _own_page(form), 400
    begun = _accounts().change_password(who.id, form.old.data or "", form.new.data or "")
    if begun is None:
        said = f"{who.name} did not change their password: the old one was wrong"
        trail.record("configured", said, who=who, failed=True, status=403, entity=("Account", who.id))
        form.old.errors = ["That is not your password. Nothing was changed."]
        return _own_page(form), 403
    said = f"{who.name} changed their own password"
    trail.record("configured", said, who=who, status=303, entity=("Account", who.id))
    entrance.begin(*begun, by=session.get("by", ""))
    return redirect(url_for("accounts.own", changed=1), 303)


def _record_own_breach(_limit: RequestLimit) -> None:
    said = f"{identity().name} was not let change their password: too many wrong ones"
    trail.record("configured", said, who=identity(), failed=True, status=429)


def _own_page(form: PasswordForm, *, changed: bool = False) -> str:
    sso = entrance.single_sign_on()
    by_provider = session.get("by") == entrance.BY_PROVIDER
    account = _accounts().get(identity().id)
    tenancy: Tenancy = current_app.extensions["audit-account-tenancy"]
    return render_template(
        "accounts/own.html",
        place=tenancy.place(reader()),
        provider=sso.name if sso and by_provider else "",
        form=form if account and account.password_hash else None,
        changed=changed,
    )


@blueprint.post("/account/sign-out-everywhere")
@needs(Role.VIEWER)
def sign_out_everywhere() -> Response:
    """End all sessions of the account."""
    who = identity()
    _accounts().end_sessions(who.id)
    trail.record("signed_out", f"{who.name} signed out everywhere", who=who, status=303)
    logout_user()
    session.clear()
    return redirect(url_for("accounts.sign_in"), 303)


def _accounts() -> Accounts:
    found: Accounts = current_app.extensions["audit-accounts"]
    return found


def _provider_sign_out() -> str:
    """Give the page where the session at the provider ends, if it has one and answers."""
    sso = entrance.single_sign_on()
    if sso is None:
        return ""
    try:
        return sso.provider.sign_out_address(url_for("accounts.sign_in", _external=True))
    except ProviderAwayError:
        return ""
