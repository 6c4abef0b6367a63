"""The agent's copy of the tenants and their plans: without a fresh one, no event may be placed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from indexer import tenants as tenants_of_store
from indexer.client import Client
from indexer.errors import StoreError
from indexer.tenants import Tenants

# Besides plans, this tells whether the store is there while nothing is to be delivered.
TENANTS_SECS = 15.0
TENANTS_RETRY_SECS = 2.0


class TenantsCopy:
    """The agent's copy of the tenants, renewed by a thread of its own so that the loop never waits for it."""

    def __init__(self, client: Client, prefix: str, renewed: Callable[[], None]) -> None:
        self.current: Tenants | None = None
        self.problem: StoreError | None = None
        self.answered_at: float | None = None
        self._client = client
        self._prefix = prefix
        self._renewed = renewed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenants", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    @property
    def is_stale(self) -> bool:
        """Whether events must not be placed by this copy any more."""
        return self.current is None or self.current.is_stale(datetime.now(UTC))

    def load(self) -> Tenants:
        """Read the tenants now; StoreError when that is not possible."""
        now = datetime.now(UTC)
        self.current = tenants_of_store.load(self._client, self._prefix, now=now, previous=self.current)
        self.answered_at = time.monotonic()
        self.problem = None
        return self.current

    def _run(self) -> None:
        wait_secs = TENANTS_SECS
        while not self._stop.wait(wait_secs):
            try:
                self.load()
            except StoreError as error:
                self.problem = error
                wait_secs = TENANTS_RETRY_SECS
            except Exception as error:  # noqa: BLE001 - /health says it; without this thread delivery stops
                self.problem = StoreError(f"{type(error).__name__}: {error}")
                wait_secs = TENANTS_RETRY_SECS
            else:
                wait_secs = TENANTS_SECS
            self._renewed()
