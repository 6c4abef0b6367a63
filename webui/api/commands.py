"""`audit-webui keys ...`: the keys of programs from the command line; each change is in the trail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from webui.access import Role
from webui.api.keys import MAX_DAYS, Key, Keys
from webui.trail import Entry, Trail

_USUAL_DAYS = 90
_ROLES = click.Choice([role.word for role in Role])


@dataclass(frozen=True, slots=True)
class Cabinet:
    """The keys, what checks a tenant for a role (ValueError), and where changes are recorded."""

    keys: Keys
    checked_tenant: Callable[[str, Role], str]
    trail: Trail


def group(make_cabinet: Callable[[], Cabinet]) -> click.Group:
    """Give the commands; `make_cabinet` is called when one of them runs."""

    @click.group()
    def keys() -> None:
        """Keys with which programs ask the API."""

    @keys.command()
    @click.argument("name")
    @click.option("--role", required=True, type=_ROLES, help="What it may do.")
    @click.option("--tenant", required=True, help="Whose events: a tenant's GUID; '*' for an operator.")
    @click.option("--days", default=_USUAL_DAYS, show_default=True, help=f"When it ends; {MAX_DAYS} at most.")
    def add(name: str, role: str, tenant: str, days: int) -> None:
        """Make a key and print it, this once."""
        cabinet = make_cabinet()
        cabinet.keys.prepare()
        chosen = Role.named(role)
        with _refusals():
            made, text = cabinet.keys.add(name, chosen, cabinet.checked_tenant(tenant, chosen), days)
        _record(cabinet.trail, made, "made")
        end = f"{made.expires:%Y-%m-%d}"
        click.echo(f"{made.id}: {made.name}, {made.role.word} of tenant {made.tenant_id}, until {end}")
        click.echo(f"key: {text}")

    @keys.command(name="list")
    def list_() -> None:
        """Show all keys, newest first."""
        for each in make_cabinet().keys.all():
            state = f"revoked {each.revoked:%Y-%m-%d}" if each.revoked else f"until {each.expires:%Y-%m-%d}"
            click.echo(f"{each.id}\t{each.name}\t{each.role.word}\t{each.tenant_id}\t{state}")

    @keys.command()
    @click.argument("key_id", metavar="ID")
    def revoke(key_id: str) -> None:
        """End a key at once."""
        cabinet = make_cabinet()
        with _refusals():
            ended = cabinet.keys.revoke(key_id)
        _record(cabinet.trail, ended, "revoked")
        click.echo(f"{ended.id}: revoked")

    return keys


@contextmanager
def _refusals() -> Iterator[None]:
    """Make a sentence and exit code 2 of what is refused."""
    try:
        yield
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _record(trail: Trail, key: Key, done: str) -> None:
    who = f"{key.role.word} key “{key.name}” ({key.id})"
    trail.write(
        Entry(
            Action="configured",
            Message=f"From the command line: {who} was {done}",
            TenantId="" if key.tenant_id == "*" else key.tenant_id,
            EntityType="ApiKey",
            EntityId=key.id,
        )
    )
