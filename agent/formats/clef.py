"""One JSON object a line: Serilog's compact format (CLEF), and the trail of our own web UI."""

from __future__ import annotations

import json
from typing import Any

import orjson

from agent.formats.format import NotUnderstood


def parse(raw: bytes) -> dict[str, Any]:
    """Read one line into its properties, as they stand (`@t`, `@mt`, `@l`, `@x` … and the event's own).

    Invalid UTF-8 and lone surrogates become U+FFFD. Raises NotUnderstood for what is no JSON object.
    """
    try:
        properties = orjson.loads(raw)
    except orjson.JSONDecodeError:
        properties = _repaired(raw)
    if properties.__class__ is dict:
        return properties
    raise NotUnderstood("a JSON value that is no object")


def _repaired(raw: bytes) -> Any:  # noqa: ANN401 - any JSON value
    text = raw.decode(errors="replace")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if "\\ud" not in text and "\\uD" not in text:
            raise NotUnderstood("no JSON") from None
    # Python's own reader accepts a lone surrogate; written out and decoded with "replace", it is gone.
    try:
        loose = json.dumps(json.loads(text), ensure_ascii=False)
        return orjson.loads(loose.encode("utf-8", "surrogatepass").decode(errors="replace"))
    except (ValueError, RecursionError):
        raise NotUnderstood("no JSON") from None
