"""What a run of retention takes: `python -m bench.retention [--events 500000] [--held 0.5]`.

Fills one daily partition of a local node of its own by raw bulk, a part of it with events of a tenant that is
on hold, and runs retention as of a day on which the partition is over. Prints the seconds of each step, which
add up to the time for which writers of that partition wait, and the process's peak memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import click
import orjson
import psutil

from bench.workbench import client_of, prepared, running_node
from indexer import partitions, tenants
from indexer.client import Client
from indexer.retention import holds, run
from indexer.retention.run import Order
from tests.support import events as samples

PREFIX: Final = "bench"
DAY: Final = datetime(2026, 9, 1, tzinfo=UTC)
PARTITION: Final = f"{PREFIX}-audit-starter-2026.09.01"
BATCH_COUNT: Final = 2500


class Watch:
    """Seconds by step, and the most memory that this process held."""

    def __init__(self) -> None:
        self.secs: dict[str, float] = {}
        self.peak_bytes = 0
        self._since = time.perf_counter()

    def after(self, step: str) -> None:
        now = time.perf_counter()
        self.secs[step] = self.secs.get(step, 0) + now - self._since
        self._since = now
        self.advance(0)

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, count: int) -> None:  # noqa: ARG002  memory is looked at, whatever was done
        self.peak_bytes = max(self.peak_bytes, psutil.Process().memory_info().rss)


def load(client: Client, count: int, held: float) -> None:
    """Fill the partition, `held` of it with events of NORD."""
    partitions.ensure(client, PARTITION)
    for batch in _batches(count, held):
        answer = orjson.loads(client.bulk(batch).body)
        if answer["errors"]:
            raise click.ClickException("the node refused some of the events")
    client.request("POST", f"/{PARTITION}/_refresh", timeout_secs=120)


def _batches(count: int, held: float) -> Iterator[bytes]:
    day = samples.sample()
    lines: list[bytes] = []
    for number in range(count):
        made = day[number % len(day)]
        made["@timestamp"] = f"{DAY + timedelta(seconds=number % 86_400):%Y-%m-%dT%H:%M:%S}.0000000Z"
        made["event"]["id"] = f"bench{number:019d}"
        made["tenant"]["id"] = samples.NORD if number % 1000 < held * 1000 else samples.TEST
        lines += [
            orjson.dumps({"create": {"_index": PARTITION, "_id": made["event"]["id"]}}),
            orjson.dumps(made),
        ]
        if len(lines) == 2 * BATCH_COUNT:
            yield b"\n".join(lines) + b"\n"
            lines = []
    if lines:
        yield b"\n".join(lines) + b"\n"


@click.command()
@click.option("--events", default=500_000, show_default=True, help="How many events the partition holds.")
@click.option("--held", default=0.5, show_default=True, help="The part of them that is carried over.")
@click.option("--heap", default="1g", show_default=True, help="Java heap of the node.")
def main(events: int, held: float, heap: str) -> None:
    """Let one partition expire, and watch."""
    with running_node(heap) as node:
        client = client_of(node.url, PREFIX)
        prepared(node.url, PREFIX)
        since = DAY - timedelta(days=9)
        for tenant_id in (samples.TEST, samples.NORD):
            tenants.put(
                client, PREFIX, tenant_id, name=tenant_id, zone="UTC", hours="00:00-24:00",
                plan="starter", days=None, start=since, now=since - timedelta(days=1),
            )  # fmt: skip
        load(client, events, held)
        if held:
            holds.place(client, PREFIX, samples.NORD, reason="bench", by="bench", now=DAY)
        watch = Watch()
        order = Order(DAY + timedelta(days=31), is_given=True, after=watch.after)
        (done,) = run.run(client, PREFIX, order, watch).done
        client.close()
    click.echo(", ".join(f"{step} {secs:.1f} s" for step, secs in watch.secs.items()))
    click.echo(
        f"{done.before_count:,} events, {done.after_count:,} carried over: {sum(watch.secs.values()):.0f} s, "
        f"peak {watch.peak_bytes / 1e6:,.0f} MB"
    )


if __name__ == "__main__":
    main()
