"""Files as a framer sees them: the sample logs, and bytes in chunks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agent.formats import Format, Framer, format_named

CORPUS = Path(__file__).parents[2] / "corpus"


def framed(framer: Framer, chunks: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """The records of a file that was read in these chunks, to its end."""
    records: list[tuple[int, bytes]] = []
    position = 0
    for chunk in chunks:
        records += framer.split(chunk, position)
        position += len(chunk)
    return records + framer.flush()


def sample(format_name: str, path: str) -> tuple[Format, Framer, list[tuple[int, bytes]]]:
    """A sample log cut into records, read in chunks that end anywhere."""
    of_source = format_named(format_name)
    framer = of_source.framer()
    data = (CORPUS / path).read_bytes()
    size = 100_003
    return of_source, framer, framed(framer, (data[at : at + size] for at in range(0, len(data), size)))
