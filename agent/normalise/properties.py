"""Properties of records as the events need them, whatever JSON they hold."""

import re
from functools import lru_cache
from typing import Any, Final

import orjson

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TENANT_COUNT: Final = 10_000


def text_of(value: object) -> str:
    """A property as text; null is the empty text, lists and objects are JSON."""
    if value.__class__ is str:
        return value
    if value is None:
        return ""
    return orjson.dumps(value).decode()


def tenant_of(value: object) -> str:
    """A tenant as its lower-case GUID; an empty text for what is none."""
    return _tenant(value) if isinstance(value, str) else ""


@lru_cache(_TENANT_COUNT)
def _tenant(text: str) -> str:
    lowered = text.lower()
    return lowered if _GUID.fullmatch(lowered) else ""


def text_in(values: object, name: str) -> str:
    """One value of an object, as text; empty where there is no object."""
    return text_of(values.get(name)) if isinstance(values, dict) else ""


def url_part(path: object) -> bytes:
    """Part `url` of a line that knows only its request's path."""
    return b',"url":{"path":%b}' % orjson.dumps(path) if path.__class__ is str else b""


def request_part(
    request_id: object, correlation_id: object, connection_id: object, labels: dict[str, Any]
) -> bytes:
    """Part `request`; what only repeats the request's id is no label."""
    if request_id.__class__ is str and request_id:
        if correlation_id is not None and correlation_id != request_id:
            labels["CorrelationId"] = correlation_id
        # Kestrel numbers the requests of a connection: `0HNQ95ATOEJFD:00000001`.
        if connection_id is not None and not (
            connection_id.__class__ is str and request_id.startswith(connection_id)
        ):
            labels["ConnectionId"] = connection_id
        return b',"request":{"id":%b}' % orjson.dumps(request_id)
    names = ("RequestId", "CorrelationId", "ConnectionId")
    given = zip(names, (request_id, correlation_id, connection_id), strict=True)
    labels.update((name, value) for name, value in given if value is not None)
    return b""
