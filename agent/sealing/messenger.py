"""Brings seals to the store, and their anchors to the outlets, in a thread: delivery never waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Final

import structlog

from agent.delivery.backoff import Backoff
from agent.errors import AgentError
from agent.sealing.outlets import Outlet
from agent.sealing.state import SealState
from indexer.client import Client
from indexer.errors import IndexerError
from indexer.seals.anchors import anchor_of
from indexer.seals.shelf import Shelf

RETRY_SECS_MAX: Final = 60.0
_IDLE_SECS: Final = 3600.0
STORE: Final = "store"

log = structlog.get_logger()


class Messenger:
    """Works off the seals that wait, oldest first, and what waits for each outlet; tries for ever."""

    def __init__(self, client: Client, prefix: str, state: SealState, outlets: Sequence[Outlet]) -> None:
        self.problems: dict[str, str] = {}
        """What cannot be reached at the moment, by name, with the reason."""
        self._shelf = Shelf(client, prefix)
        self._state = state
        self._outlets = outlets
        self._is_prepared = False
        random = Random()  # noqa: S311 - spreads retries, protects nothing
        self._backoffs = {name: Backoff(RETRY_SECS_MAX, random) for name in self._names()}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seals", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is a new seal."""
        self._wake.set()

    def stop(self, timeout_secs: float) -> None:
        """Try everything once more, and end; what is not done by then is done by the next start."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout_secs)

    def _names(self) -> list[str]:
        return [STORE, *(outlet.setting for outlet in self._outlets)]

    def _run(self) -> None:
        while True:
            is_last = self._stop.is_set()
            self._wake.clear()
            now = time.monotonic()
            for name in self._names():
                if is_last or now >= self._backoffs[name].due:
                    self._try(name, now)
            if is_last:
                return
            waiting = [self._backoffs[name].due for name in self.problems]
            self._wake.wait(max(min(waiting, default=now + _IDLE_SECS) - time.monotonic(), 0.05))

    def _try(self, name: str, now: float) -> None:
        try:
            if name == STORE:
                self._shelve()
            else:
                next(outlet for outlet in self._outlets if outlet.setting == name).flush()
        except Exception as error:  # noqa: BLE001 - /health says it; without this thread nothing is sealed
            is_foreseen = isinstance(error, (IndexerError, AgentError, OSError))
            reason = str(error) if is_foreseen else f"{type(error).__name__}: {error}"
            if name not in self.problems:
                _say(name, reason)
            self.problems[name] = reason
            self._is_prepared = False
            self._backoffs[name].failed(now, 0.0)
            return
        if self.problems.pop(name, None) is not None:
            log.info("seals_are_brought_again", where=name)
        self._backoffs[name].succeeded()

    def _shelve(self) -> None:
        for number in self._state.waiting():
            if not self._is_prepared:
                self._shelf.prepare()
                self._is_prepared = True
            written = self._state.read(number)
            if written is None:
                self._state.set_aside(number)
                log.error(
                    "seals_begun_anew", reason=f"seal {number} on disk is damaged: its events are unsealed"
                )
                continue
            # The id holds the digest: a seal that is there already is this one.
            self._shelf.put(written.seal, written.source)
            for outlet in self._outlets:
                outlet.add(anchor_of(written.seal).line)
            self._state.shelved(written)


def _say(where: str, reason: str) -> None:
    if where == STORE:
        log.error("seals_not_stored", where=where, reason=reason)
    else:
        log.error("anchors_not_delivered", where=where, reason=reason)
