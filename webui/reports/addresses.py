"""Where from, as groups of events say it: an IP address, or what the log had instead. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from indexer import grouping
from indexer.query import NONE, Json, address_network
from indexer.search import StoredEvent
from webui.matching import linkable
from webui.question import Question

FIELDS: Final = {"ip": "source.ip", "address": "source.address"}
Place = tuple[str, str]
"""An IP address, or else what stood there; both empty: nowhere."""


def where() -> dict[str, Json]:
    """Give the fields that say where from, to group by."""
    return {name: grouping.by(field) for name, field in FIELDS.items()}


def place(key: Mapping[str, Any]) -> Place:
    """Read where a group is from."""
    return key["ip"] or "", "" if key["ip"] else key["address"] or ""


def place_of(event: StoredEvent) -> Place:
    """Read where an event is from, the address as the store writes it."""
    ip = event.text(FIELDS["ip"])
    return address_network(ip) if ip else "", "" if ip else event.text(FIELDS["address"])


def text(found: Place) -> str:
    """Call it so that people know it."""
    return found[0] or found[1] or "no address in the log"


def asked(question: Question, found: Place) -> Question | None:
    """Narrow a question to one place; None when no address can ask for it."""
    ip, words = found
    if ip or not words:
        return question.only("ip", ip or NONE)
    try:
        address_network(words)
    except ValueError:
        return question.only("ip", words) if linkable("address", (words,)) else None
    # What looks like a network would be searched for as one.
    return None
