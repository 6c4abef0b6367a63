"""From line written to searchable: `python -m bench.latency [--rate 1000] [--secs 60]`.

A writer appends lines at a steady rate, twenty pieces a second; every tenth of a second a search asks for the
last line of the oldest piece not seen yet, by its number. A piece's latency is the time from the end of its
write() to the end of the first search that found it, so it is never measured too short.
"""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

import click

from bench import workbench
from bench.numbered import PIECE_SECS, Run
from indexer.client import Client

PREFIX: Final = "latency"
WARM_SECS: Final = 20.0
LOOK_SECS: Final = 0.1
PATIENCE_SECS: Final = 30.0
GOAL_SECS: Final = 2.0


class Written:
    """Appends pieces at a rate; remembers of each its last number, and when it was in the file."""

    def __init__(self, path: Path, rate: int) -> None:
        self.pieces: deque[tuple[int, float]] = deque()
        self.written = 0
        self.done = threading.Event()
        self._path = path
        self._rate = rate
        self.thread = threading.Thread(target=self._append, name="writer", daemon=True)

    def _append(self) -> None:
        run, number, began = Run.new(), 0, time.monotonic()
        with self._path.open("ab", buffering=0) as file:
            while not self.done.wait(PIECE_SECS):
                # Even, so that the last line of a piece ends its request and nothing waits for the next.
                count = (int((time.monotonic() - began) * self._rate) - number) // 2 * 2
                if count > 0:
                    file.write(run.lines(number, count))
                    number += count
                    self.pieces.append((number - 1, time.monotonic()))
                    self.written = number


def is_searchable(client: Client, number: int) -> bool:
    """Whether a search, which sees what is refreshed and no more, finds the line of this number."""
    body = {"size": 0, "query": {"term": {"labels.Number": str(number)}}}
    answer: Any = client.request("POST", f"/{PREFIX}-audit/_search", body=body).json
    return bool(answer["hits"]["total"]["value"])


def measure(client: Client, written: Written, secs: float) -> list[float]:
    """Seconds until each piece could be found. Pieces become searchable in the order of their writing."""
    found: list[float] = []
    end = time.monotonic() + secs
    while time.monotonic() < end or written.pieces:
        if time.monotonic() > end:
            written.done.set()
        if time.monotonic() > end + PATIENCE_SECS:
            raise click.ClickException(f"{len(written.pieces)} pieces are not to be found")
        time.sleep(LOOK_SECS)
        while written.pieces and is_searchable(client, written.pieces[0][0]):
            _, at = written.pieces.popleft()
            found.append(time.monotonic() - at)
    return found


@click.command()
@click.option("--rate", default=1000, show_default=True, help="Lines a second.")
@click.option("--secs", default=60.0, show_default=True, help="How long.")
@click.option("--heap", default="1g", show_default=True, help="Java heap of the node.")
def main(rate: int, secs: float, heap: str) -> None:
    """Measure from written to searchable."""
    with (
        tempfile.TemporaryDirectory(prefix="smartwms-audit-bench-") as folder,
        workbench.running_node(heap) as node,
    ):
        workbench.prepared(node.url, PREFIX)
        home = Path(folder)
        written = Written(home / "app.clef", rate)
        process = workbench.agent(workbench.configured(home, "app.clef"), node.url, PREFIX)
        client = workbench.client_of(node.url, PREFIX)
        try:
            written.thread.start()
            time.sleep(WARM_SECS)
            written.pieces.clear()
            found = sorted(measure(client, written, secs))
        finally:
            written.done.set()
            cost = process.end(signal.SIGTERM)
    shown = {share: found[min(int(len(found) * share / 100), len(found) - 1)] for share in (50, 95, 99)}
    within = sum(each < GOAL_SECS for each in found) / len(found)
    click.echo(
        f"{rate:,} lines/s for {secs:g} s, written to searchable: "
        + ", ".join(f"{share} % within {value:.2f} s" for share, value in shown.items())
        + f", the slowest {found[-1]:.2f} s; {within:.2%} below {GOAL_SECS:g} s; "
        f"agent {cost.cpu_secs / (secs + WARM_SECS):.1%} of a core, {cost.peak_mb:,.0f} MB"
    )


if __name__ == "__main__":
    main()
