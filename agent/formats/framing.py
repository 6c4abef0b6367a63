"""Where a record begins and ends: bytes in, whole records out, in bounded memory whatever the file holds."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

MAX_RECORD_BYTES = 1 << 20
"""Above this a record is cut, and flagged `truncated`."""

FLAG_TRUNCATED = "truncated"

# Held of an unfinished line beyond the limit, so that the cut shows even after a byte order mark and a
# carriage return were taken off.
_SLACK_BYTES = 8

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CARRIAGE_RETURN = 0x0D
_NULS = re.compile(rb"\0+")


class Framer(ABC):
    """Cuts one file into records, each with the position of its first byte, whatever chunks it comes in.

    A byte order mark at position 0 and NULs at the start of a line (the hole that a truncated file's old
    writer leaves) belong to no record. A record above `max_bytes` is cut; not much more is ever held. `flags`
    has what was found out on the way, by position; who uses a flag takes it out.
    """

    def __init__(self, max_bytes: int = MAX_RECORD_BYTES) -> None:
        self.max_bytes = max_bytes
        self._held_bytes = max_bytes + _SLACK_BYTES
        self.flags: dict[int, tuple[str, ...]] = {}
        self._rest = bytearray()
        self._rest_at = 0
        self._rest_is_cut = False

    @property
    def pending(self) -> tuple[int, int] | None:
        """Position and held bytes of the record whose end was not seen yet."""
        return (self._rest_at, len(self._rest)) if self._rest else None

    @property
    def mid_line(self) -> bool:
        """Whether the bytes so far end inside a line: then quiet is no reason to flush."""
        return bool(self._rest)

    def split(self, data: bytes, position: int) -> list[tuple[int, bytes]]:
        """Give the records that `data` completes; it begins at `position` and continues the last call's."""
        records: list[tuple[int, bytes]] = []
        if b"\0" not in data:
            self._feed(data, position, records)
            return records
        begin, end = 0, len(data)
        while begin < end:
            hole = None if self._rest else _NULS.match(data, begin)
            if hole:
                begin = hole.end()
            stop = data.find(b"\n\0", begin) + 1 or end
            self._feed(data[begin:stop], position + begin, records)
            begin = stop
        return records

    def flush(self) -> list[tuple[int, bytes]]:
        """Give what is held as it stands: after quiet (unless `mid_line`), or at the end of a file.

        What continues it later becomes a record of its own, at its own position.
        """
        records: list[tuple[int, bytes]] = []
        if self._rest:
            self._take(*self._rest_taken(b""), records)
        self._end(records)
        return records

    def _feed(self, data: bytes, position: int, records: list[tuple[int, bytes]]) -> None:
        lines_end = data.rfind(b"\n") + 1
        lines, at = data[:lines_end] if lines_end < len(data) else data, position
        if self._rest and lines_end:
            if self._rest_is_cut:
                line_end = lines.find(b"\n") + 1
                self._take(*self._rest_taken(b"\n"), records)
                lines, at = lines[line_end:], position + line_end
            else:
                lines, at = self._rest_taken(lines)
        if lines_end:
            if at == 0 and lines.startswith(_BYTE_ORDER_MARK):
                lines, at = lines[len(_BYTE_ORDER_MARK) :], len(_BYTE_ORDER_MARK)
            if lines:
                self._take(lines, at, records)
        if lines_end < len(data):
            self._hold(data[lines_end:], position + lines_end)

    def _hold(self, data: bytes, position: int) -> None:
        if not self._rest:
            self._rest_at = position
        room = self._held_bytes - len(self._rest)
        self._rest += data[:room]
        self._rest_is_cut = self._rest_is_cut or len(data) > room

    def _rest_taken(self, more: bytes) -> tuple[bytes, int]:
        """Join the unfinished line with `more`, its byte order mark taken off, and forget it."""
        at, line = self._rest_at, bytes(self._rest) + more
        self._rest = bytearray()
        self._rest_is_cut = False
        if at == 0 and line.startswith(_BYTE_ORDER_MARK):
            return line[len(_BYTE_ORDER_MARK) :], len(_BYTE_ORDER_MARK)
        return line, at

    def _cut(self, at: int, raw: bytes) -> bytes:
        """Take the line's end off; cut to the limit and say so."""
        if raw.endswith(b"\n"):
            raw = raw[:-1]
        if raw.endswith(b"\r"):
            raw = raw[:-1]
        if len(raw) > self.max_bytes:
            self.flags[at] = (*self.flags.get(at, ()), FLAG_TRUNCATED)
            raw = raw[: self.max_bytes]
        return raw

    @abstractmethod
    def _take(self, lines: bytes, at: int, records: list[tuple[int, bytes]]) -> None:
        """Take whole lines (the last one unended at a flush); add the records that they complete."""

    @abstractmethod
    def _end(self, records: list[tuple[int, bytes]]) -> None:
        """Add the record that is held although its lines are whole."""


class LineFramer(Framer):
    """A line is a record; an empty line is none."""

    def _take(self, lines: bytes, at: int, records: list[tuple[int, bytes]]) -> None:
        max_bytes = self.max_bytes
        for line in lines.split(b"\n"):
            if line:
                if line[-1] != _CARRIAGE_RETURN and len(line) <= max_bytes:
                    records.append((at, line))
                elif raw := self._cut(at, line):
                    records.append((at, raw))
            at += len(line) + 1

    def _end(self, records: list[tuple[int, bytes]]) -> None:
        """Do nothing: a whole line is never held."""
