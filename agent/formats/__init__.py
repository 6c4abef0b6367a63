"""From bytes to records: where a record begins and ends in a file, and what its properties are."""

from agent.formats.format import Format, NotUnderstood
from agent.formats.framing import MAX_RECORD_BYTES, Framer
from agent.formats.registry import UnknownFormatError, format_named

__all__ = [
    "MAX_RECORD_BYTES",
    "Format",
    "Framer",
    "NotUnderstood",
    "UnknownFormatError",
    "format_named",
]
