"""The whole agent against raw bulk, in one run: `python -m bench.ship [--records 500000] [--rounds 2]`.

Each round ships the samples, repeated, through `audit-agent run --once` into a local node, and sends the same
documents, pre-encoded, as raw bulk requests over two connections into partitions of the same settings and
mapping. Printed: events a second of both and their ratio, CPU seconds and peak memory of the agent, bytes on
disk an event after a force-merge beside the bytes of the raw lines. Quote ratios: the machine may be noisy.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import urllib3

from bench import backlog, workbench
from indexer import partitions

BATCH_COUNT: Final = 2500
SENDERS: Final = 2


_SIZES: Final = {"format": "json", "bytes": "b", "h": "prirep,size"}


@dataclass(frozen=True)
class Shipped:
    """One run: events a second, and what it cost."""

    events_a_second: float
    cpu_secs: float = 0.0
    peak_mb: float = 0.0


def agent_run(url: str, prefix: str, log: Path, records: int) -> Shipped:
    """Ship the log with the agent as a user would."""
    return shipped(workbench.configured(log.parent, log.name), url, prefix, records)


def shipped(config: Path, url: str, prefix: str, records: int) -> Shipped:
    """Ship everything that this configuration names, once."""
    began = time.perf_counter()
    process = workbench.agent(config, url, prefix, "--once", piped=True)
    output = process.output()
    cost = process.end()
    took = time.perf_counter() - began
    counts = json.loads(output)
    if counts["stored"] != records:
        raise click.ClickException(f"the agent stored {counts['stored']:,} of {records:,} records: {counts}")
    return Shipped(records / took, cost.cpu_secs, cost.peak_mb)


def raw_run(url: str, prefix: str, bodies: list[Path], records: int) -> Shipped:
    """Send pre-encoded bodies, nothing else."""
    client = workbench.client_of(url, prefix)
    partitions.ensure(client, f"{prefix}-audit-enterprise-2026.11")
    pool = urllib3.PoolManager(maxsize=SENDERS)
    waiting = iter(bodies)
    lock = threading.Lock()
    failed: list[str] = []

    def send() -> None:
        while True:
            with lock:
                path = next(waiting, None)
            if path is None:
                return
            answer = pool.request(
                "POST",
                f"{url}/_bulk?filter_path=errors",
                body=path.read_bytes(),
                headers={"Content-Type": "application/x-ndjson"},
            )
            if answer.status != 200 or answer.json()["errors"]:  # noqa: PLR2004  OK
                failed.append(path.name)

    began = time.perf_counter()
    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if failed:
        raise click.ClickException(f"raw bulk failed for {len(failed)} requests, {failed[0]} first")
    return Shipped(records / took)


def disk_bytes(url: str, prefix: str) -> int:
    """What the partitions of a prefix take after a force-merge to one segment."""
    client = workbench.client_of(url, prefix)
    pattern = partitions.pattern(prefix)
    client.request("POST", f"/{pattern}/_forcemerge", params={"max_num_segments": "1"}, timeout_secs=600)
    client.request("POST", f"/{pattern}/_flush", timeout_secs=600)
    client.request("POST", f"/{pattern}/_refresh", timeout_secs=600)
    # Sizes of segments, not of stores: those are remembered for ten seconds, merged-away segments included.
    found: Any = client.request("GET", f"/_cat/segments/{pattern}", params=_SIZES).json
    return sum(int(segment["size"]) for segment in found if segment["prirep"] == "p")


@click.command()
@click.option("--records", default=500_000, show_default=True, help="At least so many records.")
@click.option("--rounds", default=2, show_default=True, help="Both sides in turn, so often.")
@click.option("--heap", default="1g", show_default=True, help="Java heap of the node.")
def main(records: int, rounds: int, heap: str) -> None:
    """Compare the agent with raw bulk."""
    with (
        tempfile.TemporaryDirectory(prefix="smartwms-audit-bench-") as folder,
        workbench.running_node(heap) as node,
    ):
        url = node.url
        home = Path(folder)
        log = home / "backlog.clef"
        count = backlog.write(log, records)
        bodies = []
        for number, encoded in enumerate(backlog.batches(log, "raw", BATCH_COUNT)):
            bodies.append(home / f"{number:06d}.ndjson")
            bodies[-1].write_bytes(encoded)
        click.echo(f"{count:,} records, {log.stat().st_size / count:,.0f} bytes a line, {rounds} rounds")
        agent, raw, disk = [], [], 0
        workbench.prepared(url, "agent")
        for number in range(rounds):
            raw.append(raw_run(url, "raw", bodies, count))
            agent.append(agent_run(url, "agent", log, count))
            click.echo(report(number + 1, agent[-1], raw[-1], count))
            disk = disk_bytes(url, "agent")
            workbench.dropped(url, "agent")
            workbench.dropped(url, "raw")
        ratios = [a.events_a_second / r.events_a_second for a, r in zip(agent, raw, strict=True)]
        line = log.stat().st_size / count
        click.echo(f"median ratio to raw bulk: {statistics.median(ratios):.2f}")
        click.echo(f"on disk: {disk / count:,.0f} bytes an event, {disk / count / line:.2f} of the raw line")


def report(number: int, agent: Shipped, raw: Shipped, count: int) -> str:
    """One round in a line."""
    ratio = agent.events_a_second / raw.events_a_second
    return (
        f"round {number}: agent {agent.events_a_second:,.0f}/s, raw bulk {raw.events_a_second:,.0f}/s, "
        f"ratio {ratio:.2f}; agent {agent.cpu_secs / count * 100_000:.1f} CPU s per 100,000, "
        f"peak {agent.peak_mb:,.0f} MB"
    )


if __name__ == "__main__":
    main()
