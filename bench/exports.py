"""Exports in constant memory: `python -m bench.exports [--events 1000000] [--format csv]`.

Loads events into a local node of its own by raw bulk (the samples repeated, a second apart), asks for an
export of all of them like a person does, runs `audit-webui jobs run --once`, and prints rows a second, its
peak memory, the file's size; `audit-webui exports verify` must agree. It does so for a tenth, a half, and all
of the events: the memory must stay what it was. With --data, a folder that `bench.pages --data` left is read
instead: as many of its newest events, of all its tenants, as are asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import orjson
import psutil

from bench.pages import held, kept_node
from bench.workbench import ANSWER_SECS, prepared, running_node
from indexer import partitions
from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.query import OPERATOR, Scope, Window
from indexer.settings import StoreSettings
from tests.support import events as samples
from webui.exports.assembly import make_exports
from webui.exports.job import Format, State
from webui.exports.queue import Queue
from webui.question import Question
from webui.settings import WebSettings
from webui.tenancy import Reader, Tenancy

SCRIPTS: Final = Path(sys.executable).parent
PREFIX: Final = "bench"
BATCH_COUNT: Final = 2500
LOOK_SECS: Final = 0.1
READER: Final = Reader("bench", Scope(samples.TEST))
EVERYTHING: Final = Question()
EVERYBODY: Final = Reader("bench", OPERATOR)


@dataclass(frozen=True)
class Made:
    """One export: what it took."""

    rows: int
    secs: float
    peak_mb: float
    size_bytes: int


def load(client: Client, count: int, first: int) -> None:
    """Store `count` events of one tenant, a second apart, beginning with number `first`."""
    day = [each for each in samples.sample() if "bookkeeping" not in each["event"].get("flags", ())]
    index = partitions.partition_name(PREFIX, "enterprise", "2026-11-01T00:00:00Z", partitions.MONTH)
    partitions.ensure(client, index)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    lines: list[bytes] = []
    for number in range(first, first + count):
        made = day[number % len(day)]
        made["@timestamp"] = f"{start + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S}.0000000Z"
        made["event"]["id"] = f"bench{number:012d}"
        lines += [orjson.dumps({"create": {"_index": index, "_id": made["event"]["id"]}}), orjson.dumps(made)]
        if len(lines) == 2 * BATCH_COUNT:
            _send(client, lines)
    _send(client, lines)
    client.request("POST", f"/{index}/_refresh", timeout_secs=120)


def _send(client: Client, lines: list[bytes]) -> None:
    if not lines:
        return
    answer = orjson.loads(client.bulk(b"\n".join(lines) + b"\n").body)
    if answer["errors"]:
        raise click.ClickException("the node refused some of the events")
    lines.clear()


def export(
    client: Client,
    url: str,
    folder: Path,
    kind: Format,
    reader: Reader = READER,
    asked: Question = EVERYTHING,
) -> Made:
    """Ask for it, have it made by a process of its own, and watch that process."""
    settings = WebSettings(export_dir=folder / "exports", secret_key_file=folder / "secret.key")

    def later() -> datetime:
        return datetime(2027, 1, 1, tzinfo=UTC)

    exports = make_exports(settings, client, PREFIX, Tenancy(client, PREFIX, later), later)
    exports.prepare()
    job = exports.ask(reader, exports.offer(reader, asked), kind, bom=False, record=lambda _: None)
    environment = os.environ | {
        "AUDIT_OPENSEARCH_URL": url,
        "AUDIT_INDEX_PREFIX": PREFIX,
        "AUDIT_WEBUI_EXPORT_DIR": str(settings.export_dir),
        "AUDIT_WEBUI_SECRET_KEY_FILE": str(settings.secret_key_file),
    }
    began = time.perf_counter()
    with (folder / "jobs.log").open("wb") as log:
        worker = subprocess.Popen(
            [SCRIPTS / "audit-webui", "jobs", "run", "--once"], env=environment, stdout=log, stderr=log
        )
        peak = _watched(worker)
    took = time.perf_counter() - began
    held = Queue(Documents(client, PREFIX, "exports")).get(job.id)
    if held is None or held.job.state is not State.DONE:
        raise click.ClickException(f"the export was not made:\n{(folder / 'jobs.log').read_text('utf-8')}")
    file = settings.export_dir / held.job.stored_name
    done = subprocess.run(
        [SCRIPTS / "audit-webui", "exports", "verify", file],
        env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise click.ClickException(done.stdout + done.stderr)
    file.unlink()
    return Made(held.job.row_count, took, peak, held.job.size_bytes)


def newest(client: Client, count: int) -> Question:
    """Ask for about that many of the newest events, which `bench.pages` has spread evenly."""
    total = held(client)
    body = {"size": 0, "aggs": {"times": {"stats": {"field": "@timestamp"}}}}
    path = f"/{partitions.alias(PREFIX)}/_search"
    found: Any = client.request("POST", path, body=body, timeout_secs=ANSWER_SECS).json
    first, last = found["aggregations"]["times"]["min"], found["aggregations"]["times"]["max"]
    start, end = (datetime.fromtimestamp(millis / 1000, UTC) for millis in (first, last + 1))
    return Question(bookkeeping=True).within(Window(end - (end - start) * (count / total), end))


def _watched(worker: subprocess.Popen[bytes]) -> float:
    """Wait for a process; the most memory that it held, in MB."""
    peak = 0
    ended = threading.Event()
    process = psutil.Process(worker.pid)

    def look() -> None:
        nonlocal peak
        while not ended.wait(LOOK_SECS):
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.NoSuchProcess:
                return

    watcher = threading.Thread(target=look)
    watcher.start()
    worker.wait()
    ended.set()
    watcher.join()
    return peak / 1e6


@click.command()
@click.option("--events", default=1_000_000, show_default=True, help="How many events to export.")
@click.option("--format", "kind", default="csv", show_default=True, type=click.Choice(["csv", "ndjson"]))
@click.option("--steps/--no-steps", default=True, show_default=True, help="Also a tenth and a half of them.")
@click.option("--heap", default="1g", show_default=True, help="Java heap of the node.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of `bench.pages --data`.",
)
def main(events: int, kind: str, heap: str, data: Path | None, *, steps: bool) -> None:
    """Export a lot and watch the memory."""
    sizes = [events // 10, events // 2, events] if steps else [events]
    node_of = running_node(heap) if data is None else kept_node(data.resolve(), heap)
    with tempfile.TemporaryDirectory(prefix="smartwms-audit-bench-") as name, node_of as node:
        url = node.url
        client = connect(StoreSettings(opensearch_url=url, index_prefix=PREFIX))
        prepared(url, PREFIX)
        loaded = 0
        for size in sizes:
            if data is None:
                load(client, size - loaded, loaded)
                loaded = size
                made = export(client, url, Path(name), Format(kind))
            else:
                made = export(client, url, Path(name), Format(kind), EVERYBODY, newest(client, size))
            if data is None and made.rows != size:
                raise click.ClickException(f"{made.rows:,} rows of {size:,}")
            click.echo(
                f"{made.rows:,} rows as {kind}: {made.secs:,.1f} s, {made.rows / made.secs:,.0f} rows/s, "
                f"worker's peak {made.peak_mb:,.0f} MB, file {made.size_bytes / 1e6:,.0f} MB, verified"
            )


if __name__ == "__main__":
    main()
