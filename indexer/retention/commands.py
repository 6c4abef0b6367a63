"""`audit-indexer retention`: run it, and show what is kept, what is held, what ran."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

import click

from indexer import tenants
from indexer.errors import SettingsError
from indexer.keys import public_pem
from indexer.retention import certificates, erasures, holds, last_run, report, schedule, signing
from indexer.retention import run as runs
from indexer.retention.alarms import ALARMS, AlarmError
from indexer.retention.certificate import Certificate, Kind
from indexer.retention.last_run import LastRun
from indexer.retention.run import Order, Planned, Report
from indexer.session import moment_of, opened

_FINDINGS: Final = 1
_LAST_COUNT: Final = 20


class Bar:
    """Progress on a terminal; nothing in a pipe."""

    def __init__(self) -> None:
        self._bar: Any = None

    def begin(self, what: str, total: int) -> None:
        """Begin another piece of work of so many events."""
        self.end()
        if sys.stderr.isatty():
            self._bar = click.progressbar(length=total, label=what, file=sys.stderr)
            self._bar.__enter__()

    def advance(self, count: int) -> None:
        """Say that so many more are done."""
        if self._bar is not None:
            self._bar.update(count)

    def end(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


@click.group("retention")
def retention() -> None:
    """Delete what is older than its plan keeps, carry over what is to be kept, certify both."""


@retention.command("run")
@click.option("--now", help="Decide as of this time (UTC) instead of the clock's: 2026-12-01T02:00.")
@click.option("--dry-run", is_flag=True, help="Print what would be done; change nothing.")
@click.pass_obj
def retention_run(timeout_secs: float, now: str | None, *, dry_run: bool) -> None:
    """Do what is due, once; a second run finds nothing. Exit 1 if something was passed over."""
    moment = datetime.now(UTC) if now is None else moment_of("--now", now)
    order = Order(moment, is_given=now is not None, key=None if dry_run else signing.key())
    bar = Bar()
    with opened(timeout_secs) as (client, prefix):
        try:
            done = runs.rehearse(client, prefix, order) if dry_run else runs.run(client, prefix, order, bar)
        except AlarmError as error:
            done = Report()
            done.find(error)
        finally:
            bar.end()
    tell(done)
    if done.findings:
        sys.exit(_FINDINGS)


@retention.command("key")
def retention_key() -> None:
    """Print the public key (PEM) that certificates are signed with: `verify --certificate-key` takes it."""
    key = signing.key()
    if key is None:
        raise SettingsError(
            f"{signing.KEY_FILE} names no file: certificates are not signed; name one: a key is made there"
        )
    click.echo(public_pem(key.public).decode(), nl=False)


@retention.command("show")
@click.pass_obj
def retention_show(timeout_secs: float) -> None:
    """Print what is kept and until when, what goes next, what is held, and what was deleted last."""
    now = datetime.now(UTC)
    with opened(timeout_secs) as (client, prefix):
        known = tenants.load(client, prefix, now=now)
        found = report.classes(client, prefix, known)
        in_force = schedule.active(holds.all(client, prefix))
        done = certificates.all(client, prefix)
        last = last_run.read(client, prefix)
        asked = [each for each in erasures.all(client, prefix) if not each.finished]
    for tenant in sorted(known.by_id.values(), key=lambda each: (each.name, each.id)):
        click.echo(_kept(report.kept(known, tenant, now)))
    for each in found:
        click.echo(_class(each))
    for hold in in_force:
        click.echo(f"held      {hold.tenant}  {hold.sentence()}: {hold.reason}")
    for erasure in asked:
        state = "confirmed" if erasure.is_confirmed else "asked for"
        click.echo(f"erasure   {erasure.tenant}  {state}: {erasure.reason}")
    click.echo(_last(last))
    for certificate in done[-_LAST_COUNT:]:
        click.echo(f"{certificate.begun:%Y-%m-%d %H:%M}Z  {told(certificate)}")


def _last(last: LastRun | None) -> str:
    if last is None:
        return "last run  never"
    found = f", {len(last.findings)} findings" if last.findings else ""
    return f"last run  {last.ended:%Y-%m-%d %H:%M}Z by {last.who}: {last.deleted_count} deletions{found}"


def _kept(kept: report.Kept) -> str:
    line = f"kept      {kept.tenant.id}  {kept.tenant.name}  {kept.plan}"
    if kept.tenant.erased:
        return f"{line}: erased"
    if kept.since is None or kept.until is None:
        return f"{line}: for as long as told"
    return f"{line} {kept.days} days: back to {kept.since:%Y-%m-%d}, today's until {kept.until:%Y-%m-%d}"


def _class(found: report.ClassKept) -> str:
    line = f"{found.retention.name:<10}{found.partition_count} partitions, {found.event_count:,} events"
    if found.oldest is None:
        return line
    end = f", goes at {found.next_end:%Y-%m-%d %H:%M}Z" if found.next_end else ""
    return f"{line}; the oldest of {found.oldest:%Y-%m-%d}{end}"


def tell(done: Report) -> None:
    """Print what a run did, or would do; alarms with their way out on the other stream."""
    for planned in done.planned:
        click.echo(_planned(planned))
    for certificate in done.done:
        click.echo(told(certificate))
    if done.merged:
        click.echo(f"merged {len(done.merged)} closed partitions")
    for finding in done.findings:
        click.echo(f"ERROR {finding.name}: {finding.sentence}. {ALARMS[finding.name].do}", err=True)
    if not (done.planned or done.done or done.merged or done.findings):
        click.echo("nothing is due")


def _planned(planned: Planned) -> str:
    gone = planned.event_count - planned.kept_count
    kept = f", {planned.kept_count:,} would be kept" if planned.kept_count else ""
    what = f"erase tenant {planned.erased} from" if planned.erased else "delete"
    return f"would {what} {planned.index}: {gone:,} of {planned.event_count:,} events{kept}"


def told(certificate: Certificate) -> str:
    """Say in a line what a certificate says."""
    gone = certificate.before_count - certificate.after_count
    word = "erased from" if certificate.kind is Kind.ERASURE else "deleted"
    line = f"{word} {certificate.index}: {gone:,} of {certificate.before_count:,} events"
    reasons = Counter[str]()
    for each in certificate.carried:
        reasons[each.reason] += each.count
    if not reasons:
        return line
    told_reasons = ", ".join(f"{count:,} by {reason}" for reason, count in sorted(reasons.items()))
    return f"{line}; kept in {certificate.carried[0].index}: {told_reasons}"
