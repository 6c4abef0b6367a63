"""`audit-indexer`: the store's own command. Every failure is one sentence on stderr and an exit code.

0 done, 1 done with findings, 2 settings or arguments, 3 store not reachable in time.
"""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, datetime
from typing import Final

import click

from indexer import bootstrap, cluster, settings, tenants
from indexer.bootstrap import Action
from indexer.classes import ENTERPRISE, PLANS, ClassSettings
from indexer.client import Client
from indexer.cluster import ClassContents
from indexer.errors import IndexerError
from indexer.plans import Tenant, iso
from indexer.policies import PolicySettings
from indexer.retention import clock, tenant_commands
from indexer.session import moment_of, opened

_FINDINGS: Final = 1
_ELSEWHERE: Final = {
    "node": "indexer.node",
    "retention": "indexer.retention.commands",
    "verify": "indexer.seals.command",
}
_MIB: Final = 1 << 20


class Commands(click.Group):
    """Commands whose failures are a sentence and an exit code; the heavy ones are read in when asked for."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            module = importlib.import_module(_ELSEWHERE[cmd_name])
            found: click.Command = getattr(module, cmd_name)
            return found
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except IndexerError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Commands)
@click.version_option(package_name="smartwms-audit")
@click.option(
    "--timeout",
    "timeout_secs",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Seconds to wait for a store that does not answer yet.",
)
@click.pass_context
def main(context: click.Context, timeout_secs: float) -> None:
    """Prepare OpenSearch for SmartWMS Audit, keep its tenants, run a local node.

    Where OpenSearch is: AUDIT_OPENSEARCH_URL, _USERNAME, _PASSWORD_FILE, _CA_FILE; AUDIT_INDEX_PREFIX.
    """
    context.obj = timeout_secs


@main.command()
@click.pass_obj
def plan(timeout_secs: float) -> None:
    """Print what differs from what this version needs; exit 1 if anything does."""
    with opened(timeout_secs) as (client, prefix):
        steps = bootstrap.plan(client, prefix, settings.load(ClassSettings), _warm_nodes())
        for step in steps:
            click.echo(_mark(step) + step.sentence)
        _tell_policies(client)
    if not steps:
        click.echo("nothing to do")
        return
    sys.exit(_FINDINGS)


@main.command()
@click.pass_obj
def apply(timeout_secs: float) -> None:
    """Put right what `plan` prints; exit 1 if something is left that only a person can decide."""
    with opened(timeout_secs) as (client, prefix):
        steps = bootstrap.plan(client, prefix, settings.load(ClassSettings), _warm_nodes())
        bootstrap.apply(client, prefix, steps)
        for step in steps:
            click.echo(_mark(step, done=True) + step.sentence)
        _tell_policies(client)
    if any(step.action is Action.NONE for step in steps):
        sys.exit(_FINDINGS)
    click.echo("the store is as this version needs it")


@main.command()
@click.pass_obj
def status(timeout_secs: float) -> None:
    """Print what this cluster is and has; exit 1 if it is not healthy or `plan` finds a difference."""
    with opened(timeout_secs) as (client, prefix):
        found = cluster.describe(client, prefix)
        steps = bootstrap.plan(client, prefix, settings.load(ClassSettings), _warm_nodes())
    info = found.info
    click.echo(f"OpenSearch {info.version} at {client.url}, cluster {info.name} ({info.uuid})")
    click.echo(f"health {found.health}, {found.node_count} node(s)")
    if found.plugins is None:
        click.echo("plugins: this user may not ask")
    else:
        present = [f"{name} {'yes' if there else 'no'}" for name, there in found.plugins.items()]
        click.echo(f"plugins: {', '.join(present)}")
    if not found.classes_recorded:
        click.echo("retention classes are not recorded yet; these are the defaults")
    for contents in found.contents:
        click.echo(_row(contents))
    for step in steps:
        click.echo(_mark(step) + step.sentence)
    if steps or found.health == "red":
        sys.exit(_FINDINGS)


@main.group("tenants")
def tenants_group() -> None:
    """Keep tenants: name, time zone, business hours, and the history of their plans."""


@tenants_group.command("set")
@click.argument("tenant_id", metavar="ID")
@click.option("--name", required=True, help="How people call it.")
@click.option("--plan", "plan_name", required=True, type=click.Choice(PLANS), help="Retention class.")
@click.option(
    "--from",
    "start",
    help="UTC, a full hour: 2026-12-01 or 2026-12-01T06:00. Default: as soon as every agent knows it; a "
    f"first plan of {ENTERPRISE}, where a tenant is before its first plan, since ever.",
)
@click.option("--zone", required=True, help="IANA time zone, such as Europe/Madrid.")
@click.option("--hours", required=True, help="Business hours, local: 07:00-18:00.")
@click.option(
    "--days",
    type=int,
    help=f"Days to keep events where they are more than the plan's; {ENTERPRISE}: to 3653.",
)
@click.pass_obj
def tenants_set(  # noqa: PLR0913, PLR0917  a tenant has that many properties
    timeout_secs: float,
    tenant_id: str,
    name: str,
    plan_name: str,
    start: str | None,
    zone: str,
    hours: str,
    days: int | None,
) -> None:
    """Create a tenant, or change it; another plan is added to its history."""
    moment = None if start is None else moment_of("--from", start)
    with opened(timeout_secs) as (client, prefix):
        tenant = tenants.put(
            client,
            prefix,
            tenant_id,
            name=name,
            zone=zone,
            hours=hours,
            plan=plan_name,
            start=moment,
            days=days,
            now=clock.latest(client, datetime.now(UTC)),
        )
    click.echo(_line(tenant))


@tenants_group.command("list")
@click.pass_obj
def tenants_list(timeout_secs: float) -> None:
    """Print each tenant with its history of plans."""
    with opened(timeout_secs) as (client, prefix):
        found = tenants.load(client, prefix, now=datetime.now(UTC))
    for tenant in sorted(found.by_id.values(), key=lambda tenant: (tenant.name, tenant.id)):
        click.echo(_line(tenant))


for _command in (
    tenant_commands.hold,
    tenant_commands.release,
    tenant_commands.list_holds,
    tenant_commands.erase,
):
    tenants_group.add_command(_command)


def _mark(step: bootstrap.Step, *, done: bool = False) -> str:
    if step.action is Action.NONE:
        return "needs you: "
    return "put right: " if done else "to do: "


def _warm_nodes() -> str:
    return settings.load(PolicySettings).warm_nodes


def _tell_policies(client: Client) -> None:
    plugins = cluster.plugins(client)
    if plugins is not None and not plugins[cluster.ISM]:
        click.echo("no Index State Management in this cluster: its policies are left out, nothing needs them")


def _row(contents: ClassContents) -> str:
    retention = contents.retention
    kept = "until released" if retention.days is None else f"{retention.days} days"
    row = f"{retention.name:<10} {kept}, by {retention.period}: "
    if not contents.partition_count:
        return row + "no partitions"
    return (
        f"{row}{contents.partition_count} partitions, {contents.first} to {contents.last}, "
        f"{contents.event_count:,} events, {contents.size_bytes / _MIB:,.1f} MiB"
    )


def _line(tenant: Tenant) -> str:
    history = ", ".join(
        f"{entry.plan}{f' ({entry.days} days)' if entry.days else ''} from {iso(entry.start)}"
        for entry in tenant.plans
    )
    return f"{tenant.id}  {tenant.name}  {tenant.zone}  {tenant.hours}  {history}"
