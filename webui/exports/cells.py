"""Events as rows of CSV (RFC 4180), safe to open in a spreadsheet. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from indexer.event import FIELDS
from indexer.search import StoredEvent

BOM: Final = b"\xef\xbb\xbf"
# A column has the name of its field, but for the time, which stands there twice: as the page shows it, and
# in UTC as precise as it was logged; and for before and after, which are told together.
TIMESTAMP: Final = "timestamp"
CHANGE: Final = "change"
_NOT_A_COLUMN: Final = frozenset({"@timestamp", "search", "change.before", "change.after"})
# The record as read is long and has lines of its own: behind all that a reader looks for.
_LAST: Final = ("labels", "error.stack_trace", "event.original")
FIELD_COLUMNS: Final = (
    *("event.category", "event.action", "event.outcome", "user.name", "user.email", "message"),
    *("entity.type", "entity.number", "entity.id"),
)
_OTHERS: Final = tuple(name for name in FIELDS if name not in {*_NOT_A_COLUMN, *FIELD_COLUMNS, *_LAST})
COLUMNS: Final = (TIMESTAMP, *FIELD_COLUMNS, CHANGE, *_OTHERS, *_LAST)

# What a spreadsheet would run as a formula if a cell began with it, in ASCII or in full width.
_RUNS: Final = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  they are meant
_PLAIN_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_BATCH_COUNT: Final = 500


def header(zone: ZoneInfo) -> list[str]:
    """Give the names of the columns; the first says its zone."""
    return [f"time ({zone.key})", *COLUMNS]


def csv_bytes(events: Iterable[StoredEvent], zone: ZoneInfo, *, bom: bool) -> Iterator[tuple[bytes, int]]:
    """Give the file in pieces, each with the number of events in it; UTF-8, CR LF."""
    lines: list[str] = []
    writer = csv.writer(_Lines(lines.append), lineterminator="\r\n")
    writer.writerow([defused(name) for name in header(zone)])
    yield (BOM if bom else b"") + lines.pop().encode(), 0
    for event in events:
        writer.writerow(cells(event, zone))
        if len(lines) == _BATCH_COUNT:
            yield "".join(lines).encode(), len(lines)
            lines.clear()
    if lines:
        yield "".join(lines).encode(), len(lines)


def ndjson_bytes(events: Iterable[StoredEvent]) -> Iterator[tuple[bytes, int]]:
    """Give each event as it is stored, a line each, nothing changed."""
    for event in events:
        yield orjson.dumps(event.document, option=orjson.OPT_APPEND_NEWLINE), 1


def table_bytes(header: Sequence[str], rows: Iterable[Sequence[str]], *, bom: bool) -> Iterator[bytes]:
    """Give a table of texts in pieces; UTF-8, CR LF."""
    lines: list[str] = []
    writer = csv.writer(_Lines(lines.append), lineterminator="\r\n")
    yield BOM if bom else b""
    for row in (header, *rows):
        writer.writerow([defused(text) for text in row])
        yield lines.pop().encode()


def cells(event: StoredEvent, zone: ZoneInfo) -> list[str]:
    """Give one event as its cells, defused."""
    document = event.document
    found = [local_time(event.moment, zone), str(document["@timestamp"])]
    found += [defused(_text(event.value(name))) for name in FIELD_COLUMNS]
    found.append(defused(change_text(event)))
    found += [defused(_text(event.value(name))) for name in (*_OTHERS, *_LAST)]
    return found


def local_time(moment: datetime, zone: ZoneInfo) -> str:
    """Give a time as people of the zone write it, with its offset: nobody has to guess in October."""
    return moment.astimezone(zone).isoformat(" ", timespec="milliseconds")


def change_text(event: StoredEvent, arrow: str = "->") -> str:
    """Give what changed as `field: before -> after; …`; empty on the side where there was nothing."""
    before, after = event.value("change.before") or {}, event.value("change.after") or {}
    both = bool(before) and bool(after)
    pieces = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if (both and old == new) or (old is None and new is None):
            continue
        pieces.append(
            f"{name}: {_text(old)} {arrow} {_text(new)}".replace(f":  {arrow}", f": {arrow}").rstrip()
        )
    return "; ".join(pieces)


def defused(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; plain numbers, also negative, stay numbers."""
    if text[:1] in _RUNS and text and not _PLAIN_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _text(value: Any) -> str:  # noqa: ANN401  whatever JSON lies there
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    if isinstance(value, list | Mapping | bool | int | float):
        return orjson.dumps(value).decode()
    return str(value)


class _Lines:
    """The file that csv.writer wants: it only takes lines."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self.write = take
