"""What was read of a stream and is not all final yet, as stretches in the order of its bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.sources.fingerprint import Anchor

if TYPE_CHECKING:
    from agent.sources.stream import Stream

# So many are kept apart whatever they are; a joined one is no longer than what a restart reads of it again.
APART_COUNT = 64
JOINED_BYTES = 256 * 1024


class Span:
    """A stretch of a stream whose records were handed on together: final when none of them is open.

    `last_time` is the last usable time of a record up to its end, where whoever took the records says so.
    """

    __slots__ = ("anchor", "end", "last_time", "open_count", "start", "stream")

    def __init__(self, stream: Stream, start: int, end: int, anchor: Anchor, open_count: int) -> None:
        self.stream = stream
        self.start = start
        self.end = end
        self.anchor = anchor
        self.open_count = open_count
        self.last_time = ""

    @property
    def is_final(self) -> bool:
        return self.open_count == 0


class Spans:
    """The spans behind a position, oldest first.

    One record may wait for days at their front while a busy log goes on: what became final behind it is
    joined, so that its number is bounded by bytes of log and not by how often was read.
    """

    def __init__(self) -> None:
        self._spans: deque[Span] = deque()
        self._join_at = APART_COUNT

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, number: int) -> Span:
        return self._spans[number]

    def add(self, span: Span) -> None:
        self._spans.append(span)
        if len(self._spans) > self._join_at:
            self._join()

    def take_final(self) -> Iterator[Span]:
        """Those at the front that are final."""
        while self._spans and self._spans[0].is_final:
            yield self._spans.popleft()

    def _join(self) -> None:
        joined: deque[Span] = deque()
        for span in self._spans:
            last = joined[-1] if joined else None
            if last and last.is_final and span.is_final and span.end - last.start <= JOINED_BYTES:
                last.end, last.anchor = span.end, span.anchor
                last.last_time = span.last_time or last.last_time
            else:
                joined.append(span)
        self._spans = joined
        # Twice as many as are left: all of them are gone through now and then, not with every read.
        self._join_at = max(2 * len(joined), APART_COUNT)
