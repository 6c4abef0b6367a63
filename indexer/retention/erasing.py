"""Removes every event of one tenant: the indices it is in are made anew, with everybody else's events.

A resend of another tenant's event still finds its twin, because the new index takes over the name by which
writers know the partition. Agents learn of an erasure as they learn of plans; what one still writes by an
older copy of them is found by the next pass, and only a pass that finds nothing after that ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from indexer import indices, partitions, tenants
from indexer.client import Client
from indexer.indices import Index
from indexer.plans import CACHE_SECS, WRITE_SECS
from indexer.query import Json
from indexer.retention import certificates, contents, erasures, holds, replacement, schedule, trouble
from indexer.retention.alarms import AlarmError
from indexer.retention.certificate import Certificate, Kind
from indexer.retention.contents import Contents
from indexer.retention.erasures import Erasure
from indexer.retention.replacement import Run
from indexer.retention.schedule import Due

KNOWN_AFTER = timedelta(seconds=CACHE_SECS + WRITE_SECS)
"""How long after its confirmation every agent knows of an erasure."""


def perform(run: Run, erasure: Erasure, alarm: Callable[[AlarmError], None]) -> list[Certificate]:
    """Make every index anew that holds events of the tenant; done again, it goes on where it was ended."""
    alarms: list[AlarmError] = []
    done: list[Certificate] = []
    with trouble.told(erasure.tenant, alarms.append, run.lease):
        _refuse_held(run.client, run.prefix, erasure.tenant)
        tenants.mark_erased(run.client, run.prefix, erasure.tenant, run.now)
        for index in indices.look(run.client, partitions.pattern(run.prefix)):
            # A hold that was placed meanwhile keeps what is left.
            _refuse_held(run.client, run.prefix, erasure.tenant)
            with trouble.told(index.name, alarms.append, run.lease):
                done += _rebuild(run, index, erasure)
    for each in alarms:
        alarm(each)
    _note(run, erasure, is_over=not alarms and not done)
    return done


def found(client: Client, prefix: str, tenant_id: str) -> Iterator[tuple[str, int, int]]:
    """Give each index with events of a tenant: its name, how many events it holds, how many are the tenant's.

    `held-erasure` while none of it may be erased.
    """
    _refuse_held(client, prefix, tenant_id)
    for index in indices.look(client, partitions.pattern(prefix)):
        if index.is_closed:
            raise AlarmError("not-ours", partitions.fault_of(index, partitions.alias(prefix)))
        contents.refresh(client, index.name)
        mine = contents.count(client, index.name, {"term": {"tenant.id": tenant_id}})
        if mine:
            yield index.name, contents.count(client, index.name, contents.EVERYTHING), mine


def _rebuild(run: Run, index: Index, erasure: Erasure) -> list[Certificate]:
    """Make one index anew where it holds, or may hold, events of the tenant."""
    client = run.client
    if not index.is_closed:
        contents.refresh(client, index.name)
        mine: Json = {"term": {"tenant.id": erasure.tenant}}
        if not contents.count(client, index.name, mine):
            return []
    fault = partitions.fault_of(index, partitions.alias(run.prefix))
    partition = partitions.parse(index.name)
    if fault or partition is None:
        raise AlarmError("not-ours", fault or f"index {index.name} is no partition, but holds events")

    def decide(held: Contents) -> Due | None:
        _refuse_held(run.client, run.prefix, erasure.tenant)
        if erasure.tenant not in held.tenants:
            return None
        return schedule.without(partition, held.tenants, erasure.tenant)

    made = replacement.replace(run, index, decide, Kind.ERASURE, erasure.sentence)
    return [made] if made else []


def _refuse_held(client: Client, prefix: str, tenant_id: str) -> None:
    if schedule.active(holds.all(client, prefix, tenant_id)):
        raise AlarmError("held-erasure", f"tenant {tenant_id} is on hold: its erasure waits")


def _note(run: Run, erasure: Erasure, *, is_over: bool) -> None:
    """Write down how far it is, by the certificates: those of runs that were killed count, too."""
    written = certificates.of_erasure(run.client, run.prefix, erasure.tenant)
    removed = sum(each.removed.get(erasure.tenant, 0) for each in written if each.finished)
    confirmed = erasure.confirmed or run.now
    # The clock of the cluster, and not the moment by which is decided what is over.
    is_known = run.clock >= confirmed + KNOWN_AFTER
    erasures.save(
        run.client,
        run.prefix,
        replace(
            erasure,
            removed_count=removed,
            finished=run.clock if is_known and is_over else None,
        ),
    )
