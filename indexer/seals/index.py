"""The index of seals, `<prefix>-seals`: append-only, under no alias and no pattern of the events."""

from __future__ import annotations

from indexer import assets, indices, mappings
from indexer.client import Client
from indexer.errors import MissingError, PartitionError


def name(prefix: str) -> str:
    return f"{prefix}-{assets.SEALS}"


def prepare(client: Client, prefix: str) -> bool:
    """Create the index; True when it was created now. PartitionError when one is there that is not ours.

    Where it is there already, it needs no right to create one.
    """
    template = assets.seal_template(prefix)
    created = False
    try:
        fault = fault_of(client, prefix)
    except MissingError:
        created = indices.create(
            client, name(prefix), settings=template.settings, mappings=template.mappings, aliases={}
        )
        fault = fault_of(client, prefix)
    if fault:
        raise PartitionError(fault)
    return created


def fault_of(client: Client, prefix: str) -> str:
    """Say in a sentence why the index must not hold seals, "" when it may; MissingError without one."""
    found = indices.look(client, name(prefix))[0]
    if not found.append_only:
        return f"index {found.name} is editable; SmartWMS Audit did not create it, so move it away"
    if mappings.compare(found.mappings, assets.seal_template(prefix).mappings).otherwise:
        return f"index {found.name} is mapped otherwise; move it away"
    return ""
