"""A copy: the index that holds what is kept of another one. What it is called, what it says of itself."""

from __future__ import annotations

import hashlib
from typing import Final

from indexer import indices, partitions
from indexer.classes import HOLD
from indexer.client import Client
from indexer.errors import MissingError, RefusedError
from indexer.indices import Index
from indexer.retention.alarms import AlarmError
from indexer.retention.certificate import Kind
from indexer.retention.schedule import Due

_MARK_CHARS: Final = 8
_TIMEOUT_SECS: Final = 120.0
REPLICAS_SECS: Final = 600


def copy_of(index: Index) -> str:
    """Return the UUID of the index that this one is made of; empty where it is none of ours."""
    return str(index.mappings.get("_meta", {}).get("copy_of", ""))


def promised(index: Index) -> dict[str, int]:
    """Return for how many days an index was carried over, by tenant."""
    return dict(index.mappings.get("_meta", {}).get("promised", {}))


def drop(client: Client, name: str, alias: str) -> None:
    """Delete what a killed run has copied; what is in the alias is no such thing, and stays."""
    try:
        found = indices.look(client, name)[0]
    except MissingError:
        return
    if alias in found.aliases or not copy_of(found):
        raise AlarmError("not-ours", f"index {name} is in the way: it is not what a killed run has left")
    client.request("DELETE", f"/{name}", timeout_secs=_TIMEOUT_SECS)


def name_of(index: Index, due: Due, kind: Kind) -> str:
    # Of the index's UUID: a run that begins anew finds what the one before it left.
    mark = hashlib.sha256(index.uuid.encode()).hexdigest()[:_MARK_CHARS]
    class_name = due.partition.class_name if kind is Kind.ERASURE else HOLD
    return partitions.copy_name(due.partition, class_name, mark)


def wait_for_replicas(client: Client, name: str) -> None:
    """Wait until a copy lies on as many nodes as it shall: the original has that, too."""
    asked = {"wait_for_status": "green", "timeout": f"{REPLICAS_SECS}s"}
    try:
        client.request("GET", f"/_cluster/health/{name}", params=asked, timeout_secs=REPLICAS_SECS + 30)
    except RefusedError as error:
        raise AlarmError("copy-differs", f"{name} has no replica yet: {error}") from error


def names_of(index: Index, due: Due, alias: str) -> list[str]:
    """The names by which writers may still have events for it, and by which a resend finds its twin."""
    if not due.is_written:
        return []
    return sorted((index.aliases - {alias}) | (set() if due.partition.is_copy else {index.name}))


def kept_promises(index: Index, due: Due, kind: Kind) -> dict[str, int]:
    """An erasure changes nothing of how long the others' events are kept."""
    if kind is not Kind.ERASURE:
        return {}
    tenants = {keep.tenant for keep in due.keeps}
    return {tenant: days for tenant, days in promised(index).items() if tenant in tenants}
