"""The stages put together: files, formats, normalising, delivery; and what ties them to positions."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import structlog

from agent.delivery.batches import Document
from agent.delivery.dead_letters import DeadLetter
from agent.delivery.lanes import Lanes
from agent.journal import Journal
from agent.normalise.failures import Failure
from agent.normalise.normaliser import Normaliser
from agent.normalise.source import FileInfo
from agent.observation import Observation, Observed
from agent.sealing.sealer import Sealer
from agent.sources import checkpoints
from agent.sources.checkpoints import Entry
from agent.sources.spans import Span
from agent.sources.stream import Chunk, Stream
from agent.sources.tail import Tail
from agent.sources.troubles import Notice
from agent.telemetry import Counts, shown
from indexer.tenants import Tenants

CHECKPOINT = "checkpoint.json"
DEAD_LETTERS = "dead-letters.jsonl"
LOOK_SECS = 1.0
CHECKPOINT_SECS = 1.0
# A pass reads no more before it looks at answers, at the clock and at the other sources again.
CHUNKS_A_PASS = 8
# Records ahead of the clock wait in memory; a source with more of them is not read on.
AHEAD_MAX = 10_000
AHEAD_BYTES_MAX = 16 * 1024**2
# How many of the files that were read before a restart are read again for their context.
CONTEXT_FILES = 4

log = structlog.get_logger()


@dataclass(slots=True)
class Feed:
    """One source: its files and its normaliser."""

    tail: Tail
    normaliser: Normaliser
    format_name: str
    silence_secs: float
    is_own: bool
    rest: Chunk | None = None
    """What a fault of this machine has left of the chunk that was read last."""
    fault: str = ""

    @property
    def is_full(self) -> bool:
        ahead = self.normaliser.ahead
        return len(ahead) >= AHEAD_MAX or ahead.bytes >= AHEAD_BYTES_MAX

    @property
    def is_paused(self) -> bool:
        """Whether a fault of this machine keeps what was read from becoming events; no more is read then."""
        return self.rest is not None or self.normaliser.is_delayed


class Pipeline:
    """Everything between the files and the store. poll() does what can be done now, and never waits."""

    def __init__(
        self,
        feeds: list[Feed],
        lanes: Lanes,
        checkpoint: Path,
        counts: Counts,
        journal: Journal,
        seals: Sealer,
    ) -> None:
        self.feeds = feeds
        self.lanes = lanes
        self.counts = counts
        self.journal = journal
        self.seals = seals
        self.observation = Observation(journal.tell)
        self.must_look = True
        # Whether the agent's own events are shipped, too.
        self.reads_own = True
        self.checkpoint_number = checkpoints.number_of(checkpoint)
        self.checkpoint_problem = ""
        self.saved_at: float | None = None
        self._first = 0
        self._checkpoint = checkpoint
        self._looked_at = 0.0
        self._saved_at = 0.0
        self._is_dirty = False
        self._warned_ahead: set[str] = set()
        for feed in feeds:
            feed.tail.keep_cuts = self._keep_cuts

    # -- one pass

    def poll(self, now: float, *, may_read: bool = True) -> bool:
        """One pass over everything; whether there may be more to do at once. `now` is monotonic, in seconds.

        `may_read` is False while the copy of the tenants is too old to place events by.
        """
        if self._is_time_to_look(now):
            self.look(now)
        busy = self.lanes.turn(now)
        self._release()
        if may_read:
            # Another one first each time: what room there is, is not always the same one's.
            self._first += 1
            for number in range(len(self.feeds)):
                feed = self.feeds[(self._first + number) % len(self.feeds)]
                if self.reads_own or not feed.is_own:
                    busy = self._read(feed, now) or busy
        self._settle(now)
        if not busy:
            self.lanes.hurry()
        return self.lanes.turn(now) or busy

    def use_tenants(self, tenants: Tenants) -> None:
        """Place events by this copy of the tenants from now on."""
        for feed in self.feeds:
            if feed.normaliser.tenants is not tenants:
                feed.normaliser.tenants = tenants

    def look(self, now: float) -> None:
        """Look at the names on disk, and read again what a new stream needs to know of its past."""
        self._looked_at = now
        self.must_look = False
        for feed in self.feeds:
            feed.tail.look(now)
            resumed = feed.tail.take_resumed()
            for stream in resumed[-CONTEXT_FILES:]:
                self._warm(feed, stream)
            for stream in resumed:
                feed.normaliser.seed_time(_file(stream), stream.last_time)
            self._note(feed)
        self.journal.write()
        watched = [feed for feed in self.feeds if not feed.is_own]
        self.observation.look(
            [Observed(feed.tail, feed.format_name, feed.silence_secs) for feed in watched],
            now,
            time.time_ns(),
        )

    def _warm(self, feed: Feed, stream: Stream) -> None:
        """What was delivered before only tells of what follows."""
        for records in stream.context():
            feed.normaliser.warm(_file(stream), records)

    def _note(self, feed: Feed) -> None:
        """Write down in the audit trail what became of files."""
        for notice in feed.tail.troubles.notices:
            if not feed.is_own:
                self.journal.tell(notice.what, _sentence(notice), {
                    "Source": feed.tail.name, "File": notice.path, **notice.facts,
                })  # fmt: skip
        feed.tail.troubles.notices.clear()

    def announce(self, events: Iterable[tuple[str, str]]) -> None:
        """Hear of names that changed on disk; see Tail.announce."""
        names = list(events)
        for feed in self.feeds:
            feed.tail.announce(names)

    def _is_time_to_look(self, now: float) -> bool:
        due = now - self._looked_at >= LOOK_SECS
        return due or self.must_look or any(feed.tail.must_look for feed in self.feeds)

    def _read(self, feed: Feed, now: float) -> bool:
        """Read a few chunks of a source, as far as delivery has room; whether there may be more."""
        tail = feed.tail
        tail.poll(now)
        more = False
        if feed.rest is not None:
            self._feed(feed, feed.rest, now)
        for _ in range(CHUNKS_A_PASS):
            if not self.lanes.has_room or feed.is_full or feed.is_paused:
                break
            chunk = tail.read(now)
            more = chunk is not None
            if chunk is None:
                break
            self._feed(feed, chunk, now)
        if not feed.is_paused:
            for chunk in tail.farewells(now):
                self._feed(feed, chunk, now)
                if feed.rest is not None or feed.normaliser.is_delayed:
                    break
        self._deliver(feed, feed.normaliser.tick(), now)
        self._say_fault(feed)
        return more and self.lanes.has_room and not feed.is_full and not feed.is_paused

    def _say_fault(self, feed: Feed) -> None:
        """Say once that this machine fails, and once that it does no more."""
        fault, feed.normaliser.fault = feed.normaliser.fault if feed.is_paused else "", ""
        if fault and not feed.fault:
            log.error("machine_fails", source=feed.tail.name, reason=fault)
        elif feed.fault and not fault:
            log.info("machine_fails_no_more", source=feed.tail.name)
        feed.fault = fault

    def _feed(self, feed: Feed, chunk: Chunk, now: float) -> None:
        if chunk.records:
            info = _file(chunk.stream)
            documents = feed.normaliser.feed(info, chunk.records, chunk.flags, chunk.span)
            chunk.span.last_time = feed.normaliser.last_time(info)
            # Only a fault of this machine leaves records over.
            feed.rest = chunk if chunk.records else None
            self._deliver(feed, documents, now)

    def _deliver(self, feed: Feed, documents: list[Document], now: float) -> None:
        if documents:
            self.counts.read += len(documents)
            self.lanes.add(documents, now)
            if self.lanes.full:
                self._hold_back(documents)
        expired = feed.normaliser.expired
        if expired:
            self.counts.read += len(expired)
            self.counts.expired += len(expired)
            for token in expired:
                token.open_count -= 1
            expired.clear()
        if feed.normaliser.failures:
            self._refuse(feed, feed.normaliser.failures)
        if feed.normaliser.ahead and feed.tail.name not in self._warned_ahead:
            self._warn_ahead(feed)

    def accept_ahead(self, now: float) -> int:
        """Deliver what is dated ahead of the clock, though its time has not come; how many records."""
        count = self.ahead_count
        for feed in self.feeds:
            self._deliver(feed, feed.normaliser.accept_ahead(), now)
            self._warned_ahead.discard(feed.tail.name)
        return count

    def _warn_ahead(self, feed: Feed) -> None:
        """Tell of records that wait for their day; those that only wait for their hour are no news."""
        moment = next((each.time for each in feed.normaliser.ahead if each.is_too_far or feed.is_full), None)
        if moment is not None:
            self._warned_ahead.add(feed.tail.name)
            log.error("ahead_of_clock", source=feed.tail.name, time=moment,
                      reason="held until that day comes, or until audit-agent accept-ahead")  # fmt: skip

    def _hold_back(self, documents: list[Document]) -> None:
        """Read no further where a lane that is full gets its documents from; everything else goes on."""
        full = self.lanes.full
        for partition, _, _, token, _, _ in documents:
            if partition in full and isinstance(token, Span):
                token.stream.waits_for = partition

    def _release(self) -> None:
        full = self.lanes.full
        for feed in self.feeds:
            for stream in feed.tail.streams:
                if stream.waits_for and stream.waits_for not in full:
                    stream.waits_for = ""

    def _refuse(self, feed: Feed, failures: list[Failure]) -> None:
        """Records that cannot become events become dead letters: where they stand, not what they say."""
        at = utc_text()
        self.counts.read += len(failures)
        log.error("not_normalised", source=feed.tail.name, file=failures[0].file,
                  position=failures[0].position, cause=failures[0].cause, count=len(failures))  # fmt: skip
        self.lanes.refuse(
            (
                DeadLetter(each.id, "", f"cannot be normalised: {each.cause}", at, _place(feed, each)),
                each.token,
            )
            for each in failures
        )
        failures.clear()

    # -- positions

    def _settle(self, now: float) -> None:
        for feed in self.feeds:
            self._is_dirty = feed.tail.settle() or self._is_dirty
        self.seals.turn(now)
        if self._is_dirty and now - self._saved_at >= CHECKPOINT_SECS:
            self.save(now)

    def save(self, now: float) -> None:
        """Write the checkpoint; a disk that refuses costs a resend after a restart, and no event."""
        self._saved_at = now
        try:
            # What is stored is noted for its seal before a position moves past it.
            self.seals.save()
            checkpoints.save(self._checkpoint, self.entries(), self.checkpoint_number + 1)
        except OSError as error:
            if not self.checkpoint_problem:
                log.error("checkpoint_not_written", reason=str(error))  # noqa: TRY400 - foreseen
            self.checkpoint_problem = f"{self._checkpoint}: cannot be written ({error})"
            return
        self.checkpoint_number += 1
        self.saved_at = now
        self._is_dirty = False
        self.checkpoint_problem = ""

    def _keep_cuts(self, now: float) -> bool:
        """Write down where quiet ended a record, before it goes; while the disk refuses, the record waits."""
        if not self.checkpoint_problem or now - self._saved_at >= CHECKPOINT_SECS:
            self.save(now)
        return not self.checkpoint_problem

    def entries(self) -> list[Entry]:
        return [entry for feed in self.feeds for entry in feed.tail.entries()]

    # -- a run that ends

    def stop_at_present_ends(self) -> None:
        for feed in self.feeds:
            feed.tail.stop_at_present_ends()

    @property
    def is_read(self) -> bool:
        return all(
            feed.tail.is_at_end and not feed.is_paused
            for feed in self.feeds
            if self.reads_own or not feed.is_own
        )

    @property
    def is_done(self) -> bool:
        """Whether everything is read and final; ask after flush(), which may have more to be read."""
        return self.is_read and self.lanes.is_idle

    @property
    def ahead_count(self) -> int:
        return sum(len(feed.normaliser.ahead) for feed in self.feeds)

    def flush(self, now: float) -> None:
        """Give out the records that still wait for the end of their request, and send what was collected."""
        for feed in self.feeds:
            self._deliver(feed, feed.normaliser.flush(), now)
        self.lanes.seal()

    def read_last(self, now: float) -> None:
        """Read what no later run could, of files that are gone; their records wait for no request's end."""
        for feed in self.feeds:
            for chunk in feed.tail.last_chunks(now):
                self._feed(feed, chunk, now)
                if not self.lanes.has_room or feed.is_full:
                    break
            if feed.tail.has_last_records:
                self._deliver(feed, feed.normaliser.flush(), now)
        self.lanes.seal()

    def close(self, now: float) -> None:
        """Write down what is final, let go of the files, and tell what is lost with those that are gone."""
        for feed in self.feeds:
            feed.tail.settle()
        self.save(now)
        self.seals.close()
        for feed in self.feeds:
            feed.tail.close()
            self._note(feed)
        self.lanes.stop()

    def go_on(self, before: Pipeline) -> None:
        """Count on where the pipeline before a reload ended."""
        troubles = {feed.tail.name: feed.tail.troubles for feed in before.feeds}
        for feed in self.feeds:
            if feed.tail.name in troubles:
                feed.tail.troubles.go_on(troubles[feed.tail.name])

    @property
    def lost_bytes(self) -> int:
        return sum(feed.tail.troubles.lost_bytes for feed in self.feeds)


def _file(stream: Stream) -> FileInfo:
    return FileInfo(shown(stream.path), stream.head.identity)


def _place(feed: Feed, failure: Failure) -> bytes:
    place = {"source": feed.tail.name, "file": failure.file}
    return orjson.dumps({**place, "position": failure.position, "bytes": failure.bytes})


def _sentence(notice: Notice) -> str:
    return f"Bytes of {notice.path} are lost: {notice.facts['Reason']}"


def utc_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
