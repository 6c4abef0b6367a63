"""Where a reader stands in a list of events: a signed text that opens only for its own scope and question."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import orjson

from indexer.query import Scope, Window, iso

Direction = Literal["older", "newer"]

_SIGNATURE_BYTES: Final = 16
_VERSION: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CursorError(ValueError):
    """A text that was not sealed here, for this scope and this question."""


@dataclass(frozen=True, slots=True)
class Position:
    """The place of an event in the one order of all events: time in nanoseconds since 1970, then id."""

    nanos: int
    event_id: str


def position_of(moment: datetime) -> Position:
    """Give the place just above every event of that moment or before it."""
    # No character of an id (base64url) comes after "~".
    return Position(round((moment - _EPOCH) / timedelta(microseconds=1)) * 1000 + 999, "~")


@dataclass(frozen=True, slots=True)
class Cursor:
    """What comes next: events older or newer than a position, in the window as it was on the first page."""

    position: Position
    direction: Direction
    window: Window


class Cursors:
    """Seals and opens cursors with a key that only the servers know."""

    def __init__(self, key: bytes) -> None:
        """`key`: at least 32 bytes."""
        self._key = hashlib.sha256(b"cursor\0" + key).digest()

    def seal(self, cursor: Cursor, scope: Scope, question: str) -> str:
        """Make the text (URL-safe). `question` is the rest of the filter, which it must not leave either."""
        start, end = cursor.window.start, cursor.window.end
        payload = orjson.dumps(
            [
                _VERSION,
                cursor.direction,
                cursor.position.nanos,
                cursor.position.event_id,
                iso(start) if start else None,
                iso(end) if end else None,
            ]
        )
        return base64.urlsafe_b64encode(self._sign(payload, scope, question) + payload).decode().rstrip("=")

    def open(self, text: str, scope: Scope, question: str) -> Cursor:
        """Read a text back; CursorError when it is not ours, or was made for another scope or question."""
        try:
            raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            raise CursorError("no cursor") from None
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(payload, scope, question)):
            raise CursorError("a cursor of another scope or question, or none of ours")
        version, direction, nanos, event_id, start, end = orjson.loads(payload)
        if version != _VERSION:
            raise CursorError("a cursor of another version")
        return Cursor(Position(nanos, event_id), direction, Window(_moment(start), _moment(end)))

    def stamp(self, scope: Scope, question: str) -> str:
        """Make a proof that this scope has already asked this question here."""
        return base64.urlsafe_b64encode(self._sign(b"stamp", scope, question)).decode().rstrip("=")

    def stamped(self, text: str, scope: Scope, question: str) -> bool:
        """Whether `text` is that proof."""
        return hmac.compare_digest(text.encode(), self.stamp(scope, question).encode())

    def _sign(self, payload: bytes, scope: Scope, question: str) -> bytes:
        # Lengths go first, so that no part can borrow bytes from its neighbour.
        parts = [(scope.tenant_id or "*").encode(), question.encode(), payload]
        message = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.digest(self._key, message, "sha256")[:_SIGNATURE_BYTES]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
