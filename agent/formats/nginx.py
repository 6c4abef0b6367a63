"""nginx's access logs: the JSON one of `deploy/`, and the combined format that nginx writes as it comes."""

from __future__ import annotations

import re
from typing import Any

from agent.formats import clef
from agent.formats.format import NotUnderstood
from agent.formats.instants import epoch_minute, iso_instant, nginx_minute

# nginx escapes quotes and backslashes, so a quoted field ends at the next quote; a user name is not quoted
# and may hold anything else.
_COMBINED = re.compile(
    r"(\S+) \S+ ([^\"]*) \[(\d\d/[A-Za-z]{3}/\d{4}:\d\d:\d\d)(:[0-5]\d) ([+-]\d{4})\] "
    r'"([^"]*)" (\d{3}) (\d{1,18}|-) "([^"]*)" "([^"]*)"(?: (.*))?',
    re.ASCII,
)
_REQUEST = re.compile(r"([A-Z][A-Z_-]*) (.+) (HTTP/\d(?:\.\d)?)")
_ESCAPED = re.compile(rb"\\x([0-9A-Fa-f]{2})|\\([\"\\])")
_DIGITS = re.compile(r"[0-9]{1,18}")

_MS_PER_MINUTE = 60_000
_WHOLE = ("status", "bytes_sent")
_ABSENT_AS_DASH = ("remote_user", "referer", "user_agent")


def parse_combined(raw: bytes) -> dict[str, Any]:
    """Read one line of the combined format: the keys of the JSON format as far as it goes, `-` as empty.

    `@t` is UTC to the second. A request line that is not `METHOD uri PROTOCOL` is kept whole in `request`;
    what an extended format has after the user agent, in `extra`. Raises NotUnderstood for anything else.
    """
    found = _COMBINED.fullmatch(raw.decode("utf-8", "surrogateescape"))
    if found is None:
        raise NotUnderstood("no line of nginx's combined format")
    address, user, minute, seconds, zone, request, status, size, referer, agent, extra = found.groups()
    try:
        instant = f"{nginx_minute(minute, zone)}{seconds}Z"
    except ValueError:
        raise NotUnderstood("a time that is none") from None
    properties: dict[str, Any] = {
        "@t": instant,
        "remote_addr": _plain(address),
        "remote_user": _plain(user),
        "status": int(status),
        "bytes_sent": 0 if size == "-" else int(size),
        "referer": _plain(referer),
        "user_agent": _plain(agent),
    }
    parts = _REQUEST.fullmatch(request)
    if parts:
        properties["method"], uri, properties["protocol"] = parts.groups()
        properties["uri"] = _plain(uri)
    else:
        properties["request"] = _plain(request)
    if extra is not None:
        properties["extra"] = _plain(extra)
    return properties


def _plain(value: str) -> str:
    if value == "-":
        return ""
    if "\\" not in value and value.isascii():
        return value
    escaped = value.encode("utf-8", "surrogateescape")
    return _ESCAPED.sub(_unescaped, escaped).decode(errors="replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode("ascii")) if found[1] else found[2]


def parse_json(raw: bytes) -> dict[str, Any]:
    """Read one line of the JSON format: its keys, with `msec` (to the millisecond) or `time` as `@t` in UTC.

    A dash is empty, so that both formats say the same. A line whose times cannot be read keeps them and has
    no `@t`. Raises NotUnderstood for what is no JSON object.
    """
    properties = clef.parse(raw)
    take = properties.get
    instant = _instant(take("msec"), take("time"))
    if instant is not None:
        properties["@t"] = instant
        properties.pop("msec", None)
        properties.pop("time", None)
    if take("status").__class__ is str or take("bytes_sent").__class__ is str:
        for name in _WHOLE:
            digits = _DIGITS.fullmatch(str(take(name)))
            properties.update({name: int(digits[0])} if digits else {})
    if take("user_agent") == "-" or take("referer") == "-" or take("remote_user") == "-":
        properties.update((name, "") for name in _ABSENT_AS_DASH if take(name) == "-")
    return properties


def _instant(epoch_secs: Any, local: Any) -> str | None:  # noqa: ANN401 - any JSON value
    try:
        if epoch_secs is not None:
            minutes, within_ms = divmod(round(float(epoch_secs) * 1000), _MS_PER_MINUTE)
            return f"{epoch_minute(minutes)}:{within_ms // 1000:02d}.{within_ms % 1000:03d}Z"
    except (TypeError, ValueError, OverflowError):
        pass  # the other time says the same, to the second
    try:
        return iso_instant(local) if isinstance(local, str) else None
    except ValueError:
        return None
