"""`audit-webui accounts ...`: the accounts of an installation from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from webui.access import Role
from webui.accounts.account import AccountError
from webui.accounts.service import Accounts, made_password

_ROLES = click.Choice([role.word for role in Role])
_PASSWORD_FILE = click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File whose first line is the password; without it one is made and printed once.",
)


def group(make_accounts: Callable[[], Accounts]) -> click.Group:
    """Give the commands; `make_accounts` is called when one of them runs."""

    @click.group()
    def accounts() -> None:
        """Who may sign in."""

    @accounts.command()
    @click.argument("name")
    @click.option("--role", required=True, type=_ROLES, help="What it may do.")
    @click.option(
        "--tenant", required=True, help="Whose events it sees: a tenant's GUID; '*' for an operator."
    )
    @_PASSWORD_FILE
    @click.option("--no-password", is_flag=True, help="Single sign-on is the only way in.")
    def add(name: str, role: str, tenant: str, password_file: Path | None, *, no_password: bool) -> None:
        """Make an account."""
        if no_password and password_file is not None:
            raise AccountError(f"--password-file is {password_file}, but --no-password is given, too")
        found = make_accounts()
        found.prepare()
        password = None if no_password else _password(password_file)
        made = found.add(name, Role.named(role), tenant, password)
        click.echo(f"{made.name}: {made.role.word} of tenant {made.tenant_id}")
        if password is not None:
            _show(password, password_file)

    @accounts.command(name="list")
    def list_() -> None:
        """Show all accounts."""
        for each in make_accounts().all():
            state = "disabled" if each.disabled else "active"
            click.echo(f"{each.name}\t{each.role.word}\t{each.tenant_id}\t{state}\t{each.created:%Y-%m-%d}")

    @accounts.command()
    @click.argument("name")
    def disable(name: str) -> None:
        """Shut an account out; its sessions end at once."""
        click.echo(f"{make_accounts().disable(name).name}: disabled")

    @accounts.command()
    @click.argument("name")
    def unbind(name: str) -> None:
        """Forget whose account it is at the provider of single sign-on; the next who comes by its name is."""
        click.echo(f"{make_accounts().unbind(name).name}: bound to nobody")

    @accounts.command()
    @click.argument("name")
    @_PASSWORD_FILE
    def passwd(name: str, password_file: Path | None) -> None:
        """Change a password; the account's sessions end at once."""
        password = _password(password_file)
        changed = make_accounts().set_password(name, password)
        click.echo(f"{changed.name}: password changed")
        _show(password, password_file)

    return accounts


def _password(file: Path | None) -> str:
    if file is None:
        return made_password()
    try:
        lines = file.read_text("utf-8").split("\n", 1)
    except (OSError, UnicodeDecodeError) as error:
        raise AccountError(f"--password-file is {file}, which cannot be read: {error}") from error
    return lines[0].rstrip("\r")


def _show(password: str, file: Path | None) -> None:
    if file is None:
        click.echo(f"password: {password}")
