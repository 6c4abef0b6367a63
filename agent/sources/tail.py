"""One source: its files found, bound to streams, read in turn. Nothing here sleeps; callers say the time."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import PurePath

import structlog

from agent.sources import discovery
from agent.sources.archive import Archive, Unpacking
from agent.sources.checkpoints import Entry
from agent.sources.discovery import Inode, Seen
from agent.sources.fingerprint import Head, Readable, head_of, is_compressed, open_shared
from agent.sources.rotation import Belonging, belonging
from agent.sources.stream import Chunk, Framer, Stream
from agent.sources.troubles import Troubles
from agent.sources.unbound import Unbound

GONE_SECS = 5.0
OPEN_FILES_MAX = 64
ENTRIES_MAX = 10_000
# A backlog gives way to the newest file after so many chunks, for as many.
TURN_CHUNKS = 8

log = structlog.get_logger(__name__)


class Tail:
    """The files of one source.

    look() finds files and renames, poll() notices growth, read() gives the next chunk, settle() moves
    positions.
    """

    def __init__(
        self,
        name: str,
        globs: Sequence[str],
        framer: Callable[[], Framer],
        entries: Sequence[Entry] = (),
        *,
        may_be_empty: bool = False,
    ) -> None:
        self.name = name
        self.globs = globs
        self.must_look = True
        self.read_at: float | None = None
        self.troubles = Troubles(name)
        # What writes entries() down, at a time, and says whether that is on disk now.
        self.keep_cuts: Callable[[float], bool] = lambda _: True
        self._framer = framer
        self._may_be_empty = may_be_empty
        self._streams: list[Stream] = []
        self._entries = [entry for entry in entries if entry.source == name]
        self._copies: dict[str, tuple[Inode, int]] = {}
        self._ready: deque[Stream] = deque()
        self._resumed: list[Stream] = []
        self._leaving: list[Stream] = []
        self._is_ending = False
        self._turn = 0
        self._left = 0
        self._unpacking = Unpacking()
        self._unbound = Unbound()
        self._created: set[str] = set()

    @property
    def streams(self) -> Sequence[Stream]:
        return self._streams

    # -- finding

    def look(self, now: float) -> None:
        """Bring the streams up to date with the names on disk."""
        self.must_look = False
        met = {stream.path for stream in self._streams} | self._copies.keys()
        listing = discovery.look(self.globs)
        files = listing.files
        closed = listing.closed_to(met | {seen.path for seen in self._unbound.seen})
        if files or closed or self._may_be_empty:
            self.troubles.over("nothing")
        else:
            self.troubles.finds_nothing(f"no file matches {', '.join(self.globs)} yet: waiting for one")
        here = {seen.path for seen in files}
        strangers = self._follow_known(files, closed, now)
        if any(stream.displaced or stream.gone_since is not None for stream in self._streams):
            # What was a copy until now may be all that is left of a file.
            self._copies.clear()
        self._mourn(files, met | here, closed, now)
        self._unpacking.begin(here)
        self.troubles.look(closed)
        for number, seen in enumerate(strangers, 1):
            self._bind(seen, now)
            if number % OPEN_FILES_MAX == 0:
                self._close_idle()
        self.must_look = self.must_look or self._unpacking.is_busy
        self._copies = {seen.path: self._copies[seen.path] for seen in files if seen.path in self._copies}
        self._close_idle()

    def _follow_known(self, files: list[Seen], closed: Collection[str], now: float) -> list[Seen]:
        """Take over what changed about the files that streams read; the files that none does.

        A file that is not there is gone, unless it is where nobody could look.
        """
        known = {stream.inode: stream for stream in self._streams if not stream.displaced}
        strangers = []
        here = set()
        for seen in files:
            stream = known.get(seen.inode)
            if stream is None or not self._follow(stream, seen):
                strangers.append(seen)
            else:
                here.add(stream)
        for stream in self._streams:
            if stream in here:
                stream.gone_since = None
            elif stream.gone_since is None and not discovery.is_in(stream.path, closed):
                stream.gone_since = now
        return strangers

    def _follow(self, stream: Stream, seen: Seen) -> bool:
        """Take over name and size of the file at its inode; reading will tell whether it is still the one.

        False for an archive that is another one by now.
        """
        if stream.archive_size is not None:
            if stream.compressed_size != seen.size:
                stream.displaced = True
                return False
        elif not stream.is_open:
            stream.size = seen.size
        if stream.path != seen.path:
            log.info("renamed", source=self.name, path=stream.path, to=seen.path)
        stream.path = seen.path
        stream.modified_ns = seen.modified_ns
        return True

    def announce(self, events: Iterable[tuple[str, str]]) -> None:
        """Hear of files that were created ("", path), deleted (path, "") or renamed (path, path)."""
        read = {stream.path for stream in self._streams if stream.is_open}
        for before, after in events:
            # What is deleted stays noted: whether anybody read it is what the next look is to find out.
            if after:
                self._created.discard(before)
                if before in read:
                    # Through the open handle, whatever its name becomes.
                    read = read - {before} | {after}
                    continue
                read.discard(after)
                if any(PurePath(after).match(pattern) for pattern in self.globs):
                    self._created.add(after)

    def _mourn(self, files: list[Seen], met: set[str], closed: Collection[str], now: float) -> None:
        """Read what came and went without ever being bound, as far as it is open; count the rest."""
        hidden = (seen for seen in self._unbound.seen if discovery.is_in(seen.path, closed))
        for seen, file in self._unbound.take_gone({seen.inode for seen in (*files, *hidden)}):
            met.add(seen.path)
            unread_bytes = seen.size if file is None else self._read_after_all(file, seen, now)
            if unread_bytes:
                self.troubles.lost(seen.path, unread_bytes, "it was deleted before it could be read")
        for path in sorted(self._created - met):
            if discovery.is_in(path, closed):
                continue
            self.troubles.lost(
                path, 0, "it was created and deleted before it could be opened; its size is unknown"
            )
        self._created.clear()

    def _read_after_all(self, file: Readable, seen: Seen, now: float) -> int:
        """Bind a file that is gone but has got a complete line; else how many bytes went with it."""
        keep = False
        try:
            found = seen._replace(size=file.seek(0, io.SEEK_END))
            if is_compressed(file) or head_of(file) is None:
                return found.size
            keep = self._attach(file, found)
        except OSError:
            return seen.size
        finally:
            if not keep:
                file.close()
        for stream in self._streams:
            if stream.inode == seen.inode and not stream.displaced:
                stream.gone_since = now
        return 0

    def _bind(self, seen: Seen, now: float) -> None:
        """Find out what a file is that no stream reads."""
        if self._copies.get(seen.path) == (seen.inode, seen.size):
            return
        self._copies.pop(seen.path, None)
        file, keep = None, False
        try:
            file = self._opened(seen, now)
            keep = file is not None and self._attach(file, seen)
        except OSError as error:
            self.troubles.cannot_read(seen.path, str(error))
            self._unbound.keep(seen)
        else:
            self.troubles.over("unreadable", seen.path)
        finally:
            if file is not None and not keep:
                file.close()

    def _opened(self, seen: Seen, now: float) -> Readable | None:
        """The file, or the log in it if it is compressed; None as long as that is not known whole."""
        file = self._unbound.take(seen) or open_shared(seen.path)
        is_log = False
        try:
            is_log = not is_compressed(file)
        finally:
            if not is_log:
                file.close()
        if is_log:
            return file
        archive = self._unpacking.advance(seen, now)
        if archive is not None and archive.fault:
            self.troubles.is_damaged(seen.path, archive.fault)
        return archive

    def _attach(self, file: Readable, seen: Seen) -> bool:
        """Give an open file to the stream that it belongs to, or let it wait; whether it stays open."""
        log_size = file.size if isinstance(file, Archive) else seen.size
        head = head_of(file, is_whole=isinstance(file, Archive))
        if head is None:
            return self._unbound.keep(seen, None if isinstance(file, Archive) else file)
        found = seen._replace(size=log_size)
        what, whose = belonging(file, found, head, self._streams, self._entries)
        if what is Belonging.COPY:
            self._copies[seen.path] = (seen.inode, seen.size)
            return False
        if isinstance(whose, Stream):
            stream = whose
            stream.attach(file, found)
        else:
            stream = self._open(file, found, head, whose)
        stream.compressed_size = seen.size
        log.info(what.name.lower(), source=self.name, path=seen.path, position=stream.position, size=log_size)
        return True

    def _open(self, file: Readable, seen: Seen, head: Head, entry: Entry | None) -> Stream:
        stream = Stream(self.name, head, seen, self._framer, self._may_cut)
        if self._is_ending:
            stream.limit = seen.size
        if entry is not None:
            stream.resume(entry)
        stream.attach(file, seen)
        if entry is not None:
            self._entries.remove(entry)
            self._resumed.append(stream)
        self._streams.append(stream)
        return stream

    def _may_cut(self, now: float) -> bool:
        return self.keep_cuts(now)

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

    # -- reading

    def poll(self, now: float) -> None:
        """Notice which streams have something to read."""
        ready = set(self._ready)
        self._ready.extend(
            stream
            for stream in self._streams
            if stream not in ready and not stream.waits_for and stream.has_news(now)
        )

    def read(self, now: float) -> Chunk | None:
        """The next chunk, or None until the next poll().

        The oldest stream that has something comes first, so that lines are read as they were written; but a
        backlog gives way to the newest stream every TURN_CHUNKS, so that nobody waits for all of it.
        """
        while self._ready:
            newest = self._turn >= TURN_CHUNKS and len(self._ready) > 1
            stream = self._ready[-1 if newest else 0]
            chunk = None if stream.waits_for else stream.read(now)
            if chunk is not None:
                self._turn = (self._turn + 1) % (2 * TURN_CHUNKS)
                self.read_at = now
                return chunk
            if stream.unreadable:
                self.troubles.cannot_read(stream.path, stream.unreadable)
            else:
                self.troubles.over("unreadable", stream.path)
            if stream.displaced:
                self.must_look = True
                stream.gone_since = stream.gone_since or now
            if newest:
                self._ready.pop()
            else:
                self._ready.popleft()
            self._left += 1
            if self._left % OPEN_FILES_MAX == 0:
                self._close_idle()
        self._turn = 0
        return None

    def farewells(self, now: float) -> Iterator[Chunk]:
        """The last chunks of files that are gone from disk or glob and have been silent for GONE_SECS."""
        for stream in list(self._streams):
            since = stream.gone_since
            if (
                since is None
                or stream.waits_for
                or stream in self._ready
                or now - max(since, stream.grew_at) < GONE_SECS
            ):
                continue
            if stream.is_open or stream.displaced:
                yield from stream.drain(now)
                if stream.waits_to_cut:
                    continue
            if stream.unread_bytes:
                self.troubles.lost(
                    stream.path, stream.unread_bytes, "it was truncated or deleted before its end was read"
                )
            stream.close()
            self._streams.remove(stream)
            self._leaving.append(stream)

    @property
    def _gone(self) -> list[Stream]:
        return [stream for stream in self._streams if stream.gone_since is not None]

    def last_chunks(self, now: float) -> Iterator[Chunk]:
        """What is left of files that are gone: whoever comes after this tail cannot read it."""
        for stream in self._gone:
            chunks = stream.drain(now) if stream.is_open else iter(())
            while not stream.waits_for and (chunk := next(chunks, None)) is not None:
                yield chunk

    @property
    def has_last_records(self) -> bool:
        """Whether records of files that are gone are not final yet."""
        return any(not stream.is_settled for stream in (*self._gone, *self._leaving))

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
        return (
            not self._ready
            and not self._unpacking.is_busy
            and all(stream.is_at_end for stream in self._streams)
        )

    def close(self) -> None:
        """Let go of the files; what is not final of those that are gone is lost."""
        for stream in self._gone:
            stream.notice_replacement()
        lost = [(stream.path, stream.open_bytes + stream.unread_bytes) for stream in self._gone]
        for path, bytes_ in (*lost, *((stream.path, stream.open_bytes) for stream in self._leaving)):
            if bytes_:
                self.troubles.lost(path, bytes_, "it was deleted, and the agent ended before it was stored")
        self._unpacking.close()
        self._unbound.close()
        for stream in (*self._streams, *self._leaving):
            stream.close()
