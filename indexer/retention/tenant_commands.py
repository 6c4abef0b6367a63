"""`audit-indexer tenants hold`, `release`, `holds` and `erase`: what must not go, and what must."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Final

import click

from indexer import trail
from indexer.errors import SettingsError
from indexer.retention import clock, erasures, holds, signing
from indexer.retention import run as runs
from indexer.retention.alarms import AlarmError
from indexer.retention.commands import Bar, tell
from indexer.retention.hold import Hold
from indexer.retention.persons import person
from indexer.retention.run import Order, Report
from indexer.retention.trailing import note
from indexer.session import moment_of, opened

_FINDINGS: Final = 1
_reason = click.option("--reason", required=True, help="Why, in a sentence; it is kept for good.")
_by = click.option("--by", metavar="NAME", help="Who says so; the system's user is written down beside it.")


@click.command("hold")
@click.argument("tenant_id", metavar="ID")
@_reason
@click.option("--from", "start", metavar="T", help="UTC; default: as far back as there are events.")
@click.option("--to", "end", metavar="T", help="UTC; default: without an end.")
@click.option("--entity-type", default="", help="Only events about this type, such as SalesOrder.")
@click.option("--entity", "entity_id", default="", help="Only events about this id or number.")
@_by
@click.pass_obj
def hold(  # noqa: PLR0913, PLR0917  a hold has that many properties
    timeout_secs: float,
    tenant_id: str,
    reason: str,
    start: str | None,
    end: str | None,
    entity_type: str,
    entity_id: str,
    by: str | None,
) -> None:
    """Keep a tenant's events from being deleted, whatever its plan, until a second person releases them."""
    since = None if start is None else moment_of("--from", start)
    until = None if end is None else moment_of("--to", end)
    with opened(timeout_secs) as (client, prefix):
        made = holds.place(
            client,
            prefix,
            tenant_id,
            reason=reason,
            by=person(by),
            now=datetime.now(UTC),
            start=since,
            end=until,
            entity_type=entity_type,
            entity_id=entity_id,
        )
        note(
            f"{made.placed_by} placed a legal hold on {made.sentence()}: {made.reason}",
            made.tenant,
            made.placed_by,
        )
    click.echo(_line(made))


@click.command("release")
@click.argument("tenant_id", metavar="ID")
@_reason
@click.option("--hold", "hold_id", metavar="HOLD", help="Only this one; default: all holds of the tenant.")
@_by
@click.pass_obj
def release(timeout_secs: float, tenant_id: str, reason: str, hold_id: str | None, by: str | None) -> None:
    """Release a tenant's holds; who placed one cannot."""
    with opened(timeout_secs) as (client, prefix):
        done = holds.release(
            client, prefix, tenant_id,
            reason=reason, by=person(by), now=datetime.now(UTC), hold_id=hold_id,
        )  # fmt: skip
        for each in done:
            note(
                f"{each.released_by} released the legal hold on {each.sentence()}: {each.release_reason}",
                each.tenant,
                each.released_by,
            )
    for each in done:
        click.echo(_line(each))


@click.command("holds")
@click.argument("tenant_id", metavar="[ID]", required=False)
@click.pass_obj
def list_holds(timeout_secs: float, tenant_id: str | None) -> None:
    """Print every hold, released ones included, the newest first."""
    with opened(timeout_secs) as (client, prefix):
        found = holds.all(client, prefix, tenant_id)
    for each in found:
        click.echo(_line(each))


@click.command("erase")
@click.argument("tenant_id", metavar="ID")
@click.option("--reason", default="", help="Why, in a sentence; it asks for the erasure.")
@click.option("--withdraw", is_flag=True, help="Take back what was asked for and is not confirmed.")
@_by
@click.pass_obj
def erase(timeout_secs: float, tenant_id: str, reason: str, by: str | None, *, withdraw: bool) -> None:
    """Remove every event of a tenant for good. Asked for with --reason; done when a second person runs it.

    Run again after it was ended anywhere, it goes on. Agents know of it within six minutes; what they still
    store until then is removed by the next `retention run`.
    """
    who, now = person(by), datetime.now(UTC)
    with opened(timeout_secs) as (client, prefix):
        found = erasures.get(client, prefix, tenant_id)
        if withdraw:
            taken = erasures.withdraw(client, prefix, tenant_id)
            said = f"{who} took back the erasure of tenant {taken.tenant}"
            note(said, taken.tenant, who, erasure=trail.WITHDRAWN)
            click.echo(f"the erasure of tenant {taken.tenant} is no longer asked for")
            return
        if found is None:
            if not reason:
                raise SettingsError(
                    "--reason is missing: it asks for the erasure, a second person confirms it"
                )
            made = erasures.request(client, prefix, tenant_id, reason=reason, by=who, now=now)
            said = f"{who} asked for the erasure of tenant {made.tenant}: {made.reason}"
            note(said, made.tenant, who, erasure=trail.ASKED)
            click.echo(f"nothing is erased yet: a second person confirms it by `tenants erase {made.tenant}`")
            return
        if reason:
            raise SettingsError(
                f"the erasure of tenant {found.tenant} was asked for already by {found.requested_by}: "
                f"{found.reason}; a second person confirms it without --reason"
            )
        key = signing.key()
        confirmed = erasures.confirm(client, prefix, tenant_id, by=who, now=clock.latest(client, now))
        if not found.is_confirmed:
            said = f"{who} confirmed the erasure of tenant {found.tenant}: {found.reason}"
            note(said, found.tenant, who, erasure=trail.CONFIRMED)
        bar = Bar()
        try:
            report = runs.erase(client, prefix, confirmed, Order(now, key=key), bar)
        except AlarmError as error:
            report = Report()
            report.find(error)
        finally:
            bar.end()
    tell(report)
    if report.findings:
        sys.exit(_FINDINGS)
    click.echo(f"{sum(each.removed.get(confirmed.tenant, 0) for each in report.done):,} events erased")


def _line(found: Hold) -> str:
    line = f"{found.id}  {found.tenant}  {found.sentence()}; placed by {found.placed_by}: {found.reason}"
    if found.released is None:
        return line
    return f"{line}; released by {found.released_by}: {found.release_reason}"
