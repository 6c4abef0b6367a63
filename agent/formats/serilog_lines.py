"""The landmarks of SmartWMS's text log: the head that opens a record, the object that ends its message.

The template is `{Timestamp:yyyy-MM-dd HH:mm:ss.fff zzz} [{Level:u3}] {Message:lj} {Properties:j}{NewLine}`,
then `{Exception}`. Every record prints its object, `{}` if there is nothing in it, at the end of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

LEVELS = {
    b"VRB": "Verbose",
    b"DBG": "Debug",
    b"INF": "Information",
    b"WRN": "Warning",
    b"ERR": "Error",
    b"FTL": "Fatal",
}

_DAY_AND_MINUTE = rb"\d{4}-\d\d-\d\d \d\d:\d\d"
_SECONDS = rb":[0-5]\d\.\d{3}"
_ZONE = rb"[+-]\d\d:\d\d"
_LEVEL = b"|".join(LEVELS)

HEAD = re.compile(rb"(%b)(%b) (%b) \[(%b)\] " % (_DAY_AND_MINUTE, _SECONDS, _ZONE, _LEVEL))
"""Minute, seconds, zone, level."""

_LINE_HEAD = rb"(%b%b (?:%b )?\[(?:%b)\] )" % (_DAY_AND_MINUTE, _SECONDS, _ZONE, _LEVEL)
_FIRST_HEAD = re.compile(_LINE_HEAD)
_LATER_HEADS = re.compile(b"\n" + _LINE_HEAD)
_ZONED_HEAD_BYTES = len("2026-11-23 07:26:35.363 +01:00 [INF] ")

_CARRIAGE_RETURN = 0x0D
_BRACE = 0x7D


def line_heads(lines: bytes) -> Iterator[tuple[int, bool]]:
    """Find the heads at the start of lines: where, and whether with a time zone (a forger may not)."""
    first = _FIRST_HEAD.match(lines)
    later = _LATER_HEADS.finditer(lines)
    for found in chain((first,), later) if first else later:
        start, end = found.span(1)
        yield start, end - start == _ZONED_HEAD_BYTES


def object_span(text: bytes, begin: int, end: int) -> tuple[int, int] | None:
    """Find the first line within `text[begin:end]` that ends with a property object; linear in its length.

    Gives its end and its first possible beginning: only the outline is looked at (` {"`, then `":`, then `}`
    at the end of the line, or ` {}`), so a message with JSON in it may begin the span too early.
    """
    while begin < end:
        line_end = text.find(b"\n", begin, end)
        if line_end < 0:
            line_end = end
        stop = line_end
        if stop > begin and text[stop - 1] == _CARRIAGE_RETURN:
            stop -= 1
        if stop > begin and text[stop - 1] == _BRACE:
            if text.endswith(b" {}", begin, stop):
                return stop - 2, stop
            start = text.find(b' {"', begin, stop)
            if start >= 0 and text.find(b'":', start + 3, stop) >= 0:
                return start + 1, stop
        begin = line_end + 1
    return None
