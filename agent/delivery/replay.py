"""Dead letters sent again after a fix, each into the partition it was meant for."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

import orjson

from agent.delivery.batches import Stored
from agent.delivery.dead_letters import DeadLetter, DeadLetters
from agent.delivery.lanes import Took
from indexer import bulk, partitions, tenants
from indexer.bulk import Document
from indexer.client import Client
from indexer.tenants import Tenants
from indexer.verdict import Kind, Verdict

_BATCH_COUNT = 500


class Replayed(NamedTuple):
    """What became of the letters; `reason` says why some wait, `expired` are those of erased tenants."""

    stored: int
    duplicate: int
    rejected: int
    expired: int
    waiting: int
    reason: str


def replay(letters: DeadLetters, client: Client, prefix: str, took: Took) -> Replayed:
    """Send every letter; those that are stored now (or were already) leave the file, the others stay.

    `took` is told of those before they leave. Those of tenants that were erased meanwhile leave it unsent.

    A letter without a partition tells of a record that never became an event; it stays, as rejected. Raises
    the StoreError that says why a partition cannot be made ready. Killed at any moment, the next replay
    finds what was stored already.
    """
    counts = dict.fromkeys(Kind, 0)
    done: set[str] = set()
    known = tenants.load(client, prefix, now=datetime.now(UTC))
    erased = {letter.id for letter in letters.read() if _is_erased(letter, known)}
    letters.remove(erased)
    try:
        reason = _send_all(letters, client, counts, done, took)
    finally:
        letters.remove(done)
    left = counts[Kind.RETRY] + counts[Kind.HOLD] + counts[Kind.MISSING]
    return Replayed(
        counts[Kind.STORED], counts[Kind.DUPLICATE], counts[Kind.REJECTED], len(erased), left, reason
    )


def _is_erased(letter: DeadLetter, known: Tenants) -> bool:
    match orjson.loads(letter.body):
        case {"tenant": {"id": str() as tenant}}:
            return known.is_erased(tenant)
    return False


def _send_all(
    letters: DeadLetters, client: Client, counts: dict[Kind, int], done: set[str], took: Took
) -> str:
    """Send in batches, count the verdicts and note what is stored; why some wait ("" when none does)."""
    reason = ""
    waiting = letters.read()
    while batch := list(islice(waiting, _BATCH_COUNT)):
        counts[Kind.REJECTED] += sum(not letter.partition for letter in batch)
        batch = [letter for letter in batch if letter.partition]
        for partition in sorted({letter.partition for letter in batch}):
            partitions.ensure(client, partition)
        documents: list[Document] = [(letter.partition, letter.id, letter.body, None) for letter in batch]
        verdicts = bulk.send(client, documents)
        for verdict in verdicts:
            counts[verdict.kind] += 1
            reason = reason or _reason(verdict)
        for kind in (Kind.STORED, Kind.DUPLICATE):
            there = [
                document
                for document, verdict in zip(documents, verdicts, strict=True)
                if verdict.kind is kind
            ]
            took([_told(document) for document in there], seen=kind is Kind.DUPLICATE)
            done.update(document[1] for document in there)
    return reason


def _told(document: Document) -> Stored:
    """The document with what its seal says of it."""
    partition, id_, body, *_ = document
    event: dict[str, Any] = orjson.loads(body)
    hash_ = bytes.fromhex(event["event"]["hash"])
    return partition, id_, body, None, event["tenant"]["id"], hash_


def _reason(verdict: Verdict) -> str:
    return "" if verdict.final else verdict.cause
