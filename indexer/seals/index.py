"""The index of seals, `<prefix>-seals`: append-only, under no alias and no pattern of the events."""

from __future__ import annotations

from indexer import assets, indices, mappings
from indexer.client import Client
from indexer.errors import PartitionError


def name(prefix: str) -> str:
    return f"{prefix}-{assets.SEALS}"


def prepare(client: Client, prefix: str) -> bool:
    """Create the index; True when it was created now. PartitionError when one is there that is not ours."""
    template = assets.seal_template(prefix)
    if indices.create(
        client, name(prefix), settings=template.settings, mappings=template.mappings, aliases={}
    ):
        return True
    fault = fault_of(client, prefix)
    if fault:
        raise PartitionError(fault)
    return False


def fault_of(client: Client, prefix: str) -> str:
    """Say in a sentence why the index must not hold seals, "" when it may; MissingError without one."""
    found = indices.look(client, name(prefix))[0]
    if not found.append_only:
        return f"index {found.name} is editable; SmartWMS Audit did not create it, so move it away"
    if mappings.compare(found.mappings, assets.seal_template(prefix).mappings).otherwise:
        return f"index {found.name} is mapped otherwise; move it away"
    return ""
