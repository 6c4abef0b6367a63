"""The running agent: one state directory, one lock, one loop that waits for nothing but its own wake-up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import filelock
import structlog

from agent import status
from agent.errors import StateError, StoreUnreachableError
from agent.pipeline import Pipeline, compose
from agent.settings import AgentSettings
from agent.sources import discovery
from agent.sources.watch import Watch
from agent.telemetry import Counts
from indexer import tenants as tenants_of_store
from indexer.client import Client
from indexer.errors import RetryableError, StoreError
from indexer.settings import StoreSettings
from indexer.tenants import Tenants

# How long the loop sleeps when nothing happens: growth of a file is seen after that at the latest.
IDLE_SECS = 0.2
STATUS_SECS = 5.0
TENANTS_SECS = 60.0
TENANTS_RETRY_SECS = 2.0

log = structlog.get_logger()


@contextmanager
def state_lock(state_dir: Path) -> Iterator[None]:
    """Hold the state directory; StateError when another agent does, or when it cannot be used."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(state_dir / status.LOCK)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise StateError(
            f"state_dir {state_dir} is in use by another agent; stop that one, or give this one its own"
        ) from None
    except OSError as error:
        raise StateError(f"state_dir {state_dir} cannot be used ({error}); this user must own it") from None
    try:
        yield
    finally:
        lock.release()


class TenantsCopy:
    """The agent's copy of the tenants, renewed by a thread of its own so that the loop never waits for it."""

    def __init__(self, client: Client, prefix: str, renewed: Callable[[], None]) -> None:
        self.current: Tenants | None = None
        self.problem: StoreError | None = None
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
        return self.current

    def _run(self) -> None:
        wait_secs = TENANTS_SECS
        while not self._stop.wait(wait_secs):
            try:
                self.load()
            except StoreError as error:
                self.problem = error
                wait_secs = TENANTS_RETRY_SECS
            else:
                self.problem = None
                wait_secs = TENANTS_SECS
            self._renewed()


