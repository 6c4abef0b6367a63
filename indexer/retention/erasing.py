"""Removes every event of one tenant: the indices it is in are made anew, with everybody else's events.

A resend of another tenant's event still finds its twin, because the new index takes over the name by which
writers know the partition. Agents learn of an erasure as they learn of plans; what one still writes by an
older copy of them is found by the next pass, and only a pass that finds nothing after that ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from indexer import indices, partitions, tenants
from indexer.errors import PermanentError
from indexer.plans import CACHE_SECS, WRITE_SECS
from indexer.query import Json
from indexer.retention import contents, erasures, holds, replacement, schedule
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
    if schedule.active(holds.all(run.client, run.prefix, erasure.tenant)):
        alarm(AlarmError("held-erasure", f"tenant {erasure.tenant} is on hold: its erasure waits"))
        return []
    tenants.mark_erased(run.client, run.prefix, erasure.tenant, run.now)
    mine: Json = {"term": {"tenant.id": erasure.tenant}}
    done: list[Certificate] = []
    is_whole = True
    for index in indices.look(run.client, partitions.pattern(run.prefix)):
        if partitions.parse(index.name) is None:
            continue
        contents.refresh(run.client, index.name)
        if not contents.count(run.client, index.name, mine):
            continue
        try:
            _refuse_faulty(index, partitions.alias(run.prefix))
            made = replacement.replace(run, index, _without(index.name, erasure.tenant), Kind.ERASURE,
                                       erasure.sentence)  # fmt: skip
        except AlarmError as error:
            if error.name in {"another-run", "certificate-not-written"}:
                raise
            alarm(error)
            is_whole = False
        except PermanentError as error:
            alarm(AlarmError("not-ours", f"partition {index.name}: {error}"))
            is_whole = False
        else:
            done += [made] if made else []
    _note(run, erasure, done, is_whole=is_whole)
    return done


def _refuse_faulty(index: indices.Index, alias: str) -> None:
    fault = partitions.fault_of(index, alias)
    if fault:
        raise AlarmError("not-ours", fault)


def _without(name: str, tenant_id: str) -> Callable[[Contents], Due | None]:
    def decide(held: Contents) -> Due | None:
        partition = partitions.parse(name)
        if partition is None or tenant_id not in held.tenants:
            return None
        return schedule.without(partition, held.tenants, tenant_id)

    return decide


def _note(run: Run, erasure: Erasure, done: list[Certificate], *, is_whole: bool) -> None:
    removed = sum(each.removed.get(erasure.tenant, 0) for each in done)
    confirmed = erasure.confirmed or run.now
    # The clock of the cluster, and not the moment by which is decided what is over.
    is_known = run.clock >= confirmed + KNOWN_AFTER
    erasures.save(
        run.client,
        run.prefix,
        replace(
            erasure,
            removed_count=erasure.removed_count + removed,
            finished=run.clock if is_known and is_whole and not done else None,
        ),
    )
