"""A few threads that each carry one request at a time; they own no state that anyone else changes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from agent.delivery.batches import Batch, Document
from indexer.errors import RetryableError, StoreError
from indexer.verdict import Kind, Verdict

_PARTITION = itemgetter(0)

Send = Callable[[Sequence[Document]], list[Verdict]]
Prepare = Callable[[str], object]


class Answer(NamedTuple):
    """A verdict for each document; `whole` when it speaks of the store and not of any document."""

    batch: Batch
    verdicts: list[Verdict]
    whole: Verdict | None


class Senders:
    """Batches in, verdicts out, in whatever order the store answers.

    `prepare` makes sure that a partition exists before its first document; StoreError says why it does not.
    `answered` is called from a sender's thread after each answer, to wake whoever waits for it.
    """

    def __init__(self, send: Send, prepare: Prepare, count: int, answered: Callable[[], None]) -> None:
        self.count = count
        self.in_flight = 0
        self._send = send
        self._prepare = prepare
        self._answered = answered
        self._prepared: set[str] = set()
        self._preparing = threading.Lock()
        self._work: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"sender-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, batch: Batch) -> None:
        self.in_flight += 1
        self._work.put(batch)

    def answers(self) -> list[Answer]:
        """What was answered since the last call; an error that no sender foresaw comes up here."""
        answers: list[Answer] = []
        while True:
            try:
                answer = self._done.get_nowait()
            except queue.Empty:
                return answers
            self.in_flight -= 1
            if isinstance(answer, BaseException):
                raise answer
            answers.append(answer)

    def forget(self, partition: str) -> None:
        """This partition turned out not to be there: prepare it again before its next document."""
        self._prepared.discard(partition)

    def stop(self, timeout_secs: float) -> None:
        """Let the threads end; one that is stuck in a request is left behind."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join(timeout_secs / len(self._threads))

    def _run(self) -> None:
        while (batch := self._work.get()) is not None:
            try:
                self._done.put(self._answer(batch))
            except BaseException as error:  # noqa: BLE001 - the main thread raises it again
                self._done.put(error)
            self._answered()

    def _answer(self, batch: Batch) -> Answer:
        documents = batch.documents
        try:
            refused = self._refused(set(map(_PARTITION, documents)))
        except RetryableError as error:
            whole = Verdict(Kind.RETRY, str(error), error.retry_after_secs)
            return Answer(batch, [whole] * len(documents), whole)
        if refused:
            sent = iter(self._send([document for document in documents if document[0] not in refused]))
            return Answer(batch, [refused.get(document[0]) or next(sent) for document in documents], None)
        verdicts = self._send(documents)
        return Answer(batch, verdicts, _whole(verdicts))

    def _refused(self, partitions: set[str]) -> dict[str, Verdict]:
        """Make these partitions ready; the verdict on the documents of those that cannot be."""
        refused: dict[str, Verdict] = {}
        if partitions <= self._prepared:
            return refused
        with self._preparing:
            for partition in sorted(partitions - self._prepared):
                try:
                    self._prepare(partition)
                except RetryableError:
                    raise
                except StoreError as error:
                    refused[partition] = Verdict(Kind.HOLD, str(error))
                else:
                    self._prepared.add(partition)
        return refused


def _whole(verdicts: list[Verdict]) -> Verdict | None:
    """The one verdict on a request that failed as a whole: `bulk.send` repeats that same object.

    Of a single document it cannot be told whether it alone is meant; then it is.
    """
    first = verdicts[0]
    if len(verdicts) == 1 or first.kind not in {Kind.RETRY, Kind.HOLD}:
        return None
    return first if all(verdict is first for verdict in verdicts) else None
