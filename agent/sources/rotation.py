"""Which stream each file belongs to, after renames, copies, truncations and restarts.

A file is what its first line is and what stands before the position: so a log that was renamed,
copied or restored goes on where it was. Whenever that cannot be proved the file is read from its beginning:
what is stored already is answered as a duplicate, so doubt costs time and never an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from agent.sources.checkpoints import Entry
from agent.sources.discovery import Seen
from agent.sources.fingerprint import Head, Readable, agree, holds
from agent.sources.stream import Stream


class Belonging(Enum):
    """What a file turned out to be."""

    COPY = "a copy of what another file of this source already gives"
    MOVED = "the continuation of a stream whose own file is gone"
    RESUMED = "a file known from the checkpoint"
    NEW = "a file that was never read"


def belonging(
    file: Readable, seen: Seen, head: Head, streams: Iterable[Stream], entries: Sequence[Entry]
) -> tuple[Belonging, Stream | Entry | None]:
    """What `file`, which is bound to no stream, is, and the stream or entry it continues or copies.

    `streams` and `entries` are those of the source; only those with the identity of `head` matter.
    """
    same = [stream for stream in streams if stream.head.identity == head.identity]
    for stream in same:
        stream.notice_replacement()
    for stream in same:
        if _is_homeless(stream) and stream.found_in(file, seen.size):
            return Belonging.MOVED, stream
    for stream in same:
        if not _is_homeless(stream) and _is_copy(file, seen, stream):
            return Belonging.COPY, stream
    known = [
        entry
        for entry in entries
        if entry.identity == head.identity
        and entry.position <= seen.size
        and holds(file, entry.position, entry.anchor)
    ]
    if known:
        return Belonging.RESUMED, max(known, key=lambda entry: entry.position)
    return Belonging.NEW, None


def _is_homeless(stream: Stream) -> bool:
    return stream.displaced or stream.gone_since is not None


def _is_copy(file: Readable, seen: Seen, stream: Stream) -> bool:
    """A file that is longer, or differs where it ends, only began with the same line."""
    original = None if stream.unreadable else stream.file()
    return original is not None and seen.size <= stream.size and agree(file, original, seen.size)
