"""A run of retention: finish what was left, take away what is over, merge what is closed, and say so.

One partition after the other; what is wrong with one of them is a finding, and the others go on.
`docs/retention.md` walks through one partition's life.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from indexer import cluster, indices, partitions, policies, tenants
from indexer.classes import HOLD
from indexer.client import Client
from indexer.errors import StoreError
from indexer.indices import Index
from indexer.keys import SigningKey
from indexer.partitions import Partition
from indexer.retention import (
    certificates,
    clock,
    contents,
    copies,
    erasing,
    erasures,
    holds,
    last_run,
    lease,
    merging,
    replacement,
    schedule,
    trouble,
)
from indexer.retention.alarms import AlarmError
from indexer.retention.certificate import Certificate, Kind
from indexer.retention.contents import Contents
from indexer.retention.erasures import Erasure
from indexer.retention.hold import Hold
from indexer.retention.last_run import LastRun
from indexer.retention.persons import person
from indexer.retention.replacement import Progress, Run
from indexer.retention.schedule import Due
from indexer.tenants import Tenants

# Events without any usable time are of this year's first second (agent); their days count from arrival.
UNDATED_YEAR: Final = 2000


@dataclass(frozen=True, slots=True)
class Planned:
    """An index that is to be taken away: how many events it holds, and how many of them are kept."""

    index: str
    event_count: int
    kept_count: int
    erased: str = ""
    """The tenant, where it is the erasure of one and not the time that is over."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An alarm (one of ALARMS) in a sentence."""

    name: str
    sentence: str


@dataclass(slots=True)
class Report:
    """What a run did, or (dry) would do."""

    planned: list[Planned] = field(default_factory=list)
    done: list[Certificate] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def find(self, error: AlarmError) -> None:
        """Add what an error says."""
        self.findings.append(Finding(error.name, str(error)))


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: the moment by which to decide, and whether a person named it."""

    now: datetime
    is_given: bool = False
    ran_by: str = ""
    settle_secs: float = replacement.SETTLE_SECS
    after: Callable[[str], None] = field(default=lambda _: None)
    key: SigningKey | None = None
    """What certificates are signed with, if they are."""

    @property
    def author(self) -> str:
        who = self.ran_by or f"{person()} on {platform.node()}"
        return f"{who}, by --now" if self.is_given else who


def believed(client: Client, prefix: str, order: Order) -> datetime:
    """Return the cluster's time; `clock-wrong` when ours cannot be believed. A moment that was given can."""
    cluster = clock.of_cluster(client)
    if order.is_given:
        return cluster
    fault = clock.fault(order.now, cluster, clock.newest_event(client, prefix))
    if fault:
        raise AlarmError("clock-wrong", fault)
    return cluster


def begin(client: Client, prefix: str, order: Order, moment: datetime, progress: Progress) -> Run:
    """Take the lease and make ready; whoever calls gives the lease back. `moment` is the cluster's."""
    known = tenants.load(client, prefix, now=order.now)
    certificates.unfinished(client, prefix)
    held = lease.take(client, prefix)
    return Run(
        client,
        prefix,
        known,
        order.now,
        moment,
        order.author,
        held,
        progress,
        order.settle_secs,
        order.after,
        order.key,
    )


def run(client: Client, prefix: str, order: Order, progress: Progress) -> Report:
    """Do everything that is due. `AlarmError` when nothing may be done at all."""
    own = begin(client, prefix, order, believed(client, prefix, order), progress)
    report, began = Report(), datetime.now(UTC)
    try:
        report.done += replacement.finish(own, report.find)
        for each in erasures.all(client, prefix):
            if each.is_confirmed and not each.finished:
                report.done += erasing.perform(own, each, report.find)
        _protect(own)
        for index, partition in _over(client, prefix, own.tenants, own.now, report):
            _take(own, index, partition, report)
        merging.merge(own, report.merged, report.find)
        _note(own, began, report)
    except AlarmError as error:
        # What was done until then is done, and is told.
        report.find(error)
        _note(own, began, report)
    except StoreError as error:
        with contextlib.suppress(StoreError):
            _note(own, began, report, f"ended early: {error}")
        raise
    finally:
        own.lease.give_back()
    return report


def _note(own: Run, began: datetime, report: Report, *more: str) -> None:
    findings = (*(f"{each.name}: {each.sentence}" for each in report.findings), *more)
    ended = LastRun(own.ran_by, began, datetime.now(UTC), len(report.done), findings)
    last_run.write(own.client, own.prefix, ended)


