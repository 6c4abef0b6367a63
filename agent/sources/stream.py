"""One log file as a sequence of bytes, whatever it is called at the moment: read, framed, accounted for."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from agent.sources.archive import Archive
from agent.sources.checkpoints import Entry
from agent.sources.discovery import Inode, Seen
from agent.sources.fingerprint import (
    ANCHOR_BYTES,
    NO_ANCHOR,
    Anchor,
    Head,
    Readable,
    anchor_of,
    begins_with,
    holds,
    open_shared,
    read_at,
)
from agent.sources.spans import Span, Spans

CHUNK_BYTES = 256 * 1024
CONTEXT_BYTES = 256 * 1024
QUIET_SECS = 0.5

Records = list[tuple[int, bytes]]
Flags = dict[int, tuple[str, ...]]


class Framer(Protocol):
    """Where records begin and end, for one file; `agent.formats` has them."""

    @property
    def pending(self) -> tuple[int, int] | None: ...
    @property
    def flags(self) -> Flags: ...
    @property
    def mid_line(self) -> bool: ...
    def split(self, data: bytes, position: int) -> Records: ...
    def flush(self) -> Records: ...


class Chunk(NamedTuple):
    """Records read together, with the span that accounts for them."""

    stream: Stream
    records: Records
    flags: Flags
    span: Span


class Stream:
    """A log under one identity: where it is read, how far, and up to where every record is final.

    `offset` is the next byte to read, `position` the end of what is final; `position <= offset` always.
    `keep_cuts` writes the entry down, at this time (monotonic, in seconds), and says whether it is on disk.
    """

    def __init__(
        self,
        source: str,
        head: Head,
        seen: Seen,
        framer: Callable[[], Framer],
        keep_cuts: Callable[[float], bool],
    ) -> None:
        self.source = source
        self.head = head
        self.path = seen.path
        self.inode: Inode = seen.inode
        self.size = seen.size
        self.modified_ns = seen.modified_ns
        self.offset = 0
        self.position = 0
        self.grew_at = 0.0
        self.limit: int | None = None
        # Truncated or replaced under its handle: nothing can be read until it is found elsewhere.
        self.displaced = False
        self.gone_since: float | None = None
        self.unreadable = ""
        # The partition that must take documents again before more is read here.
        self.waits_for = ""
        # Of a compressed file: the size of the log in it, and its own.
        self.archive_size: int | None = None
        self.compressed_size = 0
        # The last usable time of a record before `position`.
        self.last_time = ""
        # Where quiet ended a record, behind `position`.
        self._cuts: list[int] = []
        self._keep_cuts = keep_cuts
        self._may_cut = True
        self._anchor = NO_ANCHOR
        self._new_framer = framer
        self._framer = framer()
        self._file: Readable | None = None
        self._looked_end = -1
        # What `size` was before it was last seen to have changed.
        self._size_before = 0
        self._recent = b""
        self._spans = Spans()
        self._read_end = 0
        self._starts: deque[int] = deque([0])

    # -- where it is read

    def resume(self, entry: Entry) -> None:
        """Go on where `entry` ends instead of at the first byte."""
        self.offset = self.position = self._read_end = entry.position
        self._anchor = entry.anchor
        self.last_time = entry.last_time
        self._cuts = list(entry.cuts)
        self._starts = deque([entry.context_from])

    def attach(self, file: Readable, seen: Seen) -> None:
        """Read from this open file from now on; OSError leaves everything as it was."""
        recent = self._recent
        if not recent and not isinstance(file, Archive):
            count = min(self.offset, ANCHOR_BYTES)
            recent = read_at(file, self.offset - count, count)
        self.close()
        self._file, self._recent = file, recent
        self.path, self.inode, self.size = seen.path, seen.inode, seen.size
        self.archive_size = file.size if isinstance(file, Archive) else None
        self.displaced = False
        self.gone_since = None
        self._looked_end = -1

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _fail(self, error: OSError) -> None:
        """A stale handle, a bad sector: where the file has a name, the next try opens it again."""
        self.unreadable = str(error)
        if self.gone_since is None:
            self.close()

    @property
    def is_open(self) -> bool:
        return self._file is not None

    def file(self) -> Readable | None:
        """The handle, opened again when it had been given up; None when that cannot be done any more."""
        if self._file is None:
            try:
                if self.archive_size is None:
                    self._file = open_shared(self.path)
                else:
                    self._file = Archive(self.path, self.archive_size)
            except OSError as error:
                self.unreadable = str(error)
                return None
            self.unreadable = ""
        return self._file

    def found_in(self, file: Readable, size: int) -> bool:
        """Whether `file` has everything this stream has read, so that reading can go on there."""
        return size >= self.offset and holds(file, self._read_end, self._read_anchor())

    def _read_anchor(self) -> Anchor:
        return self._spans[-1].anchor if self._spans else self._anchor

    # -- reading

    def _read_on(self, file: Readable, count: int) -> bytes | None:
        """The next bytes, so many at most; None when the file is not this stream's any more.

        Its beginning and the last KiB before `offset` tell: truncated, replaced under its handle, or written
        anew in place, however long it is by now.
        """
        # An archive is never written in place, and going back in it can cost unpacking it again.
        known = self._recent if self.archive_size is None else b""
        data = read_at(file, self.offset - len(known), len(known) + count)
        # After the read, not before: whatever replaced the file in between must not pass for its next bytes.
        is_ours = data.startswith(known) and begins_with(file, self.head.raw)
        return data[len(known) :] if is_ours else None

    def notice_replacement(self) -> None:
        """Look at once, without reading on, whether the file is still this stream's, and how long it is."""
        file = None if self.displaced else self.file()
        if file is None:
            return
        try:
            size = file.seek(0, io.SEEK_END)
            self.displaced = size < self.offset or self._read_on(file, 0) is None
        except OSError as error:
            self._fail(error)
        else:
            self.size = self.size if self.displaced else size

    def _end(self) -> int:
        """Where reading stops for now: the file's end, or the limit of a run that follows nothing."""
        return self.size if self.limit is None else min(self.size, self.limit)

    def has_news(self, now: float) -> bool:
        """Whether read() may give something: the file changed its size, or has been quiet for long enough."""
        if self.displaced:
            return False
        if self._file is not None:
            try:
                size = self._file.seek(0, io.SEEK_END)
            except OSError as error:
                self._fail(error)
                return True
            if size < self.offset:
                # The size that is known tells how much was lost, if it is found nowhere else.
                return True
            if size != self.size:
                self._size_before, self.size = self.size, size
        return bool(self.unreadable) or self._end() != self._looked_end or self._quiet(now)

    def _quiet(self, now: float) -> bool:
        return self._waits_for_quiet() and (self.archive_size is not None or now - self.grew_at >= QUIET_SECS)

    def _waits_for_quiet(self) -> bool:
        # A line without its end shows that the writer is not done: what is held waits with it.
        is_mid_line = self._framer.mid_line and self.archive_size is None
        return (
            self.offset == self._end() == self.size and not is_mid_line and self._framer.pending is not None
        )

    def read(self, now: float, chunk_bytes: int = CHUNK_BYTES) -> Chunk | None:
        """The next chunk, or what the quiet has completed; None when there is nothing, or it cannot."""
        file = self.file()
        if file is None:
            return None
        try:
            return self._read(file, now, chunk_bytes)
        except OSError as error:
            self._fail(error)
            return None

    def _read(self, file: Readable, now: float, chunk_bytes: int) -> Chunk | None:
        count = chunk_bytes if self.limit is None else min(chunk_bytes, self.limit - self.offset)
        data = self._read_on(file, max(count, 0))
        self.unreadable = ""
        if data is None:
            self.displaced = True
            if file.seek(0, io.SEEK_END) == self.size:
                # That is the size of another log: of this one no more is known than there was before.
                self.size = max(self._size_before, self.offset)
            return None
        self.size = self.size if data else file.seek(0, io.SEEK_END)
        if len(data) < chunk_bytes:
            self._looked_end = self._end()
        # Nobody writes to an archive: its last line needs no end.
        whole = len(data) if self.archive_size is not None else data.rfind(b"\n") + 1
        if whole == 0 and len(data) < chunk_bytes:
            return self._cut(now) if self._quiet(now) else None
        self.grew_at = now
        return self._take(data if whole in {0, len(data)} else data[:whole])

    def _cut(self, now: float) -> Chunk | None:
        """The record that is held, as it stands; None as long as it cannot be written down that it ends here.

        What comes later is a record of its own. Read again together, the two would have one id, that of what
        may be stored already: so it must be known, whatever happens, that they are two.
        """
        self._cuts.append(self.offset)
        self._may_cut = self._keep_cuts(now)
        if not self._may_cut:
            self._cuts.pop()
            return None
        return self._chunk(self._framer.flush(), b"")

    def drain(self, now: float) -> Iterator[Chunk]:
        """Everything up to the end, the last line too if it has none: nobody will write here again."""
        file = self.file()
        while file is not None and not self.displaced:
            try:
                data = self._read_on(file, CHUNK_BYTES)
            except OSError as error:
                self._fail(error)
                break
            self.displaced = data is None
            if not data:
                break
            yield self._take(data)
        chunk = self._cut(now) if self._framer.pending is not None else None
        if chunk is not None:
            yield chunk

    def _take(self, data: bytes) -> Chunk:
        begin, end = self.offset, self.offset + len(data)
        records: Records = []
        for cut in self._cuts:
            if self.offset < cut <= end:
                records += self._framer.split(data[self.offset - begin : cut - begin], self.offset)
                records += self._framer.flush()
                self.offset = cut
        if self.offset < end:
            records += self._framer.split(data[self.offset - begin :], self.offset)
            self.offset = end
        return self._chunk(records, data)

    def _chunk(self, records: Records, data: bytes) -> Chunk:
        """The chunk of `records`, whose last one ends where the framer now waits; `data` ends at `offset`."""
        pending = self._framer.pending
        end = self.offset if pending is None else pending[0]
        span = Span(self, self._read_end, end, self._anchor_before(end, data), len(records))
        if len(data) >= ANCHOR_BYTES:
            self._recent = data[-ANCHOR_BYTES:]
        else:
            self._recent = (self._recent + data)[-ANCHOR_BYTES:]
        if end > self._read_end:
            self._read_end = end
            self._spans.add(span)
        return Chunk(self, records, self._framer.flags, span)

    def _anchor_before(self, end: int, data: bytes) -> Anchor:
        """The anchor of `end`, which lies in `data` or is where `data` begins; `data` ends at `offset`."""
        within = end - (self.offset - len(data))
        if within >= ANCHOR_BYTES:
            return anchor_of(data[within - ANCHOR_BYTES : within])
        return anchor_of(self._recent + data[: max(within, 0)])

    def context(self) -> Iterator[Records]:
        """The records just before the position, to be read for what they tell about the following ones."""
        file = self.file()
        framer = self._new_framer()
        at = self._starts[0]
        while file is not None and at < self.position:
            try:
                data = read_at(file, at, min(CHUNK_BYTES, self.position - at))
            except OSError as error:
                self._fail(error)
                break
            if not data:
                break
            yield framer.split(data, at)
            at += len(data)
        yield framer.flush()

    # -- accounting

    def settle(self) -> bool:
        """Move the position over the leading spans that are final; whether it moved."""
        before = self.position
        for span in self._spans.take_final():
            self._anchor = span.anchor if span.end > self.position else self._anchor
            self.position = span.end
            self.last_time = span.last_time or self.last_time
            if span.start > self._starts[-1]:
                self._starts.append(span.start)
        self._cuts = [cut for cut in self._cuts if cut > self.position]
        while len(self._starts) > 1 and self.position - self._starts[1] >= CONTEXT_BYTES:
            self._starts.popleft()
        return self.position != before

    @property
    def waits_to_cut(self) -> bool:
        """Whether a record is held only because it cannot be written down that it ends here."""
        return not self._may_cut and self._framer.pending is not None

    @property
    def is_settled(self) -> bool:
        return not self._spans

    @property
    def is_at_end(self) -> bool:
        """Whether all of the file that can be read by now was read (a last line without its end waits)."""
        if self.displaced or self.unreadable:
            return True
        if self.waits_for:
            return False
        return self._looked_end == self._end() and (self.waits_to_cut or not self._waits_for_quiet())

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes at the end of what was read are no complete record yet."""
        return max(self._end() - self._read_end, 0)

    @property
    def lag_bytes(self) -> int:
        """How much is not final yet, without a last line that its writer has not ended."""
        unread = 0 if self._looked_end == self.size else max(self.size - self._read_end, 0)
        return self.open_bytes + unread

    @property
    def open_bytes(self) -> int:
        """How much was read and is not final yet."""
        return max(self._read_end - self.position, 0)

    @property
    def unread_bytes(self) -> int:
        return max(self.size - self._read_end, 0)

    def entry(self) -> Entry:
        return Entry(
            self.source, self.head.identity, self.position, self._anchor,
            min(self._starts[0], self.position), self.path, self.last_time, tuple(self._cuts),
        )  # fmt: skip
