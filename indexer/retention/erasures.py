"""Erasures of whole tenants, in `<prefix>-app-erasures`: asked for by one person, confirmed by another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from indexer import tenants
from indexer.client import Client
from indexer.documents import Documents, Stored
from indexer.errors import PermanentError, SettingsError
from indexer.plans import checked_id
from indexer.query import iso
from indexer.retention import holds, schedule
from indexer.retention.persons import same_person

KIND: Final = "erasures"


@dataclass(frozen=True, slots=True)
class Erasure:
    """One tenant's: who asked for it and why, who confirmed it, whether it is done."""

    tenant: str
    reason: str
    requested_by: str
    requested: datetime
    confirmed_by: str = ""
    confirmed: datetime | None = None
    finished: datetime | None = None
    removed_count: int = 0

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed is not None

    @property
    def sentence(self) -> str:
        """What its certificates say of it."""
        return f"{self.reason} (asked for by {self.requested_by}, confirmed by {self.confirmed_by})"

    def to_source(self) -> dict[str, Any]:
        """Write as JSON, for the store."""
        return {
            "tenant": self.tenant,
            "reason": self.reason,
            "requested_by": self.requested_by,
            "requested": iso(self.requested),
            "confirmed_by": self.confirmed_by,
            "confirmed": None if self.confirmed is None else iso(self.confirmed),
            "finished": None if self.finished is None else iso(self.finished),
            "removed_count": self.removed_count,
        }

    @classmethod
    def from_source(cls, source: Mapping[str, Any]) -> Erasure:
        """Read what `to_source` wrote; `PermanentError` when it is something else."""

        def moment(name: str) -> datetime | None:
            return None if source[name] is None else datetime.fromisoformat(source[name])

        try:
            return cls(
                source["tenant"],
                source["reason"],
                source["requested_by"],
                datetime.fromisoformat(source["requested"]),
                source["confirmed_by"],
                moment("confirmed"),
                moment("finished"),
                source["removed_count"],
            )
        except (LookupError, TypeError, ValueError) as error:
            raise PermanentError(f"an erasure is not readable: {error!r}") from error


def all(client: Client, prefix: str) -> list[Erasure]:  # noqa: A001  read as erasures.all
    """Return every erasure, the newest first."""
    found = Documents(client, prefix, KIND).find(sort=[{"requested": "desc"}])
    return [Erasure.from_source(each.source) for each in found]


def get(client: Client, prefix: str, tenant_id: str) -> Erasure | None:
    """Return a tenant's erasure; None where nobody asked for it."""
    stored = Documents(client, prefix, KIND).get(checked_id(tenant_id))
    return Erasure.from_source(stored.source) if stored else None


def request(client: Client, prefix: str, tenant_id: str, *, reason: str, by: str, now: datetime) -> Erasure:
    """Ask for an erasure; nothing is erased yet. `SettingsError` while a hold is in force."""
    tenant_id = checked_id(tenant_id)
    _refuse_held(client, prefix, tenant_id)
    documents = Documents(client, prefix, KIND)
    if documents.get(tenant_id) is not None:
        raise SettingsError(f"the erasure of tenant {tenant_id} was asked for already")
    made = Erasure(tenant_id, holds.checked_reason(reason), by, now)
    documents.create(tenant_id, made.to_source())
    return made


def confirm(client: Client, prefix: str, tenant_id: str, *, by: str, now: datetime) -> Erasure:
    """Confirm an erasure: from now on the agents store nothing of the tenant.

    `SettingsError` for who asked for it: that needs a second person. Twice is as once.
    """
    documents, stored = _stored(client, prefix, tenant_id)
    found = Erasure.from_source(stored.source)
    if not found.is_confirmed:
        _refuse_held(client, prefix, found.tenant)
        if same_person(found.requested_by, by):
            raise SettingsError(
                f"{found.requested_by} asked for the erasure of tenant {found.tenant}; "
                "it is for a second person to confirm it"
            )
        found = replace(found, confirmed_by=by, confirmed=now)
        documents.replace(stored, found.to_source())
    tenants.mark_erased(client, prefix, found.tenant, now)
    return found


def withdraw(client: Client, prefix: str, tenant_id: str) -> Erasure:
    """Take back what was asked for; `SettingsError` once it is confirmed."""
    documents, stored = _stored(client, prefix, tenant_id)
    found = Erasure.from_source(stored.source)
    if found.is_confirmed:
        raise SettingsError(f"the erasure of tenant {found.tenant} is confirmed; its events are going")
    documents.delete(stored)
    return found


def save(client: Client, prefix: str, erasure: Erasure) -> None:
    """Write down how far it is."""
    documents, stored = _stored(client, prefix, erasure.tenant)
    documents.replace(stored, erasure.to_source())


def _stored(client: Client, prefix: str, tenant_id: str) -> tuple[Documents, Stored]:
    documents = Documents(client, prefix, KIND)
    stored = documents.get(checked_id(tenant_id))
    if stored is None:
        raise SettingsError(f"nobody asked for the erasure of tenant {tenant_id}")
    return documents, stored


def _refuse_held(client: Client, prefix: str, tenant_id: str) -> None:
    if schedule.active(holds.all(client, prefix, tenant_id)):
        raise SettingsError(f"tenant {tenant_id} is on legal hold: nothing of it may be erased")
