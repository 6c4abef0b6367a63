"""What a file is, whatever it is called: its first line, and what stands before a position."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from typing import NamedTuple, Protocol

IDENTITY_BYTES = 5
FIRST_LINE_BYTES_MAX = 1024 * 1024
ANCHOR_BYTES = 1024
_HEAD_BYTES = 1024
GZIP = b"\x1f\x8b"
_LOOK_BYTES = 8 * 1024
# Empty lines, and the hole that a truncated file's old writer leaves.
_NO_LINE = b"\r\n\0"


class Readable(Protocol):
    """What is asked of an open log: a file, or an archive that holds one."""

    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def read(self, size: int = ..., /) -> bytes | None: ...
    def close(self) -> None: ...


class Head(NamedTuple):
    """The beginning of a file: `identity` for ever, `raw` to notice that it was replaced under its handle."""

    identity: bytes
    raw: bytes


class Anchor(NamedTuple):
    """`length` bytes before a position, as a digest: nothing readable of the log leaves the log."""

    length: int
    digest: bytes


NO_ANCHOR = Anchor(0, b"")


def open_shared(path: str) -> io.FileIO:
    """`path` for reading, unbuffered; others may rename and delete it meanwhile. OSError as open()."""
    return io.FileIO(path, "r", opener=_opener)


if sys.platform == "win32":

    def _opener(path: str, _flags: int) -> int:
        # open() of Windows would keep the log's owner from rolling and deleting it while we read.
        import _winapi  # noqa: PLC0415
        import msvcrt  # noqa: PLC0415

        share_read_write_delete, open_existing = 0x7, 3
        handle = _winapi.CreateFile(
            path, _winapi.GENERIC_READ, share_read_write_delete, 0, open_existing, 0, 0
        )
        return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY)

else:

    def _opener(path: str, flags: int) -> int:
        return os.open(path, flags)


def read_at(file: Readable, position: int, count: int) -> bytes:
    """Up to `count` bytes from `position`; fewer only at the end of the file."""
    file.seek(position)
    data = file.read(count) or b""
    while len(data) < count:
        more = file.read(count - len(data))
        if not more:
            break
        data += more
    return data


def head_of(file: Readable, *, is_whole: bool = False) -> Head | None:
    """The head of a file, or None as long as its first line is not complete.

    `is_whole`: nothing will be added, so that a last line needs no end.

    The identity is the hash of the first line that is not empty: what later rules decide about records of
    several lines cannot change it.
    """
    data = b""
    while len(data) < FIRST_LINE_BYTES_MAX:
        more = read_at(file, len(data), _LOOK_BYTES)
        data += more
        start = len(data) - len(data.lstrip(_NO_LINE))
        end = data.find(b"\n", start)
        if end >= 0:
            return _head(data, start, end)
        if len(more) < _LOOK_BYTES:
            return _head(data, start, len(data)) if is_whole and start < len(data) else None
    return _head(data, len(data) - len(data.lstrip(_NO_LINE)), FIRST_LINE_BYTES_MAX)


def _head(data: bytes, start: int, end: int) -> Head:
    line = data[start:end].removesuffix(b"\r")
    return Head(hashlib.sha256(line).digest()[:IDENTITY_BYTES], data[: min(end, _HEAD_BYTES)])


def is_compressed(file: Readable) -> bool:
    return read_at(file, 0, len(GZIP)) == GZIP


def begins_with(file: Readable, raw: bytes) -> bool:
    """Whether the file under this handle still begins as it did: not truncated, not overwritten."""
    return read_at(file, 0, len(raw)) == raw


def anchor_of(before: bytes) -> Anchor:
    """The anchor of a position, from the bytes before it (the last ANCHOR_BYTES of them count)."""
    stretch = before[-ANCHOR_BYTES:]
    return Anchor(len(stretch), hashlib.blake2b(stretch, digest_size=8).digest())


def holds(file: Readable, position: int, anchor: Anchor) -> bool:
    """Whether the file reaches `position` and has the anchored bytes before it."""
    if position == 0:
        return True
    stretch = read_at(file, position - anchor.length, anchor.length)
    return len(stretch) == anchor.length > 0 and anchor_of(stretch) == anchor


def agree(one: Readable, other: Readable, position: int) -> bool:
    """Whether two files have the same bytes just before `position`."""
    count = min(position, ANCHOR_BYTES)
    return read_at(one, position - count, count) == read_at(other, position - count, count)
