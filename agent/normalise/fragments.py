"""Parts of an event that repeat, kept as encoded JSON: who, from where, with what, on which server.

The hot path encodes each of them once and then only looks it up. Every function here is pure and its memory
bounded. A part begins with the comma that parts it from the one before, and is empty when there is nothing to
say.
"""

from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

import orjson

REMEMBERED_COUNT: Final = 4096
SORTED: Final = orjson.OPT_SORT_KEYS
_dumps: Final = orjson.dumps


def part(name: str, value: dict[str, Any] | str) -> bytes:
    """`,"name":{…}` with sorted keys; empty for an empty object or text."""
    return b',"%b":%b' % (name.encode(), orjson.dumps(value, option=SORTED)) if value else b""


def _said(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


class Origin(NamedTuple):
    """Who did something, and from where."""

    who: str
    """The name for a sentence; empty when the log does not know."""
    source: bytes
    user: bytes
    """`user` and `user_agent`."""


@lru_cache(REMEMBERED_COUNT)
def origin(user_id: str, name: str, email: str, address: str, agent: str) -> Origin:
    """The parts that one person at one place repeats."""
    for text in (user_id, name, email, address, agent):
        if not isinstance(text, str):
            raise TypeError("a name or address that is no text")
    user = part("user", _said(id=user_id, name=name, email=email)) + part("user_agent", _said(original=agent))
    return Origin(name or email or user_id, source(address), user)


def source(printed: str) -> bytes:
    """Where from: `ip` when the text is an address, else `address`, what was there instead."""
    try:
        address = ip_address(printed)
    except ValueError:
        return part("source", _said(address=printed))
    return part("source", {"ip": str(getattr(address, "ipv4_mapped", None) or address)})


def url(values: dict[str, str]) -> bytes:
    """Path, query and route, as far as they are known."""
    return part("url", {name: value for name, value in values.items() if value})


@lru_cache(REMEMBERED_COUNT)
def http(method: str, status: int) -> bytes:
    """Method and status of a request; 0 when the log does not say how it ended."""
    said: dict[str, Any] = {"request": {"method": method}}
    if status:
        said["response"] = {"status_code": status}
    return part("http", said)


@lru_cache(REMEMBERED_COUNT)
def what(category: str, action: str) -> bytes:
    """The first fields of `event`, without its braces."""
    return orjson.dumps({"action": action, "category": category})[1:-1]


@lru_cache(REMEMBERED_COUNT)
def outcome(value: str) -> bytes:
    """Field `outcome` of `event`."""
    return b',"outcome":%b' % orjson.dumps(value)


@lru_cache(REMEMBERED_COUNT)
def log(level: str, logger: str, source_name: str, file: str, format_name: str) -> bytes:
    """Where the record came from."""
    return part("log", _said(level=level, logger=logger, source=source_name, file=file, format=format_name))


@lru_cache(REMEMBERED_COUNT)
def tenant(tenant_id: str, class_name: str) -> bytes:
    """Whose it is and how long it is kept."""
    return part("tenant", {"id": tenant_id, "class": class_name})


@lru_cache(REMEMBERED_COUNT)
def local(hour: int, weekday: int, zone: str) -> bytes:
    """The time on the warehouse's wall."""
    return part("local", {"hour": hour, "weekday": weekday, "zone": zone})


def entity(kind: str, entity_id: str, number: str) -> bytes:
    """What was affected; `kind` is a name of the tables or of a .NET type."""
    if not kind:
        return b""
    said = b',"entity":{"id":%b' % _dumps(entity_id) if entity_id else b',"entity":{'
    if number:
        said += b',"number":%b' % _dumps(number) if entity_id else b'"number":%b' % _dumps(number)
    return said + (b',"type":%b}' if entity_id or number else b'"type":%b}') % _dumps(kind)


def error(printed: object) -> bytes:
    """An exception: its type and message from the first line, and all of it."""
    if not printed:
        return b""
    text = str(printed)
    first = text.partition("\n")[0].strip()
    kind, mark, message = first.partition(": ")
    if not mark:
        kind, message = "", first
    return part("error", _said(type=kind, message=message, stack_trace=text))
