"""Every document's way to its verdict: sent, sent again, held, or buried; its token is told when it is final.

There is one main flow for all partitions. A partition in trouble gets a lane of its own, so that it waits and
the others go on; when the whole store is in trouble, one request at a time asks whether it is back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Protocol

import structlog

from agent.delivery.backoff import Backoff
from agent.delivery.batches import BATCH_BYTES_MIN, Batch, Collector, Document, Stored, Token, size_bytes
from agent.delivery.dead_letters import DeadLetter, DeadLetters, DeadLettersFullError
from agent.delivery.senders import Answer, Senders
from agent.settings import DeliverySettings
from agent.telemetry import Counts
from indexer.verdict import STORED, Kind, Verdict

log = structlog.get_logger()


class Took(Protocol):
    """Hears of documents that are in the store; `seen`: they were there before they were sent now."""

    def __call__(self, documents: Sequence[Stored], /, *, seen: bool) -> None: ...


# What one chunk of a file becomes must find room, however small the batches are.
ROOM_BYTES_MIN = 1024 * 1024
# When dead letters that found no place are tried again.
REFUSED_SECS = 5.0
_NONE: frozenset[str] = frozenset()


class Lane:
    """Documents of one partition that wait; while it `is_blocked`, new ones wait here too."""

    def __init__(self, backoff: Backoff) -> None:
        self.backoff = backoff
        self.documents: deque[Document] = deque()
        self.bytes = 0
        self.is_blocked = False
        self.in_flight = False
        self.is_held = False
        self.reason = ""

    def put(self, documents: list[Document], *, first: bool = False) -> int:
        """Let documents wait here, before or behind the others; their bytes."""
        (self.documents.extendleft if first else self.documents.extend)(
            reversed(documents) if first else documents
        )
        bytes_ = size_bytes(documents)
        self.bytes += bytes_
        return bytes_


class Lanes:
    """The delivery of one agent. All methods belong to one thread; only the senders are others."""

    def __init__(
        self,
        senders: Senders,
        letters: DeadLetters,
        limits: DeliverySettings,
        counts: Counts,
        wall_clock: Callable[[], str],
        took: Took = lambda _documents, *, seen: None,  # noqa: ARG005 - nobody needs to know
    ) -> None:
        """`took` is told of documents that are stored, before their tokens are."""
        self.last_error = ""
        self.letters_problem = ""
        self.last_answer_at: float | None = None
        self._senders = senders
        self._letters = letters
        self._limits = limits
        self._counts = counts
        self._wall_clock = wall_clock
        self._took = took
        self._random = Random()  # noqa: S311 - spreads retries, protects nothing
        self._collector = Collector(limits.batch_bytes, limits.batch_count, limits.batch_secs)
        self._ready: deque[Batch] = deque()
        self._lanes: dict[str, Lane] = {}
        self._store = Backoff(limits.retry_secs_max, self._random)
        self._bytes = 0
        self._bytes_max = max(limits.batch_bytes * (limits.in_flight + 2), ROOM_BYTES_MIN)
        # What waits in lanes is bounded apart: no partition in trouble takes room from the others.
        self._lanes_bytes = 0
        self._places = float(senders.count)
        self._store_is_held = False
        self._is_lanes_turn = False
        self._refused: list[tuple[DeadLetter, Token]] = []
        self._refused_due = 0.0

    @property
    def has_room(self) -> bool:
        """Whether more may be read: what is not final yet stays below a bound, whatever the store does."""
        return self._bytes - self._lanes_bytes < self._bytes_max and self._bytes < 3 * self._bytes_max

    @property
    def full(self) -> frozenset[str]:
        """The partitions for which no more should be read: their lanes hold their share, or all do."""
        if not self._lanes:
            return _NONE
        share = 0 if self._lanes_bytes >= self._bytes_max else self._limits.batch_bytes
        return frozenset(
            partition for partition, lane in self._lanes.items() if lane.is_blocked and lane.bytes >= share
        )

    @property
    def bytes_open(self) -> int:
        """Memory of the documents that are not final yet, nearly."""
        return self._bytes

    @property
    def places(self) -> int:
        """How many requests may be under way at the moment."""
        return 1 if self._store.attempts else max(int(self._places), 1)

    @property
    def held(self) -> dict[str, str]:
        """What waits for a person: "store" or partitions, each with the reason."""
        held = {partition: lane.reason for partition, lane in self._lanes.items() if lane.is_held}
        return {"store": self.last_error, **held} if self._store_is_held else held

    @property
    def letters_bytes(self) -> int:
        return self._letters.bytes

    @property
    def store_fails(self) -> bool:
        """Whether the last request came back without a usable answer."""
        return bool(self._store.attempts)

    @property
    def is_idle(self) -> bool:
        return self._bytes == 0 and self._senders.in_flight == 0 and not self._refused

    @property
    def in_flight(self) -> int:
        return self._senders.in_flight

    @property
    def waiting(self) -> dict[str, str]:
        """The partitions in trouble, each with its reason."""
        return {partition: lane.reason for partition, lane in self._lanes.items()}

    def add(self, documents: list[Document], now: float) -> None:
        """Take documents over; from here on each of them comes to a verdict, or keeps its position back."""
        bytes_ = size_bytes(documents)
        self._bytes += bytes_
        blocked = {partition for partition, lane in self._lanes.items() if lane.is_blocked}
        if blocked:
            for partition in blocked:
                stuck = [document for document in documents if document[0] == partition]
                self._lanes_bytes += self._lanes[partition].put(stuck)
            documents = [document for document in documents if document[0] not in blocked]
            bytes_ = size_bytes(documents)
        self._ready.extend(self._collector.add(documents, bytes_, now))

    def refuse(self, letters: Iterable[tuple[DeadLetter, Token]]) -> None:
        """Take over records that could not become documents: final as soon as their letters are on disk."""
        self._refused.extend(letters)

    def _bury_refused(self, now: float) -> None:
        letters = [letter for letter, _ in self._refused]
        if not self._buried(letters):
            self._refused_due = now + REFUSED_SECS
            return
        self._counts.rejected += len(letters)
        for _, token in self._refused:
            token.open_count -= 1
        self._refused.clear()

    def seal(self) -> None:
        """Send what was collected without waiting for more."""
        self._ready.extend(self._collector.take())

    def hurry(self) -> None:
        """Send what was collected if nothing else is on its way: then nobody gains by waiting for more."""
        if not (self._senders.in_flight or self._ready or self._store.attempts):
            self.seal()

    def stop(self) -> None:
        """Let the senders go, each after the request that it carries."""
        self._senders.stop(0.0)

    def too_large(self, body_bytes: int) -> None:
        """The store refused a body of this size: make the next ones half as large."""
        self._collector.batch_bytes = max(min(self._collector.batch_bytes, body_bytes // 2), BATCH_BYTES_MIN)

    def turn(self, now: float) -> bool:
        """Take the answers in and send what is due; whether anything became final."""
        before = self._bytes
        for answer in self._senders.answers():
            self._take(answer, now)
        became_final = self._bytes < before
        if self._refused and now >= self._refused_due:
            self._bury_refused(now)
        if self._collector.is_due(now):
            self.seal()
        while self._senders.in_flight < self.places and (batch := self._next(now)):
            self._senders.submit(batch)
        return became_final

    def _next(self, now: float) -> Batch | None:
        """The next batch that is due. Lanes leave the main flow the last place, or every other turn at it."""
        if now < self._store.due:
            return None
        lanes_in_flight = sum(lane.in_flight for lane in self._lanes.values())
        if lanes_in_flight < self._senders.count - 1 or not self._ready or self._is_lanes_turn:
            for partition, lane in self._lanes.items():
                if lane.documents and not lane.in_flight and now >= lane.backoff.due:
                    self._is_lanes_turn = False
                    return self._batch_of(partition, lane)
        self._is_lanes_turn = self._senders.count == 1
        return self._ready.popleft() if self._ready else None

    def _batch_of(self, partition: str, lane: Lane) -> Batch:
        documents: list[Document] = []
        bytes_ = 0
        while lane.documents and len(documents) < self._limits.batch_count:
            if bytes_ >= self._collector.batch_bytes:
                break
            documents.append(lane.documents.popleft())
            bytes_ += len(documents[-1][2])
        lane.in_flight = True
        batch = Batch(documents, size_bytes(documents), partition)
        lane.bytes -= batch.bytes
        self._lanes_bytes -= batch.bytes
        return batch

    def _take(self, answer: Answer, now: float) -> None:
        batch, verdicts, whole = answer
        if batch.partition is not None:
            self._lanes[batch.partition].in_flight = False
        if whole is not None:
            self._store_failed(batch, whole, now)
            return
        if self._store.attempts:
            log.info("store_is_back", after_attempts=self._store.attempts)
            self._store.succeeded()
            self._store_is_held = False
        self.last_answer_at = now
        if verdicts.count(STORED) == len(verdicts):
            self._adapt(())
            self._counts.stored += len(verdicts)
            self._took(batch.documents, seen=False)
            self._final(batch.documents, batch.bytes)
            still_waiting = False
        else:
            self._adapt(verdicts)
            still_waiting = self._sort(batch.documents, verdicts, now)
        if batch.partition is not None and not still_waiting:
            self._leave(batch.partition)

    def _adapt(self, verdicts: Iterable[Verdict]) -> None:
        """Fewer requests at once when the store pushes back (with 429 to a document), else slowly more."""
        if any(verdict.kind is Kind.RETRY and verdict.cause.startswith("429") for verdict in verdicts):
            self._places = max(self._places / 2, 1.0)
        else:
            self._places = min(self._places + 1 / self._places, float(self._senders.count))

    def _store_failed(self, batch: Batch, verdict: Verdict, now: float) -> None:
        """Nothing of this batch was judged: all of it again, later."""
        self._say("store", verdict, first=not self._store.attempts)
        self._store_is_held = verdict.kind is Kind.HOLD
        self._places = 1.0
        self._counts.retried += len(batch.documents)
        self._store.failed(now, verdict.retry_after_secs or 0.0)
        if batch.partition is None:
            self._ready.appendleft(batch)
        else:
            self._lanes_bytes += self._lanes[batch.partition].put(batch.documents, first=True)

    def _sort(self, documents: list[Document], verdicts: list[Verdict], now: float) -> bool:
        """Each document by its own verdict; whether some must be sent again."""
        final: list[Document] = []
        seen: list[Document] = []
        rejected: list[tuple[Document, Verdict]] = []
        again: dict[str, list[tuple[Document, Verdict]]] = {}
        for document, verdict in zip(documents, verdicts, strict=True):
            if verdict.kind is Kind.REJECTED:
                rejected.append((document, verdict))
            elif verdict.kind is Kind.STORED:
                final.append(document)
            elif verdict.kind is Kind.DUPLICATE:
                seen.append(document)
            else:
                again.setdefault(document[0], []).append((document, verdict))
        self._counts.stored += len(final)
        self._counts.duplicate += len(seen)
        self._took(final, seen=False)
        self._took(seen, seen=True)
        final += seen
        if rejected and self._bury(rejected):
            final.extend(document for document, _ in rejected)
        else:
            for document, _ in rejected:
                again.setdefault(document[0], []).append((document, Verdict(Kind.HOLD, self.last_error)))
        self._final(final, size_bytes(final))
        served = {document[0] for document in final}
        for partition, waiting in again.items():
            self._wait(partition, waiting, now, is_blocked=partition not in served)
        return bool(again)

    def _bury(self, rejected: list[tuple[Document, Verdict]]) -> bool:
        """Write the dead letters; only then may their positions move. False when that is not possible now."""
        at = self._wall_clock()
        letters = [
            DeadLetter(id_, partition, verdict.cause, at, body)
            for (partition, id_, body, *_), verdict in rejected
        ]
        if not self._buried(letters):
            return False
        self._counts.rejected += len(rejected)
        log.error("rejected", count=len(rejected), cause=rejected[0][1].cause, file=str(self._letters.path))
        return True

    def _buried(self, letters: list[DeadLetter]) -> bool:
        """Whether the letters are on disk now; if not, why is said once."""
        try:
            self._letters.bury(letters)
        except DeadLettersFullError as error:
            if not self.letters_problem:
                log.error("dead_letters_full", reason=str(error))  # noqa: TRY400 - foreseen: no traceback
            self.last_error = self.letters_problem = str(error)
            return False
        except OSError as error:
            reason = f"{self._letters.path}: dead letters cannot be written ({error}); make room there"
            if not self.letters_problem:
                log.error("dead_letters_not_written", reason=reason)  # noqa: TRY400 - as above
            self.last_error = self.letters_problem = reason
            return False
        self.letters_problem = ""
        return True

    def _final(self, documents: Iterable[Document], bytes_: int) -> None:
        self._bytes -= bytes_
        for document in documents:
            document[3].open_count -= 1

    def _wait(
        self, partition: str, waiting: list[tuple[Document, Verdict]], now: float, *, is_blocked: bool
    ) -> None:
        """Put documents into their partition's lane, to be sent again when it is due."""
        lane = self._lanes.setdefault(partition, Lane(Backoff(self._limits.retry_secs_max, self._random)))
        verdict = waiting[0][1]
        self._counts.retried += len(waiting)
        self._lanes_bytes += lane.put([document for document, _ in waiting], first=True)
        lane.is_blocked = is_blocked
        lane.is_held = verdict.kind is Kind.HOLD
        if verdict.kind is Kind.MISSING:
            self._senders.forget(partition)
        self._say(partition, verdict, first=not lane.backoff.attempts)
        lane.reason = verdict.cause
        lane.backoff.failed(now, verdict.retry_after_secs or 0.0)

    def _leave(self, partition: str) -> None:
        """A lane's documents were all judged: let new ones flow freely, and close it when it is empty."""
        lane = self._lanes[partition]
        lane.is_blocked = False
        lane.backoff.succeeded()
        if not lane.documents:
            del self._lanes[partition]
            log.info("partition_is_back", partition=partition)

    def _say(self, what: str, verdict: Verdict, *, first: bool) -> None:
        """Say a trouble once when it begins; what only a person can end is an error."""
        self.last_error = verdict.cause
        if first and verdict.kind is Kind.HOLD:
            log.error("held", what=what, reason=verdict.cause)
        elif first:
            log.warning("retrying", what=what, reason=verdict.cause)
