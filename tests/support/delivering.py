"""The delivery driven by hand: documents in, and a clock that runs as fast as the answers come."""

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Self

from agent.delivery.batches import Document
from agent.delivery.dead_letters import DeadLetters
from agent.delivery.lanes import Lanes
from agent.delivery.senders import Senders
from agent.settings import DeliverySettings
from agent.telemetry import Counts
from indexer import bulk, partitions
from indexer.client import Client
from indexer.settings import StoreSettings
from indexer.verdict import Verdict

LIMITS = DeliverySettings(batch_count=10, batch_secs=1.0, request_secs=2.0)
PARTITION = "smartwms-audit-business-2026.11.23"
OTHER = "smartwms-audit-starter-2026.11.23"
WAIT_SECS = 30.0


class Token:
    """Counts what is still open, as a span of a file does."""

    def __init__(self, open_count: int) -> None:
        self.open_count = open_count


def documents(
    first: int, count: int, partition: str = PARTITION, body: bytes = b'{"message":"x"}'
) -> tuple[list[Document], Token]:
    token = Token(count)
    numbers = range(first, first + count)
    return [(partition, f"id-{number:08}", body, token, "a-tenant", bytes(32)) for number in numbers], token


class Delivering:
    """A delivery on some store; use it as a context manager."""

    def __init__(self, store: StoreSettings, folder: Path, limits: DeliverySettings = LIMITS) -> None:
        self.client = Client(store)
        self.counts = Counts()
        self.letters = DeadLetters(folder / "dead-letters.jsonl")
        self.now = 1000.0
        self._limits = limits
        self._answered = threading.Event()
        self._senders = Senders(
            self._send, partial(partitions.ensure, self.client), limits.in_flight, self._answered.set
        )
        self.lanes = Lanes(self._senders, self.letters, limits, self.counts, lambda: "2026-11-23T06:00:00Z")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._senders.stop(WAIT_SECS)
        self.client.close()

    def _send(self, sent: Sequence[Document]) -> list[Verdict]:
        return bulk.send(
            self.client, sent, timeout_secs=self._limits.request_secs, on_too_large=self.lanes.too_large
        )

    def add(self, added: Sequence[Document]) -> None:
        self.counts.read += len(added)
        self.lanes.add(list(added), self.now)

    def turn(self, after_secs: float = 1.0) -> None:
        """One turn, `after_secs` later, and one more as soon as whatever it sent was answered."""
        self.now += after_secs
        self.lanes.turn(self.now)
        while self.lanes.in_flight:
            assert self._answered.wait(WAIT_SECS), "a sender never came back"
            self._answered.clear()
            self.lanes.turn(self.now)

    def drain(self, turns: int = 200) -> None:
        """Turn until everything is final."""
        for _ in range(turns):
            if self.lanes.is_idle:
                return
            self.turn()
        raise AssertionError(f"still waiting: {self.lanes.waiting}, {self.lanes.last_error}")
