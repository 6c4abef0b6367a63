"""Signing in with the provider of single sign-on: to it, and back."""

from __future__ import annotations

import hmac
import logging
import time
from dataclasses import asdict
from typing import Any, Final

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, session, url_for
from flask_limiter import Limiter, RequestLimit
from flask_limiter.util import get_remote_address
from flask_login import current_user
from werkzeug.wrappers import Response

from webui import trail
from webui.access import Identity, Role, identity, needs, public
from webui.accounts import entrance
from webui.accounts.admission import NotAdmittedError
from webui.accounts.forms import SignInForm, local_target
from webui.accounts.provider import Attempt, ProviderAwayError, ProviderError
from webui.accounts.service import Accounts, Admitted
from webui.accounts.single_sign_on import SingleSignOn
from webui.wording import sentence

_log = logging.getLogger(__name__)

# How long somebody may take at the provider: passwords, second factors, a call to the help desk.
ATTEMPT_SECS: Final = 900
_KEPT: Final = "attempt"

blueprint = Blueprint("accounts_provider", __name__)

Page = tuple[str, int]


def register(app: Flask, limiter: Limiter, limit: str) -> None:
    """Add the routes; without a provider they are not there."""
    app.register_blueprint(blueprint)
    limited = limiter.limit(limit, key_func=get_remote_address, deduct_when=_failed, on_breach=_record_breach)
    app.view_functions["accounts_provider.finish"] = limited(finish)


@blueprint.get("/sign-in/provider")
@public
def begin() -> Response | Page:
    """Send the browser to the provider."""
    sso, target = _sso(), local_target(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target, 303)
    try:
        return _sent(sso, target)
    except ProviderAwayError as error:
        return _away(sso, error, target)


@blueprint.get("/account/again")
@needs(Role.VIEWER)
def again() -> Response | Page:
    """Send the browser of somebody who is signed in to the provider, to show once more who they are."""
    sso, target = _sso(), local_target(request.args.get("next"))
    try:
        return _sent(sso, target, again=identity().id)
    except ProviderAwayError as error:
        _log.error("single sign-on does not work: %s", error)
        return _not_again(sso, f"{sso.name} does not answer at the moment.", target, 503)


@blueprint.get("/sign-in/provider/back")
@public
def finish() -> Response | Page:
    """Take the browser back from the provider, and begin a session if the provider's word admits it."""
    sso = _sso()
    kept: dict[str, Any] = session.pop(_KEPT, {})
    target = local_target(kept.get("target"))
    if kept.get("again") and current_user.is_authenticated and current_user.id == kept["again"]:
        return _finish_again(sso, kept, target)
    name = ""
    try:
        attempt = _attempt(kept, sso)
        claims = sso.finish(attempt, request.args.get("code", ""))
        name = sso.called(claims)
        admitted = sso.admit(_accounts(), claims)
    except ProviderAwayError as error:
        return _away(sso, error, target)
    except ProviderError as error:
        said = f"The sign-in with {sso.name} was not completed. Try again. The attempt was recorded."
        return _refuse(sso, name, error, said, target, status=401)
    except NotAdmittedError as error:
        said = f"{sso.name} knows you, but this audit does not let you in: {error}. Ask an administrator"
        return _refuse(sso, name, error, sentence(said), target, status=403)
    _welcome(sso, admitted)
    return redirect(target, 303)


def _sent(sso: SingleSignOn, target: str, *, again: str = "") -> Response:
    """Send the browser to the provider; `again`: the account that is to show itself once more."""
    back = url_for("accounts_provider.finish", _external=True)
    address, attempt = sso.provider.begin(back, afresh=bool(again))
    # One attempt a browser: the newest.
    session[_KEPT] = {**asdict(attempt), "began": time.time(), "target": target, "again": again}
    return redirect(address, 303)


