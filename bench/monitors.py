"""Whether 200 monitors keep up among five million events: `python -m bench.monitors [--events 5000000]`.

Loads the events of `bench.pages` (200 tenants, thirty days) into a local node of its own. Then 200 monitors
that all ask something else, each of every tenant, are evaluated while events keep coming: now, and five
minutes late; and once after an outage of six hours, whose events come all at once. The same with six monitors
for each of the 200 tenants, which share their questions. Printed is how long a round takes that asks all.
"""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import orjson

from bench.pages import ALL, PREFIX, Load, held, kept_node, load
from bench.workbench import client_of, prepared, running_node
from indexer import partitions
from indexer.classes import DEFAULTS
from indexer.client import Client
from indexer.documents import Documents
from tests.support import events as samples
from webui.alerts import condition as conditions
from webui.alerts import forms
from webui.alerts.assembly import make_evaluator
from webui.alerts.condition import Template
from webui.alerts.evaluator import Evaluator
from webui.alerts.monitor import EVERY_TENANT, Monitor
from webui.alerts.monitors import Monitors, new_id

MONITORS_COUNT: Final = 200
BURST_COUNT: Final = 200
ROUNDS_COUNT: Final = 10


def different(now: datetime) -> Iterator[Monitor]:
    """Monitors of all tenants, no two of which ask the same."""
    choices = itertools.product(
        ("orders", "products", "users", "inventory", "authentication"),
        ("success", "failure", "unknown", "success&outcome=failure"),
        ("user", "ip", "entity", "action", ""),
        (5, 60),
    )
    for category, outcome, group, minutes in choices:
        usual = forms.usual(Template.OWN_QUERY, EVERY_TENANT, now, "bench")
        asked = replace(
            usual.condition,
            query=f"category={category}&outcome={outcome}",
            group=group,
            window=timedelta(minutes=minutes),
            threshold=50,
        )
        yield replace(usual, id=new_id(), condition=asked)


def usual(now: datetime) -> Iterator[Monitor]:
    """The usual monitors, of each tenant its own."""
    for tenant in ALL:
        for template in Template:
            if template is not Template.OWN_QUERY:
                made = forms.usual(template, tenant.id, now, "bench")
                yield replace(made, id=new_id(), condition=conditions.usual(template))


class Stream:
    """Events that keep coming."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._day = samples.sample()
        self._number = 0

    def come(self, count: int, at: datetime, over: timedelta) -> None:
        """Store so many events that happened in the stretch before a moment."""
        lines: list[bytes] = []
        for each in range(count):
            self._number += 1
            tenant = ALL[self._number % len(ALL)]
            made: dict[str, Any] = self._day[self._number % len(self._day)]
            text = f"{at - over * (each / count):%Y-%m-%dT%H:%M:%S.%f}0Z"
            made["@timestamp"] = text
            made["event"]["id"] = f"come{self._number:020d}"
            made["tenant"] = {"id": tenant.id, "class": tenant.plan}
            name = partitions.partition_name(PREFIX, tenant.plan, text, DEFAULTS[tenant.plan].period)
            partitions.ensure(self._client, name)
            lines += [
                b'{"create":{"_index":"%b","_id":"%b"}}' % (name.encode(), made["event"]["id"].encode()),
                orjson.dumps(made),
            ]
        if orjson.loads(self._client.bulk(b"\n".join(lines) + b"\n").body)["errors"]:
            raise click.ClickException("the node refused some of the events")


def timed(evaluator: Evaluator) -> float:
    """Seconds of a round that asks every monitor."""
    began = time.perf_counter()
    if not evaluator.round(everything=True):
        raise click.ClickException("another evaluator is active")
    return time.perf_counter() - began


def measure(client: Client, name: str, made: list[Monitor], stream: Stream) -> Iterator[str]:
    """Rounds with these monitors alone."""
    monitors = Monitors(Documents(client, PREFIX, "monitors"))
    monitors.prepare()
    for before in monitors.of(None):
        monitors.delete(before.id)
    monitors.add(made)
    stopping = threading.Event()
    evaluator, lease = make_evaluator(client, PREFIX, stopping)
    timed(evaluator)

    def rounds(come: Callable[[], None], count: int) -> list[float]:
        found = []
        for _ in range(count):
            come()
            found.append(timed(evaluator))
        return sorted(found)

    def this_minute() -> None:
        stream.come(BURST_COUNT, datetime.now(UTC), timedelta(minutes=1))

    def also_late() -> None:
        this_minute()
        stream.come(BURST_COUNT, datetime.now(UTC) - timedelta(minutes=5), timedelta(minutes=1))

    def outage() -> None:
        for _ in range(10):
            stream.come(4000, datetime.now(UTC), timedelta(hours=6))

    asked = [
        ("nothing new", lambda: None, 3),
        (f"{BURST_COUNT} events of this minute", this_minute, ROUNDS_COUNT),
        (f"{BURST_COUNT} events, and {BURST_COUNT} late ones", also_late, ROUNDS_COUNT),
        ("40,000 events of six hours at once", outage, 1),
    ]
    for what, come, count in asked:
        times = rounds(come, count)
        yield f"{name}; {what}: median {statistics.median(times):.2f} s, slowest {times[-1]:.2f} s"
    lease.release()


@click.command()
@click.option("--events", default=5_000_000, show_default=True, help="How many events, of 200 tenants.")
@click.option("--heap", default="2g", show_default=True, help="Java heap of the node.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the node, kept and found again; without it a temporary one.",
)
def main(events: int, heap: str, data: Path | None) -> None:
    """Evaluate monitors among many events."""
    with running_node(heap) if data is None else kept_node(data.resolve(), heap) as node:
        client = client_of(node.url, PREFIX)
        prepared(node.url, PREFIX)
        if not held(client):
            load(client, Load(events, datetime.now(UTC).replace(minute=0, second=0, microsecond=0)))
        click.echo(f"{held(client):,} events")
        now, stream = datetime.now(UTC), Stream(client)
        for name, made in (
            (f"{MONITORS_COUNT} different monitors", list(different(now))),
            (f"{6 * len(ALL)} usual monitors of {len(ALL)} tenants", list(usual(now))),
        ):
            for line in measure(client, name, made, stream):
                click.echo(line)


if __name__ == "__main__":
    main()
