"""What it costs to turn a record into a document, against reading and writing JSON and nothing else.

    python -m bench.normalise [--rounds 9] [--day enriched/smartwms-20261123]

For each format of the samples it prints microseconds a record of `orjson.loads` of the line (for text: of
the JSON line of the same record or request), of `orjson.dumps` of the event, and of format + normalise +
encode together, and the ratio of the last to the sum of the first two. All are measured in turns, chunk by
chunk, in seconds of the processor, and the fastest of the rounds counts: what else runs on the machine then
disturbs all alike.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import thread_time
from typing import Any

import orjson

from agent.formats import format_named
from agent.normalise.normaliser import Normaliser
from agent.normalise.source import FileInfo, SourceFacts
from indexer.classes import DEFAULTS
from indexer.tenants import Tenants

CORPUS = Path(__file__).parents[1] / "tests" / "corpus"
NGINX = "enriched/access"
CHUNK_COUNT = 96
FILE = FileInfo("sample", b"bench")
MICROSECONDS = 1e6

Records = list[tuple[int, bytes]]


def records_of(path: str, format_name: str) -> Records:
    """The records of a sample file."""
    framer = format_named(format_name).framer()
    return framer.split((CORPUS / path).read_bytes(), 0) + framer.flush()


def normaliser_of(format_name: str) -> Normaliser:
    """A source as the demo has it."""
    found = format_named(format_name)
    facts = SourceFacts(
        name="app",
        host="app-1",
        service="smartwms",
        format_name=found.name,
        provenance=found.provenance,
        parse=found.parse,
        changes_logged=True,
    )
    now = datetime.now(UTC)
    return Normaliser(facts, tenants=Tenants({}, DEFAULTS, now), redaction_key=b"k" * 32, clock=lambda: now)


def measure(format_name: str, records: Records, lines: list[bytes], rounds: int) -> list[float]:
    """Microseconds a record: reading, writing, all of the work."""
    normaliser = normaliser_of(format_name)
    sums = [0.0, 0.0, 0.0]
    for first in range(0, len(records), CHUNK_COUNT):
        chunk = records[first : first + CHUNK_COUNT]
        documents = normaliser.feed(FILE, list(chunk), {}, None) + normaliser.flush()
        events = [orjson.loads(body) for _, _, body, *_ in documents]
        best = [float("inf")] * len(sums)
        for number in range(rounds):
            # Made anew before each count: just read from a file, as the agent has them.
            fed = [(position, renumbered(raw, number)) for position, raw in chunk]
            jsons = [renumbered(raw, number) for raw in lines[first : first + CHUNK_COUNT]]
            works: list[Callable[[], object]] = [
                partial(each, orjson.loads, jsons),
                partial(each, orjson.dumps, events),
                partial(normaliser.feed, FILE, fed, {}, None),
            ]
            for place, work in enumerate(works):
                start = thread_time()
                work()
                best[place] = min(best[place], thread_time() - start)
            normaliser.flush()
        sums = [total + part for total, part in zip(sums, best, strict=True)]
    return [total / len(records) * MICROSECONDS for total in sums]


def renumbered(raw: bytes, number: int) -> bytes:
    """The record in another request: one that has ended already would be remembered."""
    return raw.replace(b"0HN", b"%03d" % number)


def each(function: Callable[[Any], object], values: list[Any]) -> list[object]:
    """What is measured without any work of ours."""
    return [function(value) for value in values]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="the fastest of so many counts")
    parser.add_argument("--day", default="enriched/smartwms-20261123", help="a day of tests/corpus")
    options = parser.parse_args()
    sources = [
        ("clef", f"{options.day}.clef", f"{options.day}.clef"),
        ("serilog-text", f"{options.day}.log", f"{options.day}.clef"),
        ("nginx-json", f"{NGINX}.json.log", f"{NGINX}.json.log"),
        ("nginx-combined", f"{NGINX}.log", f"{NGINX}.json.log"),
    ]
    gc.freeze()
    print(
        f"{'format':<15}{'records':>8}{'loads':>8}{'dumps':>8}{'ours':>8}  us/record, ours / (loads + dumps)"
    )
    for name, path, json_path in sources:
        records = records_of(path, name)
        lines = [raw for _, raw in records_of(json_path, "clef")]
        reading, writing, ours = measure(name, records, lines, options.rounds)
        ratio = ours / (reading + writing)
        print(f"{name:<15}{len(records):>8}{reading:>8.2f}{writing:>8.2f}{ours:>8.2f}  {ratio:.2f}")


if __name__ == "__main__":
    main()
