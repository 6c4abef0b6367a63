"""One source: its files found, bound to streams, read in turn. Nothing here sleeps; callers say the time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import structlog

from agent.sources import discovery
from agent.sources.checkpoints import Entry
from agent.sources.discovery import Inode, Seen
from agent.sources.fingerprint import Head, head_of, is_compressed, open_shared
from agent.sources.rotation import Belonging, belonging
from agent.sources.stream import Chunk, Framer, Stream

GONE_SECS = 5.0
OPEN_FILES_MAX = 64
ENTRIES_MAX = 10_000

log = structlog.get_logger(__name__)


class Tail:
    """The files of one source.

    look() finds files and renames, poll() notices growth, read() gives the next chunk, settle() moves
    positions.
    """

    def __init__(
        self, name: str, globs: Sequence[str], framer: Callable[[], Framer], entries: Sequence[Entry] = ()
    ) -> None:
        self.name = name
        self.globs = globs
        self.lost_bytes = 0
        self.must_look = True
        self._framer = framer
        self._streams: list[Stream] = []
        self._entries = [entry for entry in entries if entry.source == name]
        self._copies: dict[str, tuple[Inode, int]] = {}
        self._said: set[tuple[str, str]] = set()
        self._ready: deque[Stream] = deque()
        self._resumed: list[Stream] = []
        self._leaving: list[Stream] = []
        self._is_ending = False

    @property
    def streams(self) -> Sequence[Stream]:
        return self._streams

    # -- finding

    def look(self, now: float) -> None:
        """Bring the streams up to date with the names on disk."""
        self.must_look = False
        files = discovery.look(self.globs)
        if files:
            self._over("nothing", "")
        else:
            self._trouble("nothing", "", f"no file matches {', '.join(self.globs)} yet: waiting for one")
        known = {stream.inode: stream for stream in self._streams if not stream.displaced}
        strangers = []
        here = set()
        for seen in files:
            stream = known.get(seen.inode)
            if stream is None:
                strangers.append(seen)
            else:
                self._follow(stream, seen)
                here.add(stream)
        for stream in self._streams:
            if stream in here:
                stream.gone_since = None
            elif stream.gone_since is None:
                stream.gone_since = now
        if any(stream.displaced or stream.gone_since is not None for stream in self._streams):
            # What was a copy until now may be all that is left of a file.
            self._copies.clear()
        for seen in strangers:
            self._bind(seen)
        self._copies = {seen.path: self._copies[seen.path] for seen in files if seen.path in self._copies}
        self._close_idle()

    def _follow(self, stream: Stream, seen: Seen) -> None:
        """Take over name and size of the file at its inode; reading will tell whether it is still the one."""
        if stream.path != seen.path:
            log.info("renamed", source=self.name, path=stream.path, to=seen.path)
        stream.path = seen.path
        if not stream.is_open:
            stream.size = seen.size

    def _bind(self, seen: Seen) -> None:
        """Find out what a file is that no stream reads."""
        if self._copies.get(seen.path) == (seen.inode, seen.size):
            return
        self._copies.pop(seen.path, None)
        try:
            file = open_shared(seen.path)
        except OSError as error:
            self._trouble("unreadable", seen.path, str(error))
            return
        self._over("unreadable", seen.path)
        keep = False
        try:
            head = head_of(file)
            if head is None:
                return
            if is_compressed(head):
                self._trouble("compressed", seen.path, "is compressed and is not read")
                return
            what, whose = belonging(file, seen, head, self._streams, self._entries)
            if what is Belonging.COPY:
                self._copies[seen.path] = (seen.inode, seen.size)
                return
            stream = whose if isinstance(whose, Stream) else self._open(seen, head, whose)
            stream.attach(file, seen)
            keep = True
            log.info(
                what.name.lower(), source=self.name, path=seen.path, position=stream.position, size=seen.size
            )
        finally:
            if not keep:
                file.close()

    def _open(self, seen: Seen, head: Head, entry: Entry | None) -> Stream:
        stream = Stream(self.name, head, seen, self._framer)
        if self._is_ending:
            stream.limit = seen.size
        if entry is not None:
            self._entries.remove(entry)
            stream.resume(entry)
            self._resumed.append(stream)
        self._streams.append(stream)
        return stream

    def take_resumed(self) -> list[Stream]:
        """Streams that began in the middle since the last call, oldest first: their context is to be read."""
        resumed, self._resumed = self._resumed, []
        return resumed

    def _close_idle(self) -> None:
        """Keep few files open: those at their end go first; they are opened again when they grow."""
        opened = [stream for stream in self._streams if stream.is_open]
        spare = len(opened) - OPEN_FILES_MAX
        for stream in sorted(opened, key=lambda each: (not each.is_at_end, each.grew_at))[: max(spare, 0)]:
            if stream.gone_since is None:
                stream.close()

    def _trouble(self, what: str, path: str, reason: str) -> None:
        """Say a trouble once, and again only after it had been over."""
        if (what, path) not in self._said:
            self._said.add((what, path))
            log.warning(what, source=self.name, path=path, reason=reason)

    def _over(self, what: str, path: str) -> None:
        self._said.discard((what, path))

    # -- reading

    def poll(self, now: float) -> None:
        """Notice which streams have something to read."""
        if not self._ready:
            self._ready.extend(stream for stream in self._streams if stream.has_news(now))

    def read(self, now: float) -> Chunk | None:
        """The next chunk of the oldest stream that has something, or None until the next poll()."""
        while self._ready:
            stream = self._ready[0]
            chunk = stream.read(now)
            if chunk is not None:
                return chunk
            if stream.unreadable:
                self._trouble("unreadable", stream.path, stream.unreadable)
            if stream.displaced:
                self.must_look = True
                stream.gone_since = stream.gone_since or now
            self._ready.popleft()
        return None

    def farewells(self, now: float) -> Iterator[Chunk]:
        """The last chunks of files that are gone from disk or glob and have been silent for GONE_SECS."""
        for stream in list(self._streams):
            since = stream.gone_since
            if since is None or stream in self._ready or now - max(since, stream.grew_at) < GONE_SECS:
                continue
            if stream.is_open or stream.displaced:
                yield from stream.drain()
            if stream.unread_bytes:
                self.lost_bytes += stream.unread_bytes
                log.error("lost", source=self.name, path=stream.path, bytes=stream.unread_bytes,
                          reason="the file was truncated or deleted before its end was read")  # fmt: skip
            stream.close()
            self._streams.remove(stream)
            self._leaving.append(stream)

    # -- accounting

    def settle(self) -> bool:
        """Move positions past what is final; whether one moved."""
        moved = False
        for stream in (*self._streams, *self._leaving):
            moved = stream.settle() or moved
        left = [stream for stream in self._leaving if stream.is_settled]
        if left:
            self._leaving = [stream for stream in self._leaving if not stream.is_settled]
            self._entries = [*self._entries, *(stream.entry() for stream in left)][-ENTRIES_MAX:]
        return moved

    def entries(self) -> list[Entry]:
        """What the checkpoint keeps: files that are read, and files that were and may come back."""
        return [*self._entries, *(stream.entry() for stream in (*self._streams, *self._leaving))]

    # -- a run that ends

    def stop_at_present_ends(self) -> None:
        """Read no further than the sizes that look() found at first."""
        self._is_ending = True
        for stream in self._streams:
            stream.limit = stream.size

    @property
    def is_at_end(self) -> bool:
        return not self._ready and all(stream.is_at_end for stream in self._streams)

    def close(self) -> None:
        for stream in (*self._streams, *self._leaving):
            stream.close()
