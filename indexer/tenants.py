"""All tenants, as one immutable copy for the agent, and the way they are written.

One document a tenant in `<prefix>-app-tenants`, and one, `directory`, that lists their ids with a revision
each (and the retention classes): an agent may read by id but not search, and re-reads only what has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from indexer import partitions
from indexer.classes import LONGEST, Classes
from indexer.client import Client
from indexer.documents import Documents, Stored
from indexer.errors import ConflictError, GarbledError, NotPreparedError, SettingsError
from indexer.plans import (
    CACHE_SECS,
    PlanEntry,
    Tenant,
    checked_days,
    checked_hours,
    checked_id,
    checked_zone,
    iso,
    next_hour,
    next_plans,
)

KIND: Final = "tenants"
# The document that is no tenant; ids of tenants are GUIDs.
DIRECTORY: Final = "directory"
UNKNOWN_ZONE: Final = "UTC"
# Plans change at full UTC hours, so that a class can be remembered by tenant and hour.
_HOUR_CHARS: Final = len("2026-11-23T06")
# Another administrator writes at the same moment at most a few times in a row.
_ATTEMPTS: Final = 5


class Tenants:
    """All tenants as they were at `loaded_at`. Immutable; cheap to ask millions of times."""

    def __init__(self, by_id: Mapping[str, Tenant], classes: Classes, loaded_at: datetime) -> None:
        self.by_id: Final = by_id
        self.classes: Final = classes
        self.loaded_at: Final = loaded_at
        self._histories: Final = {
            tenant.id: tuple((iso(entry.start)[:_HOUR_CHARS], entry) for entry in reversed(tenant.plans))
            for tenant in by_id.values()
        }

    def class_at(self, tenant_id: str, moment: str | datetime) -> str:
        """Return the retention class of an event of this tenant at its time.

        `moment` is a datetime or UTC ISO text, of which the first 13 characters ("2026-11-23T06") decide: the
        answer may be remembered by tenant and these. A tenant nobody told us about, and "-", have the
        longest.
        """
        entry = self._entry(tenant_id, moment)
        return LONGEST if entry is None else entry.plan

    def days_at(self, tenant_id: str, moment: str | datetime) -> int | None:
        """Return for how many days an event of this tenant and time is kept; None: until a person says so."""
        return self.days_of(self._entry(tenant_id, moment))

    def days_of(self, entry: PlanEntry | None) -> int | None:
        """Return for how many days a plan keeps (None: before the first): its own, or more if its class does.

        A partition goes as a whole, so its class's days are kept in any case, and late events belong there.
        """
        if entry is None:
            return self.classes[LONGEST].days
        days = self.classes[entry.plan].days
        return days if days is None else max(days, entry.days or 0)

    def is_erased(self, tenant_id: str) -> bool:
        """Say whether a tenant's events were removed for good: what still comes of it is not stored."""
        known = self.by_id.get(tenant_id)
        return known is not None and known.erased is not None

    def partition(self, prefix: str, tenant_id: str, moment: str) -> str:
        """Return the name of the partition of an event of this tenant at its time (UTC ISO text)."""
        class_name = self.class_at(tenant_id, moment)
        return partitions.partition_name(prefix, class_name, moment, self.classes[class_name].period)

    def settings(self, tenant_id: str) -> Tenant:
        """Return a tenant; one nobody told us about has its id for a name, UTC, all hours and no plans."""
        known = self.by_id.get(tenant_id)
        return known or Tenant(tenant_id, tenant_id, UNKNOWN_ZONE, "00:00-24:00", (), 0)

    def is_stale(self, now: datetime) -> bool:
        """Say whether this copy is too old to place events by."""
        return now - self.loaded_at >= timedelta(seconds=CACHE_SECS) or now < self.loaded_at

    @cached_property
    def final_before(self) -> str:
        """The hour ("2026-11-23T06") up to which this copy knows every plan that will ever be in force.

        Whatever is entered after `loaded_at` becomes effective later; so does the first plan of a new tenant,
        unless it is of the longest class, where the tenant is before it. An event of this hour or a later one
        (its clock ran ahead) must wait for a newer copy before it is placed.
        """
        return iso(next_hour(self.loaded_at + timedelta(seconds=CACHE_SECS)))[:_HOUR_CHARS]

    def _entry(self, tenant_id: str, moment: str | datetime) -> PlanEntry | None:
        history = self._histories.get(tenant_id)
        if history is None:
            return None
        text = moment if isinstance(moment, str) else iso(moment)
        for start, entry in history:
            # Longer text is greater than its own beginning, so "2026-11-23T06:00:00Z" >= "2026-11-23T06".
            if text >= start:
                return entry
        return None