class Agent:
    """One run of the agent, from its settings to its last checkpoint. The state directory must be locked."""

    def __init__(self, settings: AgentSettings, store: StoreSettings, client: Client) -> None:
        self.settings = settings
        self.counts = Counts()
        self._store = store
        self._client = client
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._tenants = TenantsCopy(client, store.index_prefix, self._wake.set)
        self._watch = Watch(self._name_changed)
        self._pipeline: Pipeline | None = None
        self._stale_said = False
        self._status_at = 0.0
        self._started_at = datetime.now(UTC)

    def stop(self) -> None:
        """Ask the run to end; safe from a signal handler or another thread."""
        self._stop.set()
        self._wake.set()

    # -- the two ways to run

    def follow(self) -> None:
        """Follow the sources until stop(); whatever is wrong with the store is waited for."""
        pipeline = self._begin(None)
        if pipeline is None:
            return
        reason = self._watch.start()
        if reason:
            log.warning("watching_by_polling_only", reason=reason)
        try:
            while not self._stop.is_set():
                self._wake.clear()
                self._watch.cover(
                    folder for source in self.settings.sources for folder in discovery.folders(source.paths)
                )
                if not self._pass(pipeline):
                    self._wake.wait(IDLE_SECS)
        finally:
            self._end(pipeline)

    def once(self, timeout_secs: float, progress: Callable[[Pipeline], None] = lambda _: None) -> Pipeline:
        """Read every source to the end it has now, and wait for every verdict.

        StoreUnreachableError when the store gives no usable answer for `timeout_secs`.
        """
        pipeline = self._begin(timeout_secs)
        if pipeline is None:
            raise StoreUnreachableError("stopped before the store answered")
        try:
            self._drain(pipeline, timeout_secs, progress)
        finally:
            self._end(pipeline)
        return pipeline

    def _drain(self, pipeline: Pipeline, timeout_secs: float, progress: Callable[[Pipeline], None]) -> None:
        pipeline.look(time.monotonic())
        pipeline.stop_at_present_ends()
        answered, since = self.counts.final, time.monotonic()
        while not self._stop.is_set():
            self._wake.clear()
            busy = self._pass(pipeline)
            progress(pipeline)
            now = time.monotonic()
            if pipeline.is_read:
                pipeline.flush(now)
                if pipeline.lanes.is_idle:
                    return
            nothing_awaited = pipeline.lanes.is_idle and not self._tenants.is_stale
            if self.counts.final != answered or nothing_awaited:
                answered, since = self.counts.final, now
            elif now - since > timeout_secs:
                raise StoreUnreachableError(
                    f"no usable answer from {self._client.url} for {timeout_secs:g} s "
                    f"({pipeline.lanes.last_error}); what is not stored is sent by the next run"
                )
            if not busy:
                self._wake.wait(IDLE_SECS / 4)

    # -- one pass

    def _pass(self, pipeline: Pipeline) -> bool:
        tenants = self._tenants.current
        if tenants is not None:
            pipeline.use_tenants(tenants)
        now = time.monotonic()
        busy = pipeline.poll(now, may_read=not self._is_stale())
        if now - self._status_at >= STATUS_SECS:
            self._status_at = now
            self._write_status(pipeline)
        return busy

    def _is_stale(self) -> bool:
        stale = self._tenants.is_stale
        if stale and not self._stale_said:
            log.error("tenants_too_old", reason=str(self._tenants.problem),
                      effect="nothing is delivered until they can be read again")  # fmt: skip
        elif self._stale_said and not stale:
            log.info("tenants_are_back")
        self._stale_said = stale
        return stale

    def _name_changed(self) -> None:
        if self._pipeline is not None:
            self._pipeline.must_look = True
        self._wake.set()

    # -- beginning and end

    def _begin(self, timeout_secs: float | None) -> Pipeline | None:
        """The pipeline, as soon as the tenants are known (None: stopped before); see _first_tenants."""
        tenants = self._first_tenants(timeout_secs)
        if tenants is None:
            return None
        self._tenants.start()
        self._pipeline = compose(
            self.settings, self._store, self._client, tenants, self.counts, self._wake.set
        )
        log.info("started", sources=[source.name for source in self.settings.sources])
        return self._pipeline

    def _first_tenants(self, timeout_secs: float | None) -> Tenants | None:
        """The tenants, waited for; None when stopped meanwhile.

        With a time-out, a store that is not there raises StoreUnreachableError after it, and one that
        refuses raises its own error at once; without one, both are waited for.
        """
        since = time.monotonic()
        while not self._stop.is_set():
            try:
                return self._tenants.load()
            except StoreError as error:
                if timeout_secs is not None and not isinstance(error, RetryableError):
                    raise
                problem = error
            if timeout_secs is not None and time.monotonic() - since > timeout_secs:
                raise StoreUnreachableError(str(problem))
            if timeout_secs is None and self._tenants.problem is None:
                log.error("waiting_for_the_store", reason=str(problem))
            self._tenants.problem = problem
            self._stop.wait(min(TENANTS_RETRY_SECS, timeout_secs or TENANTS_RETRY_SECS))
        return None

    def _end(self, pipeline: Pipeline) -> None:
        """Wait a while for what is under way, then write down what is final. The rest is read again."""
        self._watch.stop()
        self._tenants.stop()
        deadline = time.monotonic() + self.settings.delivery.stop_secs
        pipeline.lanes.seal()
        while not pipeline.lanes.is_idle and time.monotonic() < deadline and self._stop.is_set():
            self._wake.clear()
            if not pipeline.lanes.turn(time.monotonic()):
                self._wake.wait(IDLE_SECS / 4)
        pipeline.close(time.monotonic())
        self._write_status(pipeline)
        log.info("stopped", **status.counts(self.counts))

    def _write_status(self, pipeline: Pipeline) -> None:
        status.write(self.settings.state_dir, pipeline, self._started_at, datetime.now(UTC))
