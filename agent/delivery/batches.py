"""Documents collected until they are worth a request: by bytes, by count, by time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from operator import itemgetter
from typing import Protocol, TypeAlias

# What a document costs in memory besides its body: tuple, id, hash, references.
OVERHEAD_BYTES = 480
BATCH_BYTES_MIN = 64 * 1024


class Token(Protocol):
    """What ties a document to where it was read: it counts the records that are not final yet."""

    open_count: int


# (partition, id, body, token, tenant, hash): an indexer.bulk.Document, its token, and what its seal says of
# it. Finding tenant and hash in the body later would cost more than everything else about seals.
Document: TypeAlias = "tuple[str, str, bytes, Token, str, bytes]"

# A document whose token does not matter any more.
Stored: TypeAlias = "tuple[str, str, bytes, object, str, bytes]"

_BODY = itemgetter(2)


def size_bytes(documents: Sequence[Document]) -> int:
    """The memory that these documents take, nearly."""
    return sum(map(len, map(_BODY, documents))) + OVERHEAD_BYTES * len(documents)


class Batch:
    """Documents for one request; `partition` is set when they are all of one that is in trouble."""

    __slots__ = ("bytes", "documents", "partition")

    def __init__(self, documents: list[Document], bytes_: int, partition: str | None = None) -> None:
        self.documents = documents
        self.bytes = bytes_
        self.partition = partition


class Collector:
    """The batch that is being filled."""

    def __init__(self, batch_bytes: int, batch_count: int, batch_secs: float) -> None:
        self.batch_bytes = batch_bytes
        self._batch_count = batch_count
        self._batch_secs = batch_secs
        self._documents: list[Document] = []
        self._bytes = 0
        self._since = 0.0

    def add(self, documents: list[Document], bytes_: int, now: float) -> list[Batch]:
        """Take documents of `bytes_`; the batches that are full by them."""
        if not self._documents:
            self._since = now
        self._documents.extend(documents)
        self._bytes += bytes_
        full = self._bytes >= self.batch_bytes or len(self._documents) >= self._batch_count
        return self.take() if full else []

    def is_due(self, now: float) -> bool:
        return bool(self._documents) and now - self._since >= self._batch_secs

    def take(self) -> list[Batch]:
        """Everything collected, in batches that keep the limits (as far as whole documents can)."""
        documents, bytes_ = self._documents, self._bytes
        self._documents, self._bytes = [], 0
        if not documents:
            return []
        parts = max(-(-len(documents) // self._batch_count), -(-bytes_ // (2 * self.batch_bytes)))
        if parts == 1:
            return [Batch(documents, bytes_)]
        rest = iter(documents)
        length = -(-len(documents) // parts)
        slices = iter(lambda: list(islice(rest, length)), [])
        return [Batch(part, size_bytes(part)) for part in slices]
