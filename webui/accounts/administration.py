"""The pages of administration that are about accounts: add, disable, enable, another role or password."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui import trail
from webui.access import EVERY_TENANT, Role, identity, needs
from webui.accounts.account import Account, AccountError
from webui.accounts.service import Accounts, made_password
from webui.tenancy import NotHereError
from webui.wording import sentence

blueprint = Blueprint("accounts_admin", __name__)

_OPTIONS: Final = {"--tenant": "The tenant", "NAME": "The name"}


@blueprint.get("/admin/accounts")
@needs(Role.ADMIN)
def index() -> str:
    """Show the accounts that the reader may administer."""
    return _page()


@blueprint.post("/admin/accounts")
@needs(Role.ADMIN)
def add() -> str | tuple[str, int]:
    """Make an account; its password is shown once, on the answer."""
    typed = {name: request.form.get(name, "").strip() for name in ("name", "role", "tenant")}
    password = made_password()
    try:
        role = Role.named(typed["role"])
        if role > identity().role:
            raise AccountError("the role is above your own")
        if identity().role is Role.OPERATOR:
            tenant = EVERY_TENANT if role is Role.OPERATOR else typed["tenant"]
        else:
            tenant = identity().tenant_id
        made = _accounts().add(typed["name"], role, tenant, password)
    except ValueError as error:
        return _page(problem=_in_words(str(error)), typed=typed), 400
    _record(f"added the account {made.name} ({made.role.word})", made)
    return _page(made=made, password=password)


@blueprint.post("/admin/accounts/<name>/disable")
@needs(Role.ADMIN)
def disable(name: str) -> Response | tuple[str, int]:
    """Shut an account out; its sessions end at once."""
    account = _administered(name)
    if account.name == identity().id:
        return _page(problem="Nobody shuts themselves out; ask another administrator."), 400
    _record(f"disabled the account {account.name}", _accounts().disable(account.name))
    return redirect(url_for("accounts_admin.index"), 303)


@blueprint.post("/admin/accounts/<name>/enable")
@needs(Role.ADMIN)
def enable(name: str) -> Response:
    """Let an account in again."""
    account = _administered(name)
    _record(f"enabled the account {account.name}", _accounts().enable(account.name))
    return redirect(url_for("accounts_admin.index"), 303)


@blueprint.post("/admin/accounts/<name>/role")
@needs(Role.ADMIN)
def change_role(name: str) -> Response | tuple[str, int]:
    """Give an account another role."""
    account = _administered(name)
    try:
        role = Role.named(request.form.get("role", ""))
        if role > identity().role:
            raise AccountError("the role is above your own")
        if account.name == identity().id:
            raise AccountError("nobody changes their own role")
        changed = _accounts().set_role(account.name, role)
    except ValueError as error:
        return _page(problem=_in_words(str(error))), 400
    _record(f"changed the role of {account.name} from {account.role.word} to {role.word}", changed)
    return redirect(url_for("accounts_admin.index"), 303)


@blueprint.post("/admin/accounts/<name>/password")
@needs(Role.ADMIN)
def new_password(name: str) -> str:
    """Make a new password, shown once; the account's sessions end at once."""
    account = _administered(name)
    password = made_password()
    changed = _accounts().set_password(account.name, password)
    _record(f"gave {account.name} a new password", changed)
    return _page(made=changed, password=password)


def _administered(name: str) -> Account:
    """Give an account of the reader's own tenant, or for an operator any; NotHereError for others."""
    account = _accounts().get(name)
    if account is None or not _may_administer(account):
        raise NotHereError
    return account


def _may_administer(account: Account) -> bool:
    who = identity()
    return who.role is Role.OPERATOR or (account.tenant_id == who.tenant_id and account.role <= who.role)


def _page(
    problem: str = "",
    typed: dict[str, str] | None = None,
    made: Account | None = None,
    password: str = "",
) -> str:
    who = identity()
    return render_template(
        "accounts/accounts.html",
        accounts=[each for each in _accounts().all() if _may_administer(each)],
        roles=[role for role in Role if role <= who.role],
        may_choose_tenant=who.role is Role.OPERATOR,
        problem=problem,
        typed=typed or {"name": "", "role": Role.VIEWER.word, "tenant": ""},
        made=made,
        password=password,
    )


def _record(words: str, account: Account) -> None:
    who = identity()
    trail.record("configured", f"{who.name} {words}", who=who, status=303, entity=("Account", account.name))


def _in_words(said: str) -> str:
    for option, words in _OPTIONS.items():
        said = said.replace(option, words)
    return sentence(said)


def _accounts() -> Accounts:
    found: Accounts = current_app.extensions["audit-accounts"]
    return found