def load(client: Client, prefix: str, *, now: datetime, previous: Tenants | None = None) -> Tenants:
    """Read all tenants, realtime; those that have not changed since `previous` are taken from it.

    `now` is the clock before reading. `NotPreparedError` until `audit-indexer apply` has run: without the
    tenants' plans, events would go to wrong partitions. Any other `StoreError` leaves `previous` good until
    it is stale.
    """
    documents = Documents(client, prefix, KIND)
    directory = _directory(documents).source
    known = previous.by_id if previous else {}
    by_id: dict[str, Tenant] = {}
    for tenant_id, revision in directory["revisions"].items():
        tenant = known.get(tenant_id)
        if tenant is None or tenant.revision != revision:
            tenant = _read(documents, tenant_id)
        # A listed tenant without a document is being written just now: its plan is not yet in force.
        if tenant is not None:
            by_id[tenant_id] = tenant
    return Tenants(by_id, Classes.from_source(directory["classes"]), now)


def put(  # noqa: PLR0913  a tenant has that many properties
    client: Client,
    prefix: str,
    tenant_id: str,
    *,
    name: str,
    zone: str,
    hours: str,
    plan: str,
    start: datetime | None,
    days: int | None,
    now: datetime,
) -> Tenant:
    """Create or change a tenant; a plan other than its last is appended to its history.

    `SettingsError` when an argument is wrong or would change where events already lie; `ConflictError` when
    somebody else changed this tenant at the same moment. See `plans.next_plans` for `start`.
    """
    tenant_id, zone, hours = checked_id(tenant_id), checked_zone(zone), checked_hours(hours)
    days = checked_days(plan, days)
    documents = Documents(client, prefix, KIND)
    directory = _directory(documents)
    stored = documents.get(tenant_id)
    before = Tenant.from_source(tenant_id, stored.source) if stored else None
    if before is not None and before.erased:
        raise SettingsError(f"tenant {tenant_id} was erased at {iso(before.erased)}; give it a new id")
    plans = next_plans(before.plans if before else (), plan, days, start, now)
    tenant = Tenant(tenant_id, name, zone, hours, plans, before.revision if before else 0)
    if tenant == before:
        return tenant
    tenant = replace(tenant, revision=tenant.revision + 1)
    # First the directory, then the document: an agent that reads in between keeps asking until it has both.
    _announce(documents, directory, tenant)
    source = tenant.to_source(now)
    if stored is None:
        documents.create(tenant_id, source)
    else:
        documents.replace(stored, source)
    return tenant


def mark_erased(client: Client, prefix: str, tenant_id: str, now: datetime) -> Tenant:
    """Say to every agent that nothing of a tenant is kept any more; once said, it stays so."""
    documents = Documents(client, prefix, KIND)
    directory = _directory(documents)
    stored = documents.get(tenant_id)
    before = Tenant.from_source(tenant_id, stored.source) if stored else None
    if before is None:
        before = Tenant(tenant_id, tenant_id, UNKNOWN_ZONE, "00:00-24:00", (), 0)
    if before.erased:
        return before
    tenant = replace(before, revision=before.revision + 1, erased=now)
    _announce(documents, directory, tenant)
    if stored is None:
        documents.create(tenant_id, tenant.to_source(now))
    else:
        documents.replace(stored, tenant.to_source(now))
    return tenant


def record_classes(client: Client, prefix: str, classes: Classes) -> bool:
    """Write the retention classes down, and a directory if there is none; True when something was changed."""
    documents = Documents(client, prefix, KIND)
    stored = documents.get(DIRECTORY)
    if stored is None:
        documents.create(DIRECTORY, {"classes": classes.to_source(), "revisions": {}})
        return True
    if stored.source["classes"] == classes.to_source():
        return False
    documents.replace(stored, {**stored.source, "classes": classes.to_source()})
    return True


def recorded_classes(client: Client, prefix: str) -> Classes | None:
    """Return the retention classes in force; None when none are written down yet."""
    try:
        directory = _directory(Documents(client, prefix, KIND))
    except NotPreparedError:
        return None
    return Classes.from_source(directory.source["classes"])


def _directory(documents: Documents) -> Stored:
    stored = documents.get(DIRECTORY)
    if stored is None:
        raise NotPreparedError(
            f"index {documents.index} has no directory of tenants; run `audit-indexer apply`"
        )
    match stored.source:
        case {"classes": dict(), "revisions": dict()}:
            return stored
    raise GarbledError(
        f"the directory of tenants in {documents.index} was answered with {str(stored.source)[:80]}, "
        "which is none; is a proxy in the way?"
    )


def _read(documents: Documents, tenant_id: str) -> Tenant | None:
    stored = documents.get(tenant_id)
    return Tenant.from_source(tenant_id, stored.source) if stored else None


def _announce(documents: Documents, directory: Stored, tenant: Tenant) -> None:
    """List a tenant's new revision."""
    for _ in range(_ATTEMPTS):
        revisions: dict[str, Any] = {**directory.source["revisions"], tenant.id: tenant.revision}
        try:
            documents.replace(directory, {**directory.source, "revisions": revisions})
        except ConflictError:
            directory = _directory(documents)
        else:
            return
    raise ConflictError(f"other tenants are being written all the time; set tenant {tenant.id} again")
