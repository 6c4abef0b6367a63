"""Whether a record's time can be used, decided as the records are read, in the order of their file."""

from typing import Any, Final

from agent.normalise.local_time import UNDATED, utc_text

_SERILOG_LENGTH: Final = 28
_SECOND: Final = 19
_REMEMBERED_COUNT: Final = 8192


class Instants:
    """Gives every record a usable time: its own, or that of the valid record before it in its file.

    Never the clock's.
    """

    def __init__(self) -> None:
        self._seconds: set[str] = set()
        self._last: dict[bytes, str] = {}

    def settle(self, record: dict[str, Any], identity: bytes) -> bool:
        """Make `record["@t"]` usable.

        False when it had to be taken from another record (the printed one becomes a label).
        """
        printed = record.get("@t")
        if (
            printed.__class__ is str
            and len(printed) == _SERILOG_LENGTH
            and printed[:_SECOND] in self._seconds
            and printed[19] == "."
            and printed[20:27].isdigit()
            and printed[27] == "Z"
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
