"""Files that no stream reads yet: without a complete line, or closed to us.

One of which nothing but its size was known would be gone for good when it is deleted, and its size may be a
second old. So those that can be opened stay open: what was written to them until then can still be told, or
even read.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from agent.sources.discovery import Inode, Seen
from agent.sources.fingerprint import Readable

# More than so many stay open only while they are looked at: then the size that was seen has to do.
OPEN_MAX = 16


class Waiting(NamedTuple):
    """One such file, as it was last seen; `file` is None when it is not open."""

    seen: Seen
    file: Readable | None


class Unbound:
    """The files of a source that are there and were never bound, by inode: an open one keeps its own."""

    def __init__(self) -> None:
        self._waiting: dict[Inode, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def seen(self) -> list[Seen]:
        return [each.seen for each in self._waiting.values()]

    def keep(self, seen: Seen, file: Readable | None = None) -> bool:
        """Note a file; whether its handle is kept open here."""
        open_count = sum(each.file is not None for each in self._waiting.values())
        is_kept = file is not None and open_count < OPEN_MAX
        self._waiting[seen.inode] = Waiting(seen, file if is_kept else None)
        return is_kept

    def take(self, seen: Seen) -> Readable | None:
        """The handle of a file that is to be looked at again, if it was kept; the caller's from now on."""
        known = self._waiting.pop(seen.inode, None)
        return known.file if known is not None else None

    def take_gone(self, here: Container[Inode]) -> list[Waiting]:
        """Those that are not among the inodes `here` any more; their handles are the caller's."""
        gone = [inode for inode in self._waiting if inode not in here]
        return [self._waiting.pop(inode) for inode in gone]

    def close(self) -> None:
        for _, file in self.take_gone(()):
            if file is not None:
                file.close()
