"""`audit-indexer verify`: the seals against the store, told range by range."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import orjson

from indexer import keys
from indexer.errors import SettingsError, StoreError
from indexer.plans import checked_id
from indexer.query import Window
from indexer.seals import anchors, records
from indexer.seals.report import Extent, Report
from indexer.seals.states import FINDINGS, MEANINGS, State
from indexer.seals.verify import Progress, Verification
from indexer.session import moment_of, opened

_FINDINGS: Final = 1


@click.command("verify")
@click.option(
    "--tenant", metavar="ID", help="Only the events of this tenant (all chains are checked anyway)."
)
@click.option("--from", "start", metavar="T", help="UTC; partitions that end at or before it are left out.")
@click.option("--to", "end", metavar="T", help="UTC; partitions that begin at or after it are left out.")
@click.option(
    "--anchor", "anchor_files", multiple=True, type=click.Path(path_type=Path),
    help="Anchors kept outside the store, JSON lines; without --key, their keys are believed, and no others.",
)  # fmt: skip
@click.option(
    "--key", "key_files", multiple=True, type=click.Path(path_type=Path),
    help="A public key (PEM) of an agent; only given keys, and those they hand over to, are believed.",
)  # fmt: skip
@click.option(
    "--certificate-key", "certificate_key_files", multiple=True, type=click.Path(path_type=Path),
    help="A public key (PEM) of retention; then only certificates that such a key has signed are believed.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON line instead of sentences.")
@click.option(
    "--record/--no-record", default=True, show_default=True, help="Keep the result for /admin/integrity."
)
@click.pass_obj
def verify(  # noqa: PLR0913 - a check has that many options
    timeout_secs: float,
    tenant: str | None,
    start: str | None,
    end: str | None,
    anchor_files: tuple[Path, ...],
    key_files: tuple[Path, ...],
    certificate_key_files: tuple[Path, ...],
    *,
    as_json: bool,
    record: bool,
) -> None:
    """Compare every event with its seal; exit 1 if anything is not as it was sealed.

    Whole partitions are checked, so --from and --to are rounded outwards.
    """
    extent = Extent(
        None if tenant is None else checked_id(tenant),
        Window(
            None if start is None else moment_of("--from", start),
            None if end is None else moment_of("--to", end),
        ),
    )
    _refuse_reversed(extent.window, start, end)
    known = [anchor for path in anchor_files for anchor in anchors.read(path)]
    pinned = [keys.read_public(path, "--key") for path in key_files]
    certifiers = [keys.read_public(path, "--certificate-key") for path in certificate_key_files]
    with opened(timeout_secs) as (client, prefix):
        with _progress() as progress:
            check = Verification(client, prefix, extent, now=datetime.now(UTC), progress=progress)
            report = check.run(known, pinned, certifiers)
        if as_json:
            click.echo(orjson.dumps(report.to_source()).decode())
        else:
            for line in lines(report):
                click.echo(_plain(line))
        if record:
            try:
                records.write(client, prefix, report)
            except StoreError as error:
                click.echo(f"not recorded for /admin/integrity: {error}", err=True)
    if not report.is_sound:
        sys.exit(_FINDINGS)


def _refuse_reversed(window: Window, start: str | None, end: str | None) -> None:
    """SettingsError where nothing could be found, and so nothing wrong."""
    if window.start is not None and window.end is not None and window.end <= window.start:
        raise SettingsError(f"--to {end} is not after --from {start}: there is nothing between them")


def lines(report: Report) -> Iterator[str]:
    """Tell a report to people."""
    for name, counts in sorted(report.partitions.items()):
        yield f"{name}  {_told(counts)}"
    totals = report.totals
    for state in State:
        if totals[state]:
            mark = "FINDING  " if state in FINDINGS else ""
            yield f"{mark}{state.value} {totals[state]:,}: {MEANINGS[state]}"
        for example in report.examples.get(state, ()):
            yield f"  {example.id}  {example.partition}  tenant {example.tenant or '-'}"
        for trouble in report.troubles:
            if trouble.state is state:
                about = f"chain {trouble.chain}: " if trouble.chain else ""
                yield f"  {about}{trouble.sentence}"
    for chain in report.chains:
        again = "; began anew, its agent's state was lost" if chain.id in report.restarted else ""
        yield (
            f"chain {chain.id} of {chain.host}: {len(chain.seals):,} seals of {chain.count:,} events, "
            f"the last of {chain.last.time}{again}"
        )
    yield f"{report.roots_count:,} roots computed again; {report.anchors_count:,} anchors compared"
    yield from _provisos(report)
    if not totals:
        yield "nothing to verify: no events and no seals here"


def _plain(line: str) -> str:
    """A line as it may be shown: what writers of events and seals made up moves no terminal's cursor."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in line)


def _provisos(report: Report) -> Iterator[str]:
    """What was believed without being asked for."""
    if not report.is_pinned and report.chains:
        yield "the keys are those found in the store: --key or --anchor tell whether they are the agents' own"
    if report.certificates_count and not report.is_certified:
        yield (
            f"certificates believed, whoever wrote them: {report.certificates_count:,}; "
            "--certificate-key tells whether they are retention's own"
        )


def _told(counts: Counter[State]) -> str:
    return ", ".join(f"{state.value} {counts[state]:,}" for state in State if counts[state])


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show on a terminal what is being done; quiet in a pipe."""
    is_terminal = sys.stderr.isatty()
    shown = ""

    def show(what: str, done: int, total: int) -> None:
        nonlocal shown
        if is_terminal:
            text = f"{what}: {done:,} of {max(done, total):,}"
            click.echo("\r" + text.ljust(len(shown)), nl=False, err=True)
            shown = text

    yield show
    if shown:
        click.echo("\r" + " " * len(shown) + "\r", nl=False, err=True)
