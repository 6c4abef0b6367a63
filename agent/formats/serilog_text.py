"""One record of SmartWMS's text log, read into the properties that its compact JSON would have."""

from __future__ import annotations

from typing import Any

import orjson

from agent.formats import clef
from agent.formats.format import NotUnderstood
from agent.formats.instants import serilog_minute
from agent.formats.messages import fill
from agent.formats.serilog_lines import HEAD, LEVELS, object_span

_INFORMATION = b"INF"


def parse(raw: bytes) -> dict[str, Any]:
    """Read one record: `@t` in UTC to the millisecond, `@l` unless Information, `@m` as rendered, `@x`.

    The other keys are those of the printed object and what the message consumed. Invalid UTF-8 becomes
    U+FFFD. Raises NotUnderstood where head or object is missing or broken; `known` then has what the head
    said.
    """
    head = HEAD.match(raw)
    if head is None:
        raise NotUnderstood("no head with time, zone and level")
    minute, seconds, zone, level = head.groups()
    try:
        instant = f"{serilog_minute(minute, zone)}{seconds.decode('ascii')}Z"
    except ValueError:
        raise NotUnderstood("a head whose time is none") from None
    span = object_span(raw, head.end() - 1, len(raw))
    found = _object(raw, *span) if span else None
    if found is None or span is None:
        known = {"@t": instant} if level == _INFORMATION else {"@t": instant, "@l": LEVELS[level]}
        raise NotUnderstood("no sound property object", known)
    start, properties = found
    message = raw[head.end() : start - 1].decode(errors="replace")
    fill(properties, message)
    properties["@t"] = instant
    properties["@m"] = message
    if level != _INFORMATION:
        properties["@l"] = LEVELS[level]
    exception = raw[span[1] :].removeprefix(b"\r").removeprefix(b"\n") if span[1] < len(raw) else b""
    if exception.strip():
        properties["@x"] = exception.decode(errors="replace")
    return properties


def _object(raw: bytes, start: int, stop: int) -> tuple[int, dict[str, Any]] | None:
    """Read the object that ends at `stop`, and say where it begins.

    Serilog prints no blank before an inner brace and escapes the quotes in strings. So what is sound JSON
    from the first ` {"` of the line is the object; and if a message with braces came before, the last ` {"`
    begins it.
    """
    try:
        return start, orjson.loads(raw[start:stop])
    except orjson.JSONDecodeError:
        start = max(start, raw.rfind(b' {"', start, stop) + 1)
    try:
        return start, clef.parse(raw[start:stop])
    except NotUnderstood:
        return None
