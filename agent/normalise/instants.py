"""Whether a record's time can be used, decided as the records are read, in the order of their file."""

from typing import Any, Final

from agent.normalise.local_time import UNDATED, utc_text

_SECOND: Final = 19
_LONGEST: Final = len("2026-11-23T06:26:39.123456789Z")
_REMEMBERED_COUNT: Final = 8192


class Instants:
    """Gives every record a usable time: its own, or its valid predecessor's. Never the clock's."""

    def __init__(self) -> None:
        self._seconds: set[str] = set()
        self._last: dict[bytes, str] = {}

    def last(self, identity: bytes) -> str:
        """The time of the last record of a file that had a usable one; empty when none had."""
        return self._last.get(identity, "")

    def seed(self, identity: bytes, time: str) -> None:
        """Go on as if the last usable time of a file had been this one; what is no time is passed over."""
        if utc_text(time) is not None:
            self._last[identity] = time

    def settle(self, record: dict[str, Any], identity: bytes) -> bool:
        """Make `record["@t"]` usable, UTC with a fraction of up to nine digits and `Z`.

        False when it had to be taken from another record; the printed one becomes a label.
        """
        printed = record.get("@t")
        # The hot path: a second that was understood before, `.`, digits (Serilog 7, nginx 3), `Z`.
        if (
            printed.__class__ is str
            and printed[:_SECOND] in self._seconds
            and printed[_SECOND : _SECOND + 1] == "."
            and printed[_SECOND + 1 : -1].isdigit()
            and printed[-1] == "Z"
            and len(printed) <= _LONGEST
            and printed.isascii()
        ):
            self._last[identity] = printed
            return True
        time = utc_text(printed)
        if time is None:
            if printed is not None:
                record["printed_time"] = printed
            record["@t"] = self._last.get(identity, UNDATED)
            return False
        if len(self._seconds) >= _REMEMBERED_COUNT:
            self._seconds.clear()
        self._seconds.add(time[:_SECOND])
        record["@t"] = self._last[identity] = time
        return True
