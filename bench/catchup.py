"""After an outage: `python -m bench.catchup [--backlog 200000] [--rate 1000]`.

A backlog lies in yesterday's file, as after hours without a store; then the agent starts, while today's file
grows. Printed: how fast the backlog is shipped, and how late today's lines were meanwhile. Then the store is
killed for a while under the same load: how long until everything written is there.
"""

from __future__ import annotations

import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import click

from bench import workbench
from bench.latency import Written
from bench.numbered import Run
from bench.workbench import Process
from indexer.client import Client
from indexer.errors import FailingError

PREFIX: Final = "catchup"
LOOK_SECS: Final = 0.25
PATIENCE_SECS: Final = 900.0


def last_of(client: Client, file: str) -> int:
    """How many events of one file a search finds."""
    body = {"size": 0, "track_total_hits": True, "query": {"term": {"log.file": file}}}
    try:
        answer: Any = client.request("POST", f"/{PREFIX}-audit*/_search", body=body).json
    except FailingError:
        # A partition that is being made has no shard yet that could answer.
        return 0
    return int(answer["hits"]["total"]["value"])


def until(client: Client, file: str, lines: int) -> float:
    """Wait until so many lines of a file are searchable; the seconds that took."""
    began = time.monotonic()
    while last_of(client, file) < lines:
        if time.monotonic() - began > PATIENCE_SECS:
            raise click.ClickException(
                f"{file}: {last_of(client, file):,} of {lines:,} after {PATIENCE_SECS:g} s"
            )
        time.sleep(LOOK_SECS)
    return time.monotonic() - began


def behind(client: Client, today: Written, file: str) -> float:
    """How old, in seconds, the oldest line of today's is that cannot be found yet."""
    found = last_of(client, file)
    while today.pieces and today.pieces[0][0] < found:
        today.pieces.popleft()
    return time.monotonic() - today.pieces[0][1] if today.pieces else 0.0


def shipped_beside(
    client: Client, today: Written, process: Process, home: Path, backlog: int
) -> tuple[float, float]:
    """Seconds until the backlog is searchable, and the most that today's lines were late meanwhile."""
    began, worst = time.monotonic(), 0.0
    while last_of(client, str(home / "yesterday.clef")) < backlog:
        process.require_running()
        worst = max(worst, behind(client, today, str(home / "today.clef")))
        if time.monotonic() - began > PATIENCE_SECS:
            raise click.ClickException(f"the backlog was not shipped within {PATIENCE_SECS:g} s")
        time.sleep(LOOK_SECS)
    return time.monotonic() - began, worst


def outage(node: workbench.Node, secs: float) -> None:
    """The store is killed, and comes back later."""
    node.kill()
    time.sleep(secs)
    node.start()


@click.command()
@click.option("--backlog", default=200_000, show_default=True, help="Lines that wait in yesterday's file.")
@click.option("--rate", default=1000, show_default=True, help="Lines a second into today's.")
@click.option("--down", default=30.0, show_default=True, help="Seconds that the store is away.")
@click.option("--heap", default="1g", show_default=True, help="Java heap of the node.")
def main(backlog: int, rate: int, down: float, heap: str) -> None:
    """Measure how the agent catches up."""
    with (
        tempfile.TemporaryDirectory(prefix="smartwms-audit-bench-") as folder,
        workbench.running_node(heap) as node,
    ):
        workbench.prepared(node.url, PREFIX)
        home = Path(folder)
        (home / "yesterday.clef").write_bytes(Run.new().lines(0, backlog))
        today = Written(home / "today.clef", rate)
        client = workbench.client_of(node.url, PREFIX)
        process = workbench.agent(workbench.configured(home, "*day.clef"), node.url, PREFIX)
        try:
            today.thread.start()
            took, late = shipped_beside(client, today, process, home, backlog)
            click.echo(
                f"backlog of {backlog:,} lines beside {rate:,} lines/s: shipped in {took:.1f} s "
                f"({backlog / took:,.0f}/s more); today's lines at most {late:.1f} s late"
            )
            outage(node, down)
            began = time.monotonic()
            today.done.set()
            today.thread.join()
            until(client, str(home / "today.clef"), today.written)
            took = time.monotonic() - began
        finally:
            today.done.set()
            cost = process.end(signal.SIGTERM)
        click.echo(
            f"store killed for {down:g} s under {rate:,} lines/s: everything searchable {took:.1f} s "
            f"after it answered again; peak {cost.peak_mb:,.0f} MB"
        )


if __name__ == "__main__":
    main()
