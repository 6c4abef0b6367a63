"""Decides what of a partition is kept, and until when. Pure: it looks at nothing and changes nothing.

An index goes when its whole period is older than its class. What is kept of it then has a reason, by tenant:
a plan that keeps longer (the one in force at the events' time, the one in force now, or one that was entered
for later), or a legal hold. `docs/decisions/12-carrying-over.md` says why it goes where it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from indexer.classes import HOLD, LONGEST
from indexer.partitions import Partition
from indexer.plans import PlanEntry
from indexer.query import Json
from indexer.retention.hold import Hold, clause_of
from indexer.tenants import Tenants

BY_PLAN: Final = "plan"
BY_HOLD: Final = "hold"
OTHER_TENANT: Final = "other tenant"


@dataclass(frozen=True, slots=True)
class Keep:
    """Events of one tenant that stay: those of `clause`, because of `reason`."""

    tenant: str
    reason: str
    clause: Json
    days: int | None = None
    """For how long in all, where it is the plan that keeps them."""
    is_whole: bool = True
    """Whether it is everything of this tenant."""


@dataclass(frozen=True, slots=True)
class Due:
    """An index whose time is over, with what is kept of it; writers may still have events for `partition`."""

    partition: Partition
    keeps: tuple[Keep, ...]
    is_written: bool


def class_end(partition: Partition, tenants: Tenants) -> datetime | None:
    """Return when a partition's time is over, as far as its class decides; None where it is never so."""
    days = tenants.classes[partition.class_name].days
    return None if days is None else partition.end + timedelta(days=days)


def kept_days(partition: Partition, tenant_id: str, tenants: Tenants, now: datetime) -> int:
    """Return for how many days after its period a tenant's events in this partition are kept by a plan."""
    found = [_days(entry, tenants) for entry in _placing(partition, tenant_id, tenants)]
    found += [_days(entry, tenants) for entry in _current(tenant_id, tenants, now)]
    own = tenants.classes[partition.class_name].days
    return max(found if own is None else [*found, own])


def decide(
    partition: Partition,
    tenant_ids: Iterable[str],
    tenants: Tenants,
    holds: Sequence[Hold],
    now: datetime,
    *,
    promised: Mapping[str, int] | None = None,
    since: datetime | None = None,
) -> Due | None:
    """Return what is kept of an index whose time is over; None while its class keeps all of it.

    `tenant_ids` are those with events in it; `promised` are days for which it was carried over, by tenant;
    `since` is the moment from which days count, the end of its period by default.
    """
    since = since or partition.end
    own = tenants.classes[partition.class_name].days
    if own is not None and now < since + timedelta(days=own):
        return None
    keeps: list[Keep] = []
    is_written = False
    for tenant_id in sorted(tenant_ids):
        mine: Json = {"term": {"tenant.id": tenant_id}}
        days = max(kept_days(partition, tenant_id, tenants, now), (promised or {}).get(tenant_id, 0))
        # A plan has no claim on what was to be erased; a hold has.
        if now < since + timedelta(days=days) and not tenants.is_erased(tenant_id):
            keeps.append(Keep(tenant_id, BY_PLAN, mine, days))
            is_written = is_written or _is_written(partition, tenant_id, tenants, now)
            continue
        mine_held = [hold for hold in holds if hold.tenant == tenant_id and hold.touches(partition)]
        if any(hold.covers_period(partition) for hold in mine_held):
            keeps.append(Keep(tenant_id, BY_HOLD, mine))
        elif mine_held:
            any_of = clause_of(tenant_id, mine_held, partition)
            keeps.append(Keep(tenant_id, BY_HOLD, any_of, is_whole=False))
    return Due(partition, tuple(keeps), is_written)


def without(partition: Partition, tenant_ids: Iterable[str], erased: str) -> Due:
    """Return the erasure of one tenant from an index: everybody else's events stay, and may be written to."""
    keeps = (
        Keep(tenant_id, OTHER_TENANT, {"term": {"tenant.id": tenant_id}})
        for tenant_id in sorted(tenant_ids)
        if tenant_id != erased
    )
    return Due(partition, tuple(keeps), is_written=True)


def active(holds: Iterable[Hold]) -> list[Hold]:
    """Return the holds that are in force."""
    return [hold for hold in holds if hold.released is None]


def _days(entry: PlanEntry | None, tenants: Tenants) -> int:
    return tenants.days_of(entry) or 0


def _placing(partition: Partition, tenant_id: str, tenants: Tenants) -> list[PlanEntry | None]:
    """The plans by which this tenant's events may have come into this partition; None: before its first."""
    plans = tenants.settings(tenant_id).plans
    found: list[PlanEntry | None] = [
        entry
        for number, entry in enumerate(plans)
        if entry.start < partition.end
        and (number + 1 == len(plans) or plans[number + 1].start > partition.start)
    ]
    if not plans or plans[0].start > partition.start:
        found.append(None)
    if partition.class_name == HOLD:
        return found
    return [entry for entry in found if (LONGEST if entry is None else entry.plan) == partition.class_name]


def _current(tenant_id: str, tenants: Tenants, now: datetime) -> list[PlanEntry | None]:
    """The plan in force, and what was entered for later; None: before the first."""
    tenant = tenants.settings(tenant_id)
    return [tenant.plan_at(now), *(entry for entry in tenant.plans if entry.start > now)]


def _is_written(partition: Partition, tenant_id: str, tenants: Tenants, now: datetime) -> bool:
    """Whether an agent would still store an event of this tenant and period: then a resend finds its twin."""
    return any(
        now < partition.end + timedelta(days=_days(entry, tenants))
        for entry in _placing(partition, tenant_id, tenants)
    )
