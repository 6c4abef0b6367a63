"""The requests that are still open: their records wait here for the line that ends them.

A data-change line is written before the database commits, and who signed in stands only there. Both are
decided when the request line comes. Everything is bounded in bytes of log, so that what is decided never
depends on a clock; the time bound only keeps a quiet log from waiting for ever.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from agent.normalise import change_lines
from agent.normalise.draft import NOTHING_KNOWN, Context
from agent.normalise.encoder import Place
from agent.normalise.other_lines import is_failed_update
from agent.normalise.request_lines import Facts

OPEN_BYTES: Final = 4 * 1024 * 1024
"""Records of open requests held at most, in bytes of log."""
OPEN_DISTANCE_BYTES: Final = 16 * 1024 * 1024
"""A request is given up when so much log has been read since its first record."""
CLOSED_BYTES: Final = 1024 * 1024
"""What an ended request told is remembered for so much log: for the exception line that follows it."""


Here = tuple[Place, int, bytes, str | None, tuple[str, ...], Any]
"""A record's file, position, raw bytes, redacted original (None: nothing to redact), flags and token."""


Held = tuple[dict[str, Any], Here]
"""A record that waits, and where it stands."""


class Open:
    """One request that has begun."""

    __slots__ = ("held", "size", "started_at", "started_secs")

    def __init__(self, started_at: int, started_secs: float) -> None:
        self.held: list[Held] = []
        self.size = 0
        self.started_at = started_at
        self.started_secs = started_secs


class Requests:
    """Open and lately closed requests of one source, by request id."""

    def __init__(self) -> None:
        self.read_bytes = 0
        self._open: dict[str, Open] = {}
        self._open_bytes = 0
        self._closed: dict[str, tuple[int, Facts]] = {}

    def hold(self, request_id: str, records: Iterable[Held], now_secs: float) -> None:
        """Records of a request whose end has not been seen."""
        request = self._open.get(request_id)
        if request is None:
            request = self._open[request_id] = Open(self.read_bytes, now_secs)
        for held in records:
            size = len(held[1][2])
            request.held.append(held)
            request.size += size
            self._open_bytes += size

    def is_open(self, request_id: str) -> bool:
        """Whether records of the request are held."""
        return request_id in self._open

    def take(self, request_id: str) -> list[Held]:
        """The records of a request that now ends; none if it had no other."""
        request = self._open.pop(request_id, None)
        if request is None:
            return []
        self._open_bytes -= request.size
        return request.held

    def close(self, request_id: str, facts: Facts) -> None:
        """Remember what an ended request told."""
        # At the end, where it belongs by its time, though the id may have come before.
        self._closed.pop(request_id, None)
        self._closed[request_id] = (self.read_bytes, facts)

    def closed(self, request_id: str) -> Facts | None:
        """What an ended request told, if it ended lately."""
        known = self._closed.get(request_id)
        return known[1] if known is not None else None

    def forget(self) -> None:
        """Drop what ended too long ago."""
        limit = self.read_bytes - CLOSED_BYTES
        done = []
        for request_id, (at, _) in self._closed.items():
            if at >= limit:
                break
            done.append(request_id)
        for request_id in done:
            del self._closed[request_id]

    def overdue(self, oldest_secs: float | None = None) -> Iterator[list[Held]]:
        """Requests to give up: the bounds are reached, or they began before `oldest_secs`."""
        while self._open:
            request_id, request = next(iter(self._open.items()))
            late = oldest_secs is not None and request.started_secs < oldest_secs
            far = self.read_bytes - request.started_at > OPEN_DISTANCE_BYTES
            if not (late or far or self._open_bytes > OPEN_BYTES):
                return
            yield self.take(request_id)

    def all(self) -> Iterator[list[Held]]:
        """Every open request, given up."""
        for request_id in list(self._open):
            yield self.take(request_id)


def told_by(records: Iterable[Held]) -> Context:
    """What the records of one request tell together: who, whose, and whether the database refused."""
    known = NOTHING_KNOWN
    failed = False
    for record, _ in records:
        try:
            if record.get("SourceContext") == change_lines.CHANGE_LOGGER:
                if not known.user_id:
                    known = change_lines.context(record) or known
            elif is_failed_update(record):
                failed = True
        except Exception:  # noqa: BLE001, S112 - a record that cannot be understood tells nothing
            continue
    return known._replace(outcome="failure") if failed else known
