"""What seals cost, and how fast they are verified: `python -m bench.seals [--records 200000] [--rounds 5]`.

Each round ships the samples, repeated, through `audit-agent run --once` into a local node twice, with
seals and without, in an order that changes each round, and compares the two. The machine may be noisy: CPU
seconds are steadier than events a second, and what part of one run's CPU time goes into seals is steadier
still. Afterwards `--verify` events (or more), sealed, are verified by
`audit-indexer verify`. Printed besides: bytes on disk of seals and of events.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from agent import settings
from agent.daemon import Agent
from agent.sealing.ledger import Ledger
from agent.sealing.messenger import Messenger
from bench import backlog, ship, workbench
from bench.ship import Shipped
from indexer.client import connect
from indexer.seals import index
from indexer.settings import StoreSettings

OFF: Final = "\n[seals]\nenabled = false\n"


def run(url: str, log: Path, records: int, *, sealed: bool, source: str = "bench") -> Shipped:
    """Ship the log once; each source makes events of its own of it."""
    config = workbench.configured(log.parent, log.name)
    text = config.read_text(encoding="utf-8").replace('name = "bench"', f'name = "{source}"')
    config.write_text(text + ("" if sealed else OFF), encoding="utf-8")
    return ship.shipped(config, url, "agent", records)


def disk_bytes(url: str, name: str) -> int:
    """What an index takes after a force-merge to one segment."""
    client = workbench.client_of(url, "agent")
    client.request("POST", f"/{name}/_forcemerge", params={"max_num_segments": "1"}, timeout_secs=600)
    client.request("POST", f"/{name}/_flush", timeout_secs=600)
    client.request("POST", f"/{name}/_refresh", timeout_secs=600)
    sizes = {"format": "json", "bytes": "b", "h": "prirep,size"}
    found: Any = client.request("GET", f"/_cat/segments/{name}", params=sizes).json
    return sum(int(segment["size"]) for segment in found if segment["prirep"] == "p")


def verify(url: str, home: Path) -> None:
    """Verify everything that is there; print the speed, the memory and what was found."""
    began = time.perf_counter()
    process = workbench.Process(
        [workbench.SCRIPTS / "audit-indexer", "verify", "--json"],
        home / "verify.log",
        piped=True,
        environment={"AUDIT_OPENSEARCH_URL": url, "AUDIT_INDEX_PREFIX": "agent"},
    )
    found = json.loads(process.output())
    cost = process.end()
    took = time.perf_counter() - began
    count = sum(found["totals"].values())
    click.echo(
        f"verified {count:,} events in {took:.0f} s: {count / took:,.0f}/s, {cost.cpu_secs:.0f} CPU s, "
        f"peak {cost.peak_mb:,.0f} MB; {found['totals']}, {found['roots']} roots"
    )


@click.command()
@click.option("--records", default=200_000, show_default=True, help="Records a run, at least.")
@click.option("--rounds", default=5, show_default=True, help="With and without, so often.")
@click.option(
    "--verify", "verified", default=1_000_000, show_default=True, help="Events to verify, at least."
)
@click.option("--heap", default="1g", show_default=True, help="Java heap of the node.")
def main(records: int, rounds: int, verified: int, heap: str) -> None:
    """Measure sealing against not sealing, and verifying."""
    with (
        tempfile.TemporaryDirectory(prefix="smartwms-audit-bench-") as folder,
        workbench.running_node(heap) as node,
    ):
        url, home = node.url, Path(folder)
        log = home / "backlog.clef"
        count = backlog.write(log, records)
        workbench.prepared(url, "agent")
        run(url, log, count, sealed=True)
        seals, events = disk_bytes(url, index.name("agent")), ship.disk_bytes(url, "agent")
        click.echo(
            f"{count:,} records; on disk: {events / count:,.0f} bytes an event, {seals / count:.1f} of seals "
            f"({seals / events:.1%})"
        )
        workbench.dropped(url, "agent")
        share(url, log, count)
        workbench.dropped(url, "agent")
        if rounds:
            compare(url, log, count, rounds)
        for number in range(-(-verified // count)):
            run(url, log, count, sealed=True, source=f"bench-{number}")
        verify(url, home)


def share(url: str, log: Path, count: int) -> None:
    """Ship once in this process, and print what part of its CPU time went into seals."""
    config = workbench.configured(log.parent, log.name)
    spent = [0.0]

    def metered(method: Callable[..., object]) -> Callable[..., object]:
        def run(*given: object, **named: object) -> object:
            began = time.thread_time()
            try:
                return method(*given, **named)
            finally:
                spent[0] += time.thread_time() - began

        return run

    for owner, name in ((Ledger, "took"), (Ledger, "turn"), (Ledger, "save"), (Ledger, "close"),
                        (Messenger, "_try")):  # fmt: skip
        setattr(owner, name, metered(getattr(owner, name)))
    store = StoreSettings(opensearch_url=url, index_prefix="agent")
    agent = Agent(settings.load(config), store, connect(store))
    began = time.process_time()
    agent.once(workbench.ANSWER_SECS)
    took = time.process_time() - began
    click.echo(
        f"in one run of {agent.account.stored:,} events: {spent[0]:.2f} of {took:.2f} CPU s for seals, "
        f"{spent[0] / took:.1%}; {spent[0] / count * 1e6:.1f} us an event"
    )


def compare(url: str, log: Path, count: int, rounds: int) -> None:
    """Print each pair of runs, and the medians of their ratios."""
    speeds, costs = [], []
    for number in range(rounds):
        pair: dict[bool, Shipped] = {}
        for sealed in (True, False) if number % 2 else (False, True):
            pair[sealed] = run(url, log, count, sealed=sealed)
            workbench.dropped(url, "agent")
            client = workbench.client_of(url, "agent")
            client.request("DELETE", f"/{index.name('agent')}")
            index.prepare(client, "agent")
        speeds.append(pair[True].events_a_second / pair[False].events_a_second)
        costs.append(pair[True].cpu_secs / pair[False].cpu_secs)
        click.echo(
            f"round {number + 1}: with seals {pair[True].events_a_second:,.0f}/s, "
            f"{pair[True].cpu_secs:.1f} CPU s; "
            f"without {pair[False].events_a_second:,.0f}/s, {pair[False].cpu_secs:.1f} CPU s"
        )
    click.echo(
        f"median of pairs: {statistics.median(speeds):.3f} of the events a second, "
        f"{statistics.median(costs):.3f} of the agent's CPU"
    )


if __name__ == "__main__":
    main()
