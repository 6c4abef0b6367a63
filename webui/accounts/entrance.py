"""What every way in shares: the session in the browser's cookie, and the page that asks who somebody is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from flask import current_app, render_template, session
from flask_login import login_user

from webui.accounts.account import Account
from webui.accounts.forms import SignInForm
from webui.accounts.service import Session
from webui.accounts.single_sign_on import SingleSignOn

BY_PROVIDER = "provider"
FRESH_FOR: Final = timedelta(minutes=5)
"""How long a sign-in afresh counts for a signature."""
_FRESH: Final = "fresh"


def begin(account: Account, held: Session, *, by: str = "") -> None:
    """Make the browser's session that of an account. Nothing of what the browser held before survives."""
    session.clear()
    session.permanent = True
    session.update(
        sid=held.id,
        account=held.account_name,
        generation=held.generation,
        began=held.began.timestamp(),
        seen=held.seen.timestamp(),
        by=by,
    )
    login_user(account.identity)


def held_session() -> Session | None:
    """Give the session that the cookie tells of, if it tells of one."""
    try:
        return Session(
            id=session["sid"],
            account_name=session["account"],
            generation=session["generation"],
            began=datetime.fromtimestamp(session["began"], UTC),
            seen=datetime.fromtimestamp(session["seen"], UTC),
        )
    except KeyError:
        return None


def note_fresh(now: datetime) -> None:
    """Note that whoever has this session signed in at the provider once more."""
    session[_FRESH] = now.timestamp()


def fresh_until(now: datetime) -> datetime | None:
    """Say until when the last sign-in afresh counts; None when none does (any more)."""
    noted = session.get(_FRESH)
    if noted is None:
        return None
    until = datetime.fromtimestamp(noted, UTC) + FRESH_FOR
    return until if now < until else None


def use_fresh() -> None:
    """Let a sign-in afresh count no more: one, one signature."""
    session.pop(_FRESH, None)


def page(form: SignInForm, *, problem: str = "", sign_out_address: str = "") -> str:
    """Give the sign-in page; `problem`: why the last attempt led nowhere."""
    provider = single_sign_on()
    return render_template(
        "accounts/sign_in.html",
        form=form,
        problem=problem,
        provider=provider.name if provider else "",
        sign_out_address=sign_out_address,
    )


def single_sign_on() -> SingleSignOn | None:
    """Give the single sign-on of this installation; None when it has none."""
    found: SingleSignOn | None = current_app.extensions["audit-single-sign-on"]
    return found
