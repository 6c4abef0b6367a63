"""The stages put together: files, formats, normalising, delivery; and what ties them to positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from agent.delivery.batches import Document
from agent.delivery.dead_letters import DeadLetters
from agent.delivery.lanes import Lanes
from agent.delivery.senders import Senders
from agent.errors import SettingsError
from agent.formats import UnknownFormatError, format_named
from agent.normalise.normaliser import FileInfo, Normaliser, SourceFacts
from agent.settings import AgentSettings, SourceSettings, redaction_key
from agent.sources import checkpoints
from agent.sources.checkpoints import Entry
from agent.sources.stream import Chunk, Stream
from agent.sources.tail import Tail
from agent.telemetry import Counts
from indexer import bulk, partitions
from indexer.client import Client
from indexer.settings import StoreSettings
from indexer.tenants import Tenants
from indexer.verdict import Verdict

CHECKPOINT = "checkpoint.json"
DEAD_LETTERS = "dead-letters.jsonl"
LOOK_SECS = 1.0
CHECKPOINT_SECS = 1.0
# A pass reads no more before it looks at answers, at the clock and at the other sources again.
CHUNKS_A_PASS = 8
# Records ahead of the clock wait in memory; a source with more of them is not read on.
AHEAD_MAX = 10_000
# How many of the files that were read before a restart are read again for their context.
CONTEXT_FILES = 4

log = structlog.get_logger()


@dataclass(slots=True)
class Feed:
    """One source: its files and its normaliser."""

    tail: Tail
    normaliser: Normaliser

    @property
    def is_full(self) -> bool:
        return len(self.normaliser.ahead) >= AHEAD_MAX


class Pipeline:
    """Everything between the files and the store. poll() does what can be done now, and never waits."""

    def __init__(self, feeds: list[Feed], lanes: Lanes, checkpoint: Path, counts: Counts) -> None:
        self.feeds = feeds
        self.lanes = lanes
        self.counts = counts
        self.must_look = True
        self._checkpoint = checkpoint
        self._looked_at = 0.0
        self._saved_at = 0.0
        self._is_dirty = False
        self._save_failed = False
        self._warned_ahead: set[str] = set()

    # -- one pass

    def poll(self, now: float, *, may_read: bool = True) -> bool:
        """One pass over everything; whether there may be more to do at once. `now` is monotonic, in seconds.

        `may_read` is False while the copy of the tenants is too old to place events by.
        """
        if self._is_time_to_look(now):
            self.look(now)
        busy = self.lanes.turn(now)
        if may_read:
            for feed in self.feeds:
                busy = self._read(feed, now) or busy
        self._settle(now)
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
            for stream in feed.tail.take_resumed()[-CONTEXT_FILES:]:
                for records in stream.context():
                    feed.normaliser.warm(_file(stream), records)

    def _is_time_to_look(self, now: float) -> bool:
        due = now - self._looked_at >= LOOK_SECS
        return due or self.must_look or any(feed.tail.must_look for feed in self.feeds)

    def _read(self, feed: Feed, now: float) -> bool:
        """Read a few chunks of a source, as far as delivery has room; whether there may be more."""
        tail = feed.tail
        tail.poll(now)
        more = False
        for _ in range(CHUNKS_A_PASS):
            if not self.lanes.has_room or feed.is_full:
                break
            chunk = tail.read(now)
            more = chunk is not None
            if chunk is None:
                break
            self._feed(feed, chunk, now)
        for chunk in tail.farewells(now):
            self._feed(feed, chunk, now)
        self._deliver(feed, feed.normaliser.tick(), now)
        return more and self.lanes.has_room and not feed.is_full

    def _feed(self, feed: Feed, chunk: Chunk, now: float) -> None:
        if chunk.records:
            documents = feed.normaliser.feed(_file(chunk.stream), chunk.records, chunk.flags, chunk.span)
            self._deliver(feed, documents, now)

    def _deliver(self, feed: Feed, documents: list[Document], now: float) -> None:
        if documents:
            self.counts.read += len(documents)
            self.lanes.add(documents, now)
        expired = feed.normaliser.expired
        if expired:
            self.counts.read += len(expired)
            self.counts.expired += len(expired)
            for token in expired:
                token.open_count -= 1
            expired.clear()
        if feed.normaliser.ahead and feed.tail.name not in self._warned_ahead:
            self._warned_ahead.add(feed.tail.name)
            moment, _ = feed.normaliser.ahead[0]
            log.error("ahead_of_clock", source=feed.tail.name, time=moment,
                      reason="held until that day comes, or until ahead_days allows it")  # fmt: skip

    # -- positions

    def _settle(self, now: float) -> None:
        for feed in self.feeds:
            self._is_dirty = feed.tail.settle() or self._is_dirty
        if self._is_dirty and now - self._saved_at >= CHECKPOINT_SECS:
            self.save(now)

    def save(self, now: float) -> None:
        """Write the checkpoint; a disk that refuses costs a resend after a restart, and no event."""
        self._saved_at = now
        try:
            checkpoints.save(self._checkpoint, self.entries())
        except OSError as error:
            self._say_unwritten(error)
            return
        self._is_dirty = self._save_failed = False

    def _say_unwritten(self, error: OSError) -> None:
        if not self._save_failed:
            self._save_failed = True
            log.error("checkpoint_not_written", file=str(self._checkpoint), reason=str(error))

    def entries(self) -> list[Entry]:
        return [entry for feed in self.feeds for entry in feed.tail.entries()]

    # -- a run that ends

    def stop_at_present_ends(self) -> None:
        for feed in self.feeds:
            feed.tail.stop_at_present_ends()

    @property
    def is_read(self) -> bool:
        return all(feed.tail.is_at_end for feed in self.feeds)

    @property
    def ahead_count(self) -> int:
        return sum(len(feed.normaliser.ahead) for feed in self.feeds)

    def flush(self, now: float) -> None:
        """Give out the records that still wait for the end of their request, and send what was collected."""
        for feed in self.feeds:
            self._deliver(feed, feed.normaliser.flush(), now)
        self.lanes.seal()

    def close(self, now: float) -> None:
        """Write down what is final, and let go of the files."""
        for feed in self.feeds:
            feed.tail.settle()
        self.save(now)
        for feed in self.feeds:
            feed.tail.close()


def compose(
    settings: AgentSettings,
    store: StoreSettings,
    client: Client,
    tenants: Tenants,
    counts: Counts,
    answered: Callable[[], None],
) -> Pipeline:
    """Build the pipeline that the settings describe; SettingsError names a source of unknown format."""
    entries, sentence = checkpoints.load(settings.state_dir / CHECKPOINT)
    if sentence:
        log.error("checkpoint_not_used", reason=sentence)
    key = redaction_key(settings.redaction_key_file)
    feeds = [_feed_of(source, settings, store, tenants, key, entries) for source in settings.sources]
    limits = settings.delivery

    def send(documents: Sequence[Document]) -> list[Verdict]:
        return bulk.send(client, documents, timeout_secs=limits.request_secs, on_too_large=lanes.too_large)

    senders = Senders(send, partial(partitions.ensure, client), limits.in_flight, answered)
    letters = DeadLetters(settings.state_dir / DEAD_LETTERS, limits.dead_letters_bytes)
    lanes = Lanes(senders, letters, limits, counts, _utc_text)
    return Pipeline(feeds, lanes, settings.state_dir / CHECKPOINT, counts)


def _feed_of(
    source: SourceSettings,
    settings: AgentSettings,
    store: StoreSettings,
    tenants: Tenants,
    key: bytes,
    entries: Iterable[Entry],
) -> Feed:
    try:
        form = format_named(source.format)
    except UnknownFormatError as error:
        raise SettingsError(f"source {source.name!r}: {error}") from None
    facts = SourceFacts(
        name=source.name,
        host=settings.host,
        service=settings.service,
        format_name=form.name,
        provenance=form.provenance,
        parse=form.parse,
        changes_logged=source.changes_logged,
        tenant=source.tenant,
        ahead_days=settings.ahead_days,
    )
    normaliser = Normaliser(
        facts, tenants=tenants, redaction_key=key, extra_names=settings.redact, prefix=store.index_prefix
    )
    return Feed(Tail(source.name, source.paths, form.framer, list(entries)), normaliser)


def _file(stream: Stream) -> FileInfo:
    return FileInfo(stream.path, stream.head.identity)


def _utc_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