def erase(client: Client, prefix: str, erasure: Erasure, order: Order, progress: Progress) -> Report:
    """Do a confirmed erasure now. What it removes does not depend on any clock."""
    own = begin(client, prefix, order, clock.of_cluster(client), progress)
    report = Report()
    try:
        report.done += replacement.finish(own, report.find)
        report.done += erasing.perform(own, erasure, report.find)
    except AlarmError as error:
        report.find(error)
    finally:
        own.lease.give_back()
    return report


def rehearse(client: Client, prefix: str, order: Order) -> Report:
    """Say what `run` would do, and change nothing."""
    believed(client, prefix, order)
    known = tenants.load(client, prefix, now=order.now)
    in_force = schedule.active(holds.all(client, prefix))
    report = Report()
    for erasure in erasures.all(client, prefix):
        if erasure.is_confirmed and not erasure.finished:
            with trouble.told(erasure.tenant, report.find):
                for name, count, mine in erasing.found(client, prefix, erasure.tenant):
                    report.planned.append(Planned(name, count, count - mine, erasure.tenant))
    for index, partition in _over(client, prefix, known, order.now, report):
        with trouble.told(index.name, report.find):
            _refuse_faulty(client, prefix, index, partition)
            found = contents.sum_up(client, index.name)
            due = _decide(client, index, partition, found, known, in_force, order.now)
            if due is None or _stays(client, index, partition, due, found):
                continue
            kept = replacement.kept_count(client, index, due)
            report.planned.append(Planned(index.name, found.count, kept))
    return report


def _over(
    client: Client, prefix: str, known: Tenants, now: datetime, report: Report
) -> list[tuple[Index, Partition]]:
    """Give the indices whose class is over, oldest first; one of a class that there is not is a finding."""
    found = []
    for index in indices.look(client, partitions.pattern(prefix)):
        partition = partitions.parse(index.name)
        if partition is None or partition.end > now:
            continue
        if partition.class_name not in known.classes.by_name:
            sentence = f"index {index.name} is of a class {partition.class_name!r}, which there is not"
            report.find(AlarmError("not-ours", sentence))
            continue
        end = schedule.class_end(partition, known)
        if end is None or end <= now:
            found.append((index, partition))
    return sorted(found, key=lambda each: (each[1].start, each[0].name))


def _refuse_faulty(client: Client, prefix: str, index: Index, partition: Partition) -> None:
    """Raise the alarm about an index that is not as we make it, or holds what is not of its period."""
    fault = partitions.fault_of(index, partitions.alias(prefix))
    if fault:
        raise AlarmError("not-ours", fault)
    contents.refresh(client, index.name)
    outside = contents.outside_period(client, index.name, partition)
    if outside:
        sentence = f"partition {index.name} holds {outside} events outside its period"
        raise AlarmError("outside-period", sentence)


def _protect(own: Run) -> None:
    """Take out of the hands of Index State Management what it cannot know: holds, days from arrival on."""
    if not cluster.has(own.client, cluster.ISM):
        return
    in_force = schedule.active(holds.all(own.client, own.prefix))
    found = (
        partitions.parse(index.name) for index in indices.look(own.client, partitions.pattern(own.prefix))
    )
    kept = [
        each.name
        for each in found
        if each and (_is_undated(each) or any(hold.touches(each) for hold in in_force))
    ]
    policies.detach(own.client, kept)


def _is_undated(partition: Partition) -> bool:
    return partition.start.year == UNDATED_YEAR


def _take(own: Run, index: Index, partition: Partition, report: Report) -> None:
    """Take one index away, unless all of it is to stay where it is."""
    client, prefix = own.client, own.prefix

    def decide(held: Contents) -> Due | None:
        in_force = schedule.active(holds.all(client, prefix))
        known = tenants.load(client, prefix, now=own.now, previous=own.tenants)
        return _decide(client, index, partition, held, known, in_force, own.now)

    with trouble.told(index.name, report.find, own.lease):
        _refuse_faulty(client, prefix, index, partition)
        held = contents.sum_up(client, index.name)
        due = decide(held)
        if due is None or _stays(client, index, partition, due, held):
            return
        done = replacement.replace(own, index, decide, Kind.EXPIRY)
        report.done += [done] if done else []


def _decide(
    client: Client,
    index: Index,
    partition: Partition,
    held: Contents,
    known: Tenants,
    in_force: Sequence[Hold],
    now: datetime,
) -> Due | None:
    since = None
    if _is_undated(partition):
        since = contents.last_ingested(client, index.name)
    return schedule.decide(
        partition, held.tenants, known, in_force, now, promised=copies.promised(index), since=since
    )


def _stays(client: Client, index: Index, partition: Partition, due: Due, held: Contents) -> bool:
    """Whether an index holds only what was carried over already, and all of that is to be kept."""
    is_apart = partition.is_copy and partition.class_name == HOLD
    return is_apart and bool(due.keeps) and replacement.kept_count(client, index, due) == held.count
