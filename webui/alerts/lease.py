"""The lease: of any number of evaluators, one is active. Kept in the store, judged without comparing clocks.

The holder writes a beat every few seconds. Somebody else takes the lease when it has watched the same beat
for `LEASE_SECS` by its own clock, by a write that names the version it watched: of two who try, one fails.
Each change of hands counts the token up; `progress` refuses whoever has an older one.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from indexer.documents import Documents, Stored
from indexer.errors import ConflictError, StoreError

ID: Final = "lease"
LEASE_SECS: Final = 15.0
BEAT_SECS: Final = 4.0


class Lease:
    """One evaluator's view of the lease. Safe to use from two threads."""

    def __init__(
        self, documents: Documents, holder: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`holder` tells evaluators apart; `clock`: seconds that never go back."""
        self._documents = documents
        self._holder = holder
        self._clock = clock
        self._lock = threading.Lock()
        self._own: Stored | None = None
        self._beaten = 0.0
        self._watched: tuple[int, int] | None = None
        self._watched_since = 0.0
        self.other = ""
        """Who holds it instead, as of the last look."""

    @property
    def token(self) -> int:
        """Which change of hands made it ours."""
        return int(self._own.source["token"]) if self._own else 0

    def confirm(self) -> bool:
        """Say whether it is still ours; the store is asked, by a beat, unless the last one was just now."""
        if self._own is not None and self._clock() - self._beaten >= BEAT_SECS:
            self.beat()
        return self._own is not None

    def take(self) -> bool:
        """Take it if nobody has it, or who had it has been silent for long enough."""
        with self._lock:
            began = self._clock()
            found = self._documents.get(ID)
            try:
                if found is None:
                    self._own = self._documents.create(ID, self._source(1, 1))
                elif self._is_free(found):
                    source = self._source(int(found.source["token"]) + 1, 1)
                    self._own = self._documents.replace(found, source)
                else:
                    self._own = None
                    return False
            except ConflictError:
                self._own = None
                return False
            self._beaten = began
            return True

    def beat(self) -> None:
        """Say that we are alive; when somebody else has taken it, it is not ours any more."""
        with self._lock:
            if self._own is None:
                return
            began = self._clock()
            source = self._source(self.token, int(self._own.source["beat"]) + 1)
            try:
                self._own = self._documents.replace(self._own, source)
            except ConflictError:
                self._own = None
                return
            self._beaten = began

    def release(self) -> None:
        """Give it back, so that nobody waits for a silence."""
        with self._lock:
            if self._own is None:
                return
            # Otherwise it is missed by its silence.
            with contextlib.suppress(StoreError):
                self._documents.replace(self._own, {**self._own.source, "released": True})
            self._own = None

    def keep(self, stopping: threading.Event) -> None:
        """Beat until told to stop; run it in a thread of its own."""
        while not stopping.wait(BEAT_SECS):
            # When the store is away, there is nothing to be done with it either.
            with contextlib.suppress(StoreError):
                self.beat()

    def _is_free(self, found: Stored) -> bool:
        self.other = str(found.source["holder"])
        if found.source["released"] or self.other == self._holder:
            return True
        version = (found.seq_no, found.primary_term)
        if version != self._watched:
            self._watched, self._watched_since = version, self._clock()
            return False
        return self._clock() - self._watched_since >= LEASE_SECS

    def _source(self, token: int, beat: int) -> dict[str, Any]:
        return {"holder": self._holder, "token": token, "beat": beat, "released": False}
