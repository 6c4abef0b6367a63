"""The samples repeated to any size: a log for the agent, and the documents that it makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent.formats import format_named
from agent.normalise.normaliser import Document, Normaliser
from agent.normalise.source import FileInfo, SourceFacts
from indexer import bulk
from indexer.classes import DEFAULTS
from indexer.tenants import Tenants

CORPUS: Final = Path(__file__).resolve().parent.parent / "tests" / "corpus"
SAMPLE: Final = CORPUS / "enriched" / "smartwms-20261123.clef"
CHUNK_COUNT: Final = 160
"""About as many records as the agent reads at once."""


def write(path: Path, records: int) -> int:
    """Write a log of at least so many records, whole days of the sample; how many it holds."""
    day = SAMPLE.read_bytes()
    days = -(-records // day.count(b"\n"))
    with path.open("wb") as log:
        for _ in range(days):
            log.write(day)
    return days * day.count(b"\n")


def batches(path: Path, prefix: str, batch_count: int) -> Iterator[bytes]:
    """The bulk bodies of a log, as the agent would send them under another prefix."""
    form = format_named("clef")
    facts = SourceFacts(
        "bench", "bench", "smartwms", "clef", form.provenance, form.parse, changes_logged=True
    )
    tenants = Tenants({}, DEFAULTS, datetime.now(UTC))
    normaliser = Normaliser(facts, tenants=tenants, redaction_key=b"bench" * 7, prefix=prefix)
    file = FileInfo(str(path), b"bench")
    framer = form.framer()
    held: list[Document] = []
    with path.open("rb") as log:
        position = 0
        while data := log.read(256 * 1024):
            held += normaliser.feed(file, framer.split(data, position), framer.flags, None)
            position += len(data)
            while len(held) >= batch_count:
                yield bulk.encode(held[:batch_count])
                held = held[batch_count:]
    held += normaliser.flush()
    if held:
        yield bulk.encode(held)
