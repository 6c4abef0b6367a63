"""Where a record of SmartWMS's text log ends: at the next head that a client cannot simply have typed."""

from __future__ import annotations

from agent.formats.framing import MAX_RECORD_BYTES, Framer
from agent.formats.serilog_lines import line_heads, object_span

FLAG_FORGED_SUSPECT = "forged_suspect"

_LAST_LINE_END = 0x0D


class SerilogFramer(Framer):
    """A head opens a record; what follows up to the next head is its message, its object and its exception.

    SmartWMS prints URLs decoded, so `%0d%0a` in one starts a line of the client's choice. A head without time
    zone, or one that comes before the open record has printed its property object, is therefore no head: it
    stays where it is and the record is flagged `forged_suspect`. Only a record above the limit ends at any
    zoned head, lest one torn line swallow the file. A client that forges the object too cannot be told apart
    from SmartWMS.
    """

    def __init__(self, max_bytes: int = MAX_RECORD_BYTES) -> None:
        super().__init__(max_bytes)
        self._held = bytearray()
        self._start: int | None = None
        self._end_position = 0
        # True at first: a file, or a stretch of it after a restart, may begin with any head.
        self._printed = True
        self._suspect = False

    @property
    def pending(self) -> tuple[int, int] | None:
        """Position and held bytes of the record whose end was not seen yet."""
        if self._start is None:
            return super().pending
        return self._start, len(self._held) + len(self._rest)

    def _take(self, lines: bytes, at: int, records: list[tuple[int, bytes]]) -> None:
        start = at if self._start is None else self._start
        begin = checked = 0
        for head, is_zoned in line_heads(lines):
            if not self._printed and head > checked:
                self._printed = object_span(lines, checked, head) is not None
            checked = head
            if is_zoned and (self._printed or at + head - start > self.max_bytes):
                self._close(start, lines, begin, head, records)
                start, begin = at + head, head
                self._printed = False
            else:
                self._suspect = True
        if not self._printed:
            self._printed = object_span(lines, checked, len(lines)) is not None
        self._held += lines[begin : begin + self._held_bytes - len(self._held)]
        self._start = start
        self._end_position = at + len(lines)

    def _end(self, records: list[tuple[int, bytes]]) -> None:
        if self._start is None:
            return
        # Beyond the limit not every line is looked at, so nothing may depend on what it would have shown.
        self._printed = self._printed or self._end_position - self._start > self.max_bytes
        self._close(self._start, b"", 0, 0, records)
        self._start = None

    def _close(
        self, start: int, lines: bytes, begin: int, end: int, records: list[tuple[int, bytes]]
    ) -> None:
        """Add the record from `start` that ends with `lines[begin:end]`; blank lines alone are none."""
        if self._suspect:
            self.flags[start] = (FLAG_FORGED_SUSPECT,)
            self._suspect = False
        if self._held:
            piece = bytes(self._held) + lines[begin:end][: self._held_bytes - len(self._held)]
            self._held = bytearray()
            raw = self._cut(start, piece)
        elif end - begin <= self.max_bytes and lines.endswith(b"\n", begin, end):
            # The copy that nearly every record takes: once.
            raw = lines[begin : end - 2 if lines.endswith(b"\r\n", begin, end) else end - 1]
        else:
            raw = self._cut(start, lines[begin:end])
        if raw and (raw[0] > _LAST_LINE_END or raw.strip(b"\r\n")):
            records.append((start, raw))
