"""All legal holds, in `<prefix>-app-holds`: placed by one person, released by another, never deleted."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Final

from indexer.client import Client
from indexer.documents import Documents, Stored
from indexer.errors import SettingsError
from indexer.plans import checked_id, iso
from indexer.retention.hold import Hold
from indexer.retention.persons import same_person

KIND: Final = "holds"
MAX_REASON_CHARS: Final = 500


def all(client: Client, prefix: str, tenant_id: str | None = None) -> list[Hold]:  # noqa: A001
    """Return every hold, of one tenant or of all, the newest first; released ones included."""
    query = None if tenant_id is None else {"term": {"tenant": checked_id(tenant_id)}}
    found = Documents(client, prefix, KIND).every(query)
    read = (Hold.from_source(each.id, each.source) for each in found)
    return sorted(read, key=lambda each: each.placed, reverse=True)


def place(  # noqa: PLR0913  a hold has that many properties
    client: Client,
    prefix: str,
    tenant_id: str,
    *,
    reason: str,
    by: str,
    now: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
    entity_type: str = "",
    entity_id: str = "",
) -> Hold:
    """Place a hold; `SettingsError` when an argument is wrong. The same once more is a hold of its own."""
    if start and end and start >= end:
        raise SettingsError(f"--to {iso(end)} does not lie after --from {iso(start)}")
    hold = Hold(
        id=uuid.uuid4().hex,
        tenant=checked_id(tenant_id),
        reason=checked_reason(reason),
        placed_by=by,
        placed=now,
        start=start,
        end=end,
        entity_type=entity_type.strip(),
        entity_id=entity_id.strip(),
    )
    Documents(client, prefix, KIND).create(hold.id, hold.to_source())
    return hold


def release(
    client: Client,
    prefix: str,
    tenant_id: str,
    *,
    reason: str,
    by: str,
    now: datetime,
    hold_id: str | None = None,
) -> list[Hold]:
    """Release one hold of a tenant, or all; `SettingsError` for who placed it: that needs a second person."""
    tenant_id, reason = checked_id(tenant_id), checked_reason(reason)
    documents = Documents(client, prefix, KIND)
    chosen = _in_force(documents, tenant_id, hold_id)
    for hold, _ in chosen:
        if same_person(hold.placed_by, by):
            raise SettingsError(
                f"hold {hold.id} was placed by {hold.placed_by}; it is for a second person to release it"
            )
    released = []
    for hold, stored in chosen:
        done = replace(hold, released=now, released_by=by, release_reason=reason)
        documents.replace(stored, done.to_source())
        released.append(done)
    return released


def checked_reason(reason: str) -> str:
    """Return a reason; `SettingsError` when there is none, or a story."""
    found = " ".join(reason.split())
    if not found or len(found) > MAX_REASON_CHARS:
        raise SettingsError(f"a reason has 1 to {MAX_REASON_CHARS} characters; this one has {len(found)}")
    return found


def _in_force(documents: Documents, tenant_id: str, hold_id: str | None) -> list[tuple[Hold, Stored]]:
    found = documents.every({"term": {"tenant": tenant_id}})
    read = [(Hold.from_source(each.id, each.source), each) for each in found]
    chosen = [each for each in read if each[0].released is None and hold_id in {None, each[0].id}]
    if not chosen:
        which = f"hold {hold_id} of tenant" if hold_id else "hold of tenant"
        raise SettingsError(f"there is no {which} {tenant_id} in force; `tenants holds` lists them")
    return chosen
