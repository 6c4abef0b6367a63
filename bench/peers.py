"""Ours beside others, in one run: `python -m bench.peers [--records 500000] [--fault-records 100000]`.

The same lines, the enriched sample repeated with a growing number, go through audit-agent, opensearch-py's
parallel_bulk, and Debian's rsyslog and syslog-ng, one after the other into the same local node; then the same
with faults: 10 kills while lines are appended, 100 lines that the store does not take as they are, and 3
times copytruncate with the copies beside the log. Printed: speed, CPU seconds per 100,000, peak memory, and
the account of each fault: how many lines are missing and how many are there twice.
"""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import click

from bench import backlog, debian, workbench
from bench.shippers import LOG, Ours, ParallelBulk, Rsyslog, Shipper, SyslogNg, prepare
from bench.workbench import Process
from indexer.client import Client

QUIET_SECS: Final = 15.0
KILLS: Final = 10
POISON_COUNT: Final = 100
TRUNCATIONS: Final = 3
PIECE_SECS: Final = 0.05
STALLED_SECS: Final = 120.0


@cache
def sample_lines() -> list[bytes]:
    """The day that is repeated, without ends of lines."""
    return backlog.SAMPLE.read_bytes().split(b"\n")[:-1]


def whole_days(count: int) -> int:
    """At least so many lines: ours keeps a line back for a minute whose request has not ended."""
    day = len(sample_lines())
    return -(-count // day) * day


def numbered_lines(first: int, count: int) -> Iterator[bytes]:
    """The lines of the sample in turn, each with its number as last property."""
    sample = sample_lines()
    for number in range(first, first + count):
        yield sample[number % len(sample)][:-1] + b',"Number":%d}\n' % number


@dataclass(frozen=True)
class Place:
    """Where one run of one shipper takes place."""

    home: Path
    node: workbench.Node
    client: Client

    @property
    def log(self) -> Path:
        return self.home / LOG

    def append(self, lines: Iterator[bytes]) -> None:
        with self.log.open("ab") as log:
            log.writelines(lines)


@dataclass(frozen=True)
class Speed:
    """How fast a shipper was, and what it cost."""

    secs: float
    cost: workbench.Cost
    missing: int


def settled(place: Place, shipper: Shipper, lines: int) -> float:
    """Wait until so many lines are there, or until nothing comes any more; when the last came (monotonic)."""
    there, since = -1, time.monotonic()
    while True:
        now_there = workbench.count(place.client, shipper.index)
        now = time.monotonic()
        if now_there != there:
            there, since = now_there, now
        if there >= lines or now - since > (STALLED_SECS if there == 0 else QUIET_SECS):
            return since
        time.sleep(0.5)


def missing_and_twice(place: Place, shipper: Shipper, lines: int) -> tuple[int, int]:
    """How many numbers are not in the store, and how many documents are there too many."""
    seen = Counter(number for number in shipper.numbers(place.client) if isinstance(number, int))
    return lines - sum(0 <= number < lines for number in seen), sum(seen.values()) - len(seen)


def ended(shipper: Shipper, process: Process) -> workbench.Cost:
    """Its end: of a daemon by SIGTERM, of a program that reads to the end by itself."""
    return process.end(signal.SIGTERM if shipper.follows else None)


def speed(place: Place, shipper: Shipper, records: int) -> Speed:
    """A file that is there, through the shipper into the store."""
    place.append(numbered_lines(0, records))
    began = time.monotonic()
    process = shipper.start(place.home, place.node.url)
    last = settled(place, shipper, records)
    cost = ended(shipper, process)
    return Speed(last - began, cost, missing_and_twice(place, shipper, records)[0])


def killed(place: Place, shipper: Shipper, records: int, rate: int) -> tuple[int, int]:
    """SIGKILL ten times while lines are appended."""
    kills = sorted(random.uniform(0.05, 0.95) * records for _ in range(KILLS))
    process = shipper.start(place.home, place.node.url)
    began, written = time.monotonic(), 0
    while written < records:
        time.sleep(PIECE_SECS)
        due = min(records, int((time.monotonic() - began) * rate)) - written
        place.append(numbered_lines(written, due))
        written += due
        if kills and written > kills[0]:
            kills.pop(0)
            process.end(signal.SIGKILL)
            process = shipper.start(place.home, place.node.url)
    if not shipper.follows:
        process.end()
        process = shipper.start(place.home, place.node.url)
    settled(place, shipper, records)
    ended(shipper, process)
    return missing_and_twice(place, shipper, records)


def poisoned(place: Place, shipper: Shipper, records: int, _rate: int) -> tuple[int, int]:
    """A hundred lines whose number is none: the index of the peers refuses them, with 400."""
    every = -(-records // POISON_COUNT)
    place.append(
        line.replace(b',"Number":', b',"Number":"none","No":') + line if number % every == 0 else line
        for number, line in enumerate(numbered_lines(0, records))
    )
    process = shipper.start(place.home, place.node.url)
    settled(place, shipper, records + (POISON_COUNT if isinstance(shipper, Ours) else 0))
    ended(shipper, process)
    return missing_and_twice(place, shipper, records)


def truncated(place: Place, shipper: Shipper, records: int, rate: int) -> tuple[int, int]:
    """Copytruncate three times while lines are appended; nothing is written between copy and truncation."""
    process = shipper.start(place.home, place.node.url)
    began, written, copies = time.monotonic(), 0, 0
    while written < records:
        time.sleep(PIECE_SECS)
        due = min(records, int((time.monotonic() - began) * rate)) - written
        place.append(numbered_lines(written, due))
        written += due
        if copies < TRUNCATIONS and written > records * (copies + 1) / (TRUNCATIONS + 1):
            copies += 1
            shutil.copyfile(place.log, place.home / f"{LOG}.{copies}")
            place.log.write_bytes(b"")
    settled(place, shipper, records)
    ended(shipper, process)
    return missing_and_twice(place, shipper, records)


Fault = Callable[[Place, Shipper, int, int], tuple[int, int]]
FAULTS: Final[dict[str, Fault]] = {
    f"{KILLS} kills": killed,
    f"{POISON_COUNT} poison lines": poisoned,
    f"{TRUNCATIONS} x copytruncate": truncated,
}


class Course:
    """The same course for every shipper."""

    def __init__(self, folder: Path, node: workbench.Node) -> None:
        self._folder = folder
        self._node = node
        self._client = workbench.client_of(node.url, "ours")
        self._runs = 0

    def place(self, shipper: Shipper) -> Place:
        """A home without a past, and an empty index."""
        self._runs += 1
        home = self._folder / f"run-{self._runs}"
        home.mkdir()
        if isinstance(shipper, Ours):
            workbench.dropped(self._node.url, "ours")
            workbench.prepared(self._node.url, "ours")
        else:
            self._client.request("DELETE", f"/{shipper.index}", params={"ignore_unavailable": True})
            prepare(self._client, shipper)
        return Place(home, self._node, self._client)

    def speed(self, shipper: Shipper, records: int) -> str:
        place = self.place(shipper)
        found = speed(place, shipper, records)
        shutil.rmtree(place.home)
        cpu_secs = found.cost.cpu_secs / records * 100_000
        return (
            f"{shipper.name:16} {records / found.secs:10,.0f} {cpu_secs:12.1f} "
            f"{found.cost.peak_mb:8,.0f} {found.missing:9,}"
        )

    def faults(self, shipper: Shipper, records: int, rate: int) -> str:
        columns = [f"{shipper.name:16}"]
        for fault in FAULTS.values():
            if fault is truncated and not shipper.follows:
                columns.append(f"{'-':>20}")
                continue
            place = self.place(shipper)
            missing, twice = fault(place, shipper, records, rate)
            shutil.rmtree(place.home)
            columns.append(f"{f'{missing:,} / {twice:,}':>20}")
        return " ".join(columns)


def shippers(folder: Path) -> list[Shipper]:
    """Ours, and those of the others that can be had here."""
    found: list[Shipper] = [Ours(), ParallelBulk()]
    try:
        unpacked = debian.unpacked(folder)
    except debian.NotDebianError as error:
        click.echo(f"without rsyslog and syslog-ng: {error}")
    else:
        found += [Rsyslog(unpacked), SyslogNg(unpacked)]
    return found


@click.command()
@click.option("--records", default=500_000, show_default=True, help="Lines for the speed.")
@click.option("--fault-records", default=100_000, show_default=True, help="Lines for each fault; 0: none.")
@click.option("--rate", default=6000, show_default=True, help="Lines a second while there are faults.")
@click.option("--heap", default="1g", show_default=True, help="Java heap of the node.")
def main(records: int, fault_records: int, rate: int, heap: str) -> None:
    """Compare the shippers."""
    records, fault_records = whole_days(records), whole_days(fault_records)
    with (
        tempfile.TemporaryDirectory(prefix="smartwms-audit-peers-") as name,
        workbench.running_node(heap) as node,
    ):
        folder = Path(name)
        course = Course(folder, node)
        runners = shippers(folder)
        click.echo(f"{records:,} lines, one after the other into one node")
        click.echo(f"{'':16} {'lines/s':>10} {'CPU s/100k':>12} {'peak MB':>8} {'missing':>9}")
        # A cold store would cost the first of them most.
        course.speed(runners[0], whole_days(records // 10))
        for shipper in runners:
            click.echo(course.speed(shipper, records))
        if fault_records:
            click.echo(f"{fault_records:,} lines, {rate:,}/s; missing / twice")
            click.echo(" ".join([f"{'':16}", *(f"{fault:>20}" for fault in FAULTS)]))
            for shipper in runners:
                click.echo(course.faults(shipper, fault_records, rate))


if __name__ == "__main__":
    main()
