"""Events in words: what actions and entities are called, and values as people write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.names import GUID, Names

_ENTITIES: Final[Mapping[str, str]] = {
    "ApplicationUser": "user",
    "ApplicationRole": "role",
    "IdentityUserRole`1": "role of a user",
    "IdentityRoleClaim`1": "permission of a role",
    "SystemSetting": "setting",
}
# What is not seen, or turns around what stands after it: controls, zero-width characters, and directions that
# are forced on text (letters that are written from right to left need none of them).
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_WORDS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

PROVENANCE: Final[Mapping[str, tuple[str, str]]] = {
    "structured": (
        "structured log",
        (
            "Read from SmartWMS's structured (JSON) log. Each record stands in quotes of its own, "
            "so nothing a client sends can pose as a record."
        ),
    ),
    "text": (
        "text log",
        (
            "Read from SmartWMS's text log. SmartWMS prints addresses and names as the client sent them, so "
            "a client can try to forge a line. What looks forged is flagged, but a perfect forgery cannot be "
            "told apart: where it matters, compare with the web server's log, and prefer the structured log."
        ),
    ),
    "proxy": (
        "web server",
        (
            "Read from the log of the web server before SmartWMS. It knows address, path and answer of a "
            "request, but neither the user nor what was changed."
        ),
    ),
    "trail": (
        "this audit",
        "Written by this audit itself: what people searched, opened and exported here.",
    ),
}
FLAGS: Final[Mapping[str, str]] = {
    "bookkeeping": "A session kept alive, an agent's report or the like: nobody meant to change anything.",
    "redacted": "Secrets in the record were replaced before it was stored, equal ones alike.",
    "truncated": "The record was longer than is stored; what is left out cannot be searched.",
    "forged_suspect": "A part of the record looks like a line that a client forged.",
    "time_suspect": "The time printed on the record is impossible; it has the time of the record before it.",
    "unparsed": "The record could not be understood; it is kept as it was read.",
    "incomplete_request": "The line that ends the request was not found: whether it took effect is unknown.",
}


def plain(value: Any) -> Any:  # noqa: ANN401  whatever a template prints
    """Give a text with what nobody sees in it written out (`[U+202E]`); all else, and markup, as it is.

    Clients choose names and values: none of them may pass for another, or turn a sentence around.
    """
    if type(value) is not str:
        return value
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)


def humanised(name: str) -> str:
    """`status_changed` -> `status changed`."""
    return name.replace("_", " ")


def entity_name(entity_type: str) -> str:
    """`SalesOrderLine` -> `sales order line`."""
    if entity_type in _ENTITIES:
        return _ENTITIES[entity_type]
    return " ".join(_WORDS.findall(entity_type.partition("`")[0])).lower()


def sentence(words: str) -> str:
    """Give the words of a refusal as a sentence of a page."""
    return f"{words[:1].upper()}{words[1:]}."


def field_name(name: str) -> str:
    """`ReorderPoint` -> `Reorder point`."""
    words = " ".join(_WORDS.findall(name)) or name
    return words[:1].upper() + words[1:].lower()


def short_id(text: str) -> str:
    """Cut a GUID to its ends (the first digits tell the time it was made, many have them in common)."""
    return f"{text[:8]}…{text[-4:]}" if GUID.fullmatch(text) else text


def called(text: str, names: Names) -> str:
    """Give an id as it is called, and cut where nobody knows; any other text stays."""
    return names.get(text) or short_id(text)


def explained(text: str, names: Names) -> str:
    """Give an id with its name before it, where that is known."""
    return f"{names[text]} ({text})" if text in names else text


def reference_name(name: str) -> str:
    """`RoleId`, whose value is shown as a name -> `Role`."""
    return field_name(name).removesuffix(" id")


def value_text(value: Any, zone: ZoneInfo | None = None) -> str:  # noqa: ANN401  whatever JSON lies there
    """Give a value as text; None and empty text are empty. With a zone, moments are in it and in words."""
    if value is None:
        return ""
    if zone is not None and isinstance(value, str) and _MOMENT.fullmatch(value):
        return _moment_text(value, zone)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value_text(each) for each in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {value_text(each)}" for name, each in value.items())
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value)


def _moment_text(text: str, zone: ZoneInfo) -> str:
    try:
        local = datetime.fromisoformat(text).astimezone(zone)
    except (ValueError, OverflowError):
        return text
    return f"{local.day} {local:%b %Y, %H:%M:%S}"
