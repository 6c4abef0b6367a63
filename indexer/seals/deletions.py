"""What the certificates say of events that are no longer where they were sealed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from indexer.classes import DEFAULTS, Classes
from indexer.partitions import parse
from indexer.retention.certificate import Certificate, Kind
from indexer.seals.leaves import Placement
from indexer.seals.states import State

# As far the clock of retention may be ahead of this one.
_SKEW: Final = timedelta(minutes=15)


class Deletions:
    """Every deletion that a certificate tells of, against the partitions that are there."""

    def __init__(
        self, certificates: Iterable[Certificate], classes: Classes, present: Collection[str], now: datetime
    ) -> None:
        """`present`: names of the partitions that are read; `now` is aware."""
        self._by_partition: dict[str, list[Certificate]] = {}
        self._by_index: dict[str, list[Certificate]] = {}
        for each in certificates:
            self._by_partition.setdefault(each.partition, []).append(each)
            self._by_index.setdefault(each.index, []).append(each)
        self._classes = classes
        self._present = frozenset(present)
        self._now = now

    def fate(self, placement: Placement) -> State:
        """Say what became of an event that was sealed here and is nowhere in the store."""
        partition, tenant = placement
        states = {
            State.ERASED if each.kind is Kind.ERASURE else self._expiry(each, partition)
            for each in self._about(partition)
            if each.removed.get(tenant)
        }
        for state in (State.ERASED, State.EXPIRED, State.EARLY_DELETION):
            if state in states:
                return state
        if partition in self._present:
            return State.MISSING
        days = self._days(partition)
        parsed = parse(partition)
        is_over = days is not None and parsed is not None and parsed.end + timedelta(days) <= self._now
        return State.MISSING if is_over else State.EARLY_DELETION

    def removed_count(self, placement: Placement) -> int:
        """How many events at most the certificates count as gone, of those that were sealed here."""
        return sum(each.removed.get(placement.tenant, 0) for each in self._about(placement.partition))

    def carries(self, placement: Placement, index: str) -> bool:
        """Whether certificates say that `index` was made of the partition of this placement.

        Also of tenants that had nothing to be carried over: their late events are written there.
        """
        return any(
            carried.index == index for each in self._about(placement.partition) for carried in each.carried
        )

    @lru_cache(maxsize=4096)  # noqa: B019 - lives as long as one check
    def _about(self, partition: str) -> tuple[Certificate, ...]:
        """The certificates of the partition, and those of wherever its events were carried since."""
        found: dict[str, Certificate] = {}
        waiting = list(self._by_partition.get(partition, ()))
        while waiting:
            each = waiting.pop()
            if each.id in found:
                continue
            found[each.id] = each
            for carried in each.carried:
                waiting += self._by_index.get(carried.index, ())
        return tuple(found.values())

    def _expiry(self, certificate: Certificate, partition: str) -> State:
        # Of what the certificate says, only more days are believed: who forges one would tell of a shorter
        # class, of an earlier period, or of a deletion that is still to come.
        parsed = parse(partition)
        if parsed is None:
            return State.EARLY_DELETION
        days = max(certificate.days or 0, self._shortest(parsed.class_name))
        is_over = parsed.end + timedelta(days) <= min(certificate.begun, self._now + _SKEW)
        return State.EXPIRED if is_over else State.EARLY_DELETION

    def _days(self, partition: str) -> int | None:
        parsed = parse(partition)
        if parsed is None or parsed.class_name not in self._classes.by_name:
            return None
        return self._classes[parsed.class_name].days

    def _shortest(self, class_name: str) -> int:
        known = DEFAULTS.by_name.get(class_name)
        return 0 if known is None or known.days is None else known.days
