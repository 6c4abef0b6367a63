"""The running agent: one state directory, one lock, one loop that waits for nothing but its own wake-up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from agent import reload, status
from agent.compose import compose, validate
from agent.endpoint import Endpoint
from agent.errors import AgentError, StoreUnreachableError
from agent.health import State, Taker
from agent.pipeline import Pipeline
from agent.plans import TENANTS_RETRY_SECS, TenantsCopy
from agent.reporting import Reporter
from agent.settings import AgentSettings
from agent.sources import discovery
from agent.sources.watch import Watch
from agent.telemetry import Counts
from indexer.client import Client
from indexer.errors import RetryableError, StoreError
from indexer.settings import StoreSettings
from indexer.tenants import Tenants

# How long the loop sleeps when nothing happens: growth of a file is seen after that at the latest.
IDLE_SECS = 0.2
STATUS_SECS = 5.0
STATE_SECS = 1.0

log = structlog.get_logger()


class Agent:
    """One run of the agent, from its settings to its last checkpoint. The state directory must be locked."""

    def __init__(
        self,
        settings: AgentSettings,
        store: StoreSettings,
        client: Client,
        read_again: Callable[[], AgentSettings] | None = None,
        hang_up: threading.Event | None = None,
    ) -> None:
        """`read_again` gives the settings as they are by now; AgentError says why they cannot be used.

        `hang_up` asks for that as reload() does, and may have done so already.
        """
        self.settings = settings
        self.counts = Counts()
        # What a run that ends has to show: the agent's own events are not in it.
        self.account = self.counts
        self.state: State | None = None
        self.endpoint: Endpoint | None = None
        self._store = store
        self._client = client
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._tenants = TenantsCopy(client, store.index_prefix, self._wake.set)
        self._watch = Watch(self._name_changed)
        self._pipeline: Pipeline | None = None
        self._stale_said = False
        self._status_at = 0.0
        self._state_at = 0.0
        self._taker = Taker()
        self._read_again = read_again
        self._hang_up = hang_up or threading.Event()
        self._started_at = datetime.now(UTC)
        self._reporter = Reporter(self._started_at, time.monotonic())

    def stop(self) -> None:
        """Ask the run to end; safe from a signal handler or another thread."""
        self._stop.set()
        self._wake.set()

    def reload(self) -> None:
        """Ask the run to take changed settings over; safe from a signal handler or another thread."""
        self._hang_up.set()
        self._wake.set()

    # -- the two ways to run

    def follow(self) -> None:
        """Follow the sources until stop(); whatever is wrong with the store is waited for."""
        self._listen()
        try:
            pipeline = self._begin(None)
            if pipeline is None:
                return
            reason = self._watch.start()
            if reason:
                log.warning("watching_by_polling_only", reason=reason)
            try:
                while not self._stop.is_set():
                    pipeline = self._follow(pipeline)
            finally:
                self._end(self._pipeline or pipeline)
        finally:
            if self.endpoint is not None:
                self.endpoint.stop()

    def _follow(self, pipeline: Pipeline) -> Pipeline:
        """One round; the pipeline to go on with, another one after a reload."""
        self._wake.clear()
        self._watch.cover(
            folder for source in self.settings.sources for folder in discovery.folders(source.paths)
        )
        names = self._watch.take()
        if names:
            pipeline.announce(names)
        if not self._pass(pipeline):
            self._wake.wait(IDLE_SECS)
        if self.state is not None:
            self._reporter.turn(self.settings, self.state, pipeline.journal, time.monotonic())
        self._accept_ahead(pipeline)
        token = reload.asked(self.settings.state_dir)
        if token is None and not self._hang_up.is_set():
            return pipeline
        self._hang_up.clear()
        return self._reloaded(pipeline, token)

    def _accept_ahead(self, pipeline: Pipeline) -> None:
        """Send what is dated ahead of the clock, if an operator says so."""
        token = reload.asked(self.settings.state_dir, reload.ACCEPT_AHEAD)
        if token is not None:
            count = pipeline.accept_ahead(time.monotonic())
            log.warning("ahead_accepted", count=count)
            reload.answer(
                self.settings.state_dir, token, f"{count} records that were dated ahead are sent",
                done=True, what=reload.ACCEPT_AHEAD,
            )  # fmt: skip

    def _listen(self) -> None:
        """Serve /health and /metrics where the settings say; an address that cannot be had is said."""
        if not self.settings.http.listen:
            return
        try:
            self.endpoint = Endpoint(self.settings.http.address, lambda: self.state)
        except OSError as error:
            log.error("http_not_listening", listen=self.settings.http.listen, reason=str(error))  # noqa: TRY400
        else:
            log.info("http_listening", port=self.endpoint.port)

    def _reloaded(self, pipeline: Pipeline, token: str | None) -> Pipeline:
        """Go on with the settings as they are by now; wrong ones change nothing and are said."""
        try:
            if self._read_again is None:
                return pipeline
            settings = self._read_again()
            reload.refuse_unchangeable(self.settings, settings)
            validate(settings)
        except AgentError as error:
            log.error("settings_not_reloaded", reason=str(error))  # noqa: TRY400 - foreseen: no traceback
            if token is not None:
                reload.answer(self.settings.state_dir, token, f"the settings are kept: {error}", done=False)
            return pipeline
        self._drain_for(pipeline, settings.delivery.stop_secs)
        pipeline.close(time.monotonic())
        listened, self.settings = self.settings.http, settings
        self._pipeline = self._composed()
        self._pipeline.go_on(pipeline)
        if listened != settings.http:
            if self.endpoint is not None:
                self.endpoint.stop()
                self.endpoint = None
            self._listen()
        names = [source.name for source in settings.sources]
        log.info("reloaded", sources=names)
        if token is not None:
            reload.answer(settings.state_dir, token, f"reloaded; sources: {', '.join(names)}", done=True)
        return self._pipeline

    def once(self, timeout_secs: float, progress: Callable[[Pipeline], None] = lambda _: None) -> Pipeline:
        """Read every source to the end it has now, and wait for every verdict.

        StoreUnreachableError when the store gives no usable answer for `timeout_secs`.
        """
        pipeline = self._begin(timeout_secs)
        if pipeline is None:
            raise StoreUnreachableError("stopped before the store answered")
        pipeline.reads_own = False
        try:
            self._drain(pipeline, timeout_secs, progress)
            self.account = replace(self.counts)
            if not self._stop.is_set():
                pipeline.reads_own = True
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
                if pipeline.is_done:
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
        if now - self._state_at >= STATE_SECS:
            self._state_at = now
            self.state = self._taker.take(pipeline, self._tenants, now)
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
        self._pipeline = self._composed()
        self._notice_a_step_back(self._pipeline)
        log.info("started", sources=[source.name for source in self.settings.sources])
        return self._pipeline

    def _composed(self) -> Pipeline:
        tenants = self._tenants.current
        if tenants is None:
            raise StoreUnreachableError("the tenants were never read")
        return compose(self.settings, self._store, self._client, tenants, self.counts, self._wake.set)

    def _notice_a_step_back(self, pipeline: Pipeline) -> None:
        """A checkpoint that is older than the one the last agent had written was replaced by somebody."""
        known = (status.read(self.settings.state_dir) or {}).get("checkpoint", 0)
        if known > pipeline.checkpoint_number:
            facts = {"Written": known, "Found": pipeline.checkpoint_number}
            log.error("checkpoint_went_back", **facts)
            pipeline.journal.tell(
                "went_back",
                f"The checkpoint is number {pipeline.checkpoint_number}, though number {known} had been "
                "written: what lies between is sent again, and nothing is stored twice",
                facts,
            )
            pipeline.checkpoint_number = known

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
        if self._stop.is_set():
            self._drain_for(pipeline, self.settings.delivery.stop_secs)
        pipeline.close(time.monotonic())
        self._write_status(pipeline)
        log.info("stopped", **status.counts(self.counts))

    def _drain_for(self, pipeline: Pipeline, secs: float) -> None:
        """Send what was read, and what is left of files that are gone, and wait for the answers, so long."""
        deadline = time.monotonic() + secs
        pipeline.look(time.monotonic())
        while (now := time.monotonic()) < deadline:
            self._wake.clear()
            if self._is_stale():
                pipeline.lanes.seal()
            else:
                pipeline.read_last(now)
            if pipeline.lanes.is_idle:
                return
            if not pipeline.lanes.turn(now):
                self._wake.wait(IDLE_SECS / 4)

    def _write_status(self, pipeline: Pipeline) -> None:
        status.write(self.settings.state_dir, pipeline, self._started_at, datetime.now(UTC))
