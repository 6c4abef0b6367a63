"""Dead letters sent again after a fix, each into the partition it was meant for."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from agent.delivery.dead_letters import DeadLetters
from indexer import bulk, partitions
from indexer.bulk import Document
from indexer.client import Client
from indexer.verdict import Kind, Verdict

_BATCH_COUNT = 500


class Replayed(NamedTuple):
    """What became of the letters; `reason` says why some wait."""

    stored: int
    duplicate: int
    rejected: int
    waiting: int
    reason: str


def replay(letters: DeadLetters, client: Client) -> Replayed:
    """Send every letter; those that are stored now (or were already) leave the file, the others stay.

    Raises the StoreError that says why a partition cannot be made ready.
    """
    counts = dict.fromkeys(Kind, 0)
    reason = ""
    waiting = iter(list(letters.read()))
    while batch := list(islice(waiting, _BATCH_COUNT)):
        for partition in sorted({letter.partition for letter in batch}):
            partitions.ensure(client, partition)
        documents: list[Document] = [(letter.partition, letter.id, letter.body, None) for letter in batch]
        verdicts = bulk.send(client, documents)
        for verdict in verdicts:
            counts[verdict.kind] += 1
            reason = reason or _reason(verdict)
        letters.remove(
            {
                letter.id
                for letter, verdict in zip(batch, verdicts, strict=True)
                if verdict.kind in {Kind.STORED, Kind.DUPLICATE}
            }
        )
    left = counts[Kind.RETRY] + counts[Kind.HOLD] + counts[Kind.MISSING]
    return Replayed(counts[Kind.STORED], counts[Kind.DUPLICATE], counts[Kind.REJECTED], left, reason)


def _reason(verdict: Verdict) -> str:
    return "" if verdict.final else verdict.cause