def _finish_again(sso: SingleSignOn, kept: dict[str, Any], target: str) -> Response | Page:
    """Note that whoever is signed in showed once more who they are; the session stays as it is."""
    who: Identity = current_user._get_current_object()  # noqa: SLF001  werkzeug's documented name
    account = _accounts().get(who.id)
    try:
        attempt = _attempt(kept, sso)
        sso.finish_again(
            attempt, request.args.get("code", ""), kept["began"], account.subject if account else ""
        )
    except ProviderError as error:
        status = 503 if isinstance(error, ProviderAwayError) else 401
        said = f"{who.name} did not show once more with {sso.name} who they are: {error}"
        trail.record("sign_in_failed", said, who=who, failed=True, status=status, provider=sso.name)
        return _not_again(sso, sentence(str(error)), target, status)
    trail.record(
        "signed_in", f"{who.name} signed in with {sso.name} once more", who=who, status=303, provider=sso.name
    )
    entrance.note_fresh(_accounts().now)
    return redirect(target, 303)


def _not_again(sso: SingleSignOn, why: str, target: str, status: int) -> Page:
    return render_template("accounts/not_again.html", provider=sso.name, why=why, target=target), status


def _attempt(kept: dict[str, Any], sso: SingleSignOn) -> Attempt:
    """Give the attempt that this answer belongs to; ProviderError when it belongs to none of this browser."""
    state = request.args.get("state", "")
    if not kept or not hmac.compare_digest(state.encode(), kept["state"].encode()):
        raise ProviderError("this browser has begun no such sign-in")
    if time.time() - kept["began"] > ATTEMPT_SECS:
        raise ProviderError("the sign-in was begun too long ago")
    if "error" in request.args:
        raise ProviderError(f"the provider answered {request.args['error'][:100]!r}")
    # A provider that names itself must be the one that was asked (RFC 9207).
    if request.args.get("iss", sso.provider.issuer) != sso.provider.issuer:
        raise ProviderError(f"{request.args['iss'][:200]!r} answered instead of the provider")
    return Attempt(**{name: kept[name] for name in ("state", "nonce", "verifier", "redirect_uri")})


def _welcome(sso: SingleSignOn, admitted: Admitted) -> None:
    account = admitted.account
    who = account.identity
    if admitted.changed:
        said = f"Single sign-on ({sso.name}) {admitted.changed}"
        trail.record(
            "configured", said, who=who, status=303, entity=("Account", account.name), provider=sso.name
        )
    trail.record(
        "signed_in", f"{account.name} signed in with {sso.name}", who=who, status=303, provider=sso.name
    )
    entrance.begin(account, admitted.session, by=entrance.BY_PROVIDER)


def _refuse(sso: SingleSignOn, name: str, error: Exception, said: str, target: str, *, status: int) -> Page:
    words = f"Sign-in{f' as {name}' if name else ''} with {sso.name} failed: {error}"
    trail.record("sign_in_failed", words, who=None, name=name, failed=True, status=status, provider=sso.name)
    return _page(said, target), status


def _away(sso: SingleSignOn, error: ProviderAwayError, target: str) -> Page:
    _log.error("single sign-on does not work: %s", error)
    return _page(f"{sso.name} does not answer at the moment. Try again in a minute.", target), 503


def _page(problem: str, target: str) -> str:
    form = SignInForm(formdata=None)
    form.next.data = target
    return entrance.page(form, problem=problem)


def _record_breach(_limit: RequestLimit) -> None:
    said = f"Sign-in with {_sso().name} was not tried: too many attempts"
    trail.record("sign_in_failed", said, who=None, failed=True, status=429, provider=_sso().name)


def _failed(response: Any) -> bool:  # noqa: ANN401  flask-limiter's own signature
    return bool(response.status_code != 303)  # noqa: PLR2004  only failures count against the limit


def _sso() -> SingleSignOn:
    found = entrance.single_sign_on()
    if found is None:
        abort(404)
    return found


def _accounts() -> Accounts:
    found: Accounts = current_app.extensions["audit-accounts"]
    return found
