"""What is kept and until when, and what goes next: for the command and for every page. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from indexer import indices, partitions
from indexer.classes import RetentionClass
from indexer.client import Client
from indexer.partitions import DAY, Partition
from indexer.plans import Tenant
from indexer.retention import schedule
from indexer.tenants import Tenants

RUNS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """What a tenant's plan keeps now: events back to `since`, one of now until `until`; None: no end."""

    tenant: Tenant
    plan: str
    days: int | None
    since: datetime | None
    until: datetime | None
    following: tuple[tuple[str, datetime], ...]
    """Plans that were entered for later, with the moment from which each will hold."""


@dataclass(frozen=True, slots=True)
class ClassKept:
    """The partitions of a class: how many, how much, and which goes when."""

    retention: RetentionClass
    partition_count: int
    event_count: int
    size_bytes: int
    oldest: datetime | None
    next_end: datetime | None
    """When the oldest one's time is over; None where it never is, or where there is none."""


def kept(known: Tenants, tenant: Tenant, now: datetime) -> Kept:
    """Ask what enforces it: the plans and classes by which agents place events and retention deletes them.

    A partition goes as a whole: `until` is when the one of now does, `since` begins the oldest not due.
    """
    plan, days = known.class_at(tenant.id, now), known.days_at(tenant.id, now)
    period = known.classes[plan].period
    keeping = None if days is None else timedelta(days=days)
    return Kept(
        tenant,
        plan,
        days,
        None if keeping is None else _period(plan, period, now - keeping).start,
        None if keeping is None else _period(plan, period, now).end + keeping,
        tuple((entry.plan, entry.start) for entry in tenant.plans if entry.start > now),
    )


def classes(client: Client, prefix: str, known: Tenants) -> list[ClassKept]:
    """Count what there is, by class."""
    pattern = partitions.pattern(prefix)
    sizes = client.request("GET", f"/{pattern}/_stats/docs,store").json["indices"]
    by_class: dict[str, list[Partition]] = {}
    for index in indices.look(client, pattern):
        partition = partitions.parse(index.name)
        if partition is not None:
            by_class.setdefault(partition.class_name, []).append(partition)
    return [_sum_up(known, each, by_class.get(each.name, []), sizes) for each in known.classes]


def _sum_up(
    known: Tenants,
    retention: RetentionClass,
    found: Iterable[Partition],
    sizes: dict[str, dict[str, dict[str, dict[str, int]]]],
) -> ClassKept:
    ordered = sorted(found, key=lambda each: each.start)
    # A closed index has no numbers.
    numbers = [sizes[each.name]["primaries"] for each in ordered if each.name in sizes]
    return ClassKept(
        retention,
        len(ordered),
        sum(each["docs"]["count"] for each in numbers),
        sum(each["store"]["size_in_bytes"] for each in numbers),
        ordered[0].start if ordered else None,
        schedule.class_end(ordered[0], known) if ordered else None,
    )


def _period(class_name: str, period: str, moment: datetime) -> Partition:
    found = partitions.parse(partitions.partition_name("x", class_name, moment.date().isoformat(), period))
    if found is None:
        raise ValueError(f"{moment} has no {period or DAY}")
    return found
