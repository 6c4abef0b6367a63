"""From counted events to findings: what of a condition happened, when, and who did it. Pure.

Times are whole seconds since 1970, the beginnings of a condition's steps: two events of the same step count
as simultaneous.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

from indexer.hours import edges
from indexer.plans import Tenant
from webui.alerts.condition import EXPORTS, FAILURES, Condition, Decision

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Row:
    """So many events of one step; text is empty where the log does not tell. `rows`: how much was read."""

    tenant: str
    group: str
    actor: str
    action: str
    at: int
    count: int
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One finding: the condition held from `first` until `last` (excluded), pauses up to the calm included.

    `group`: as its first event spells it. `night`: the evening's date, of NIGHT. `fresh`: from when on the
    condition holds by what came last alone.
    """

    tenant: str
    group: str
    night: str
    first: int
    last: int
    fresh: int
    rows: tuple[Row, ...]

    @property
    def count(self) -> int:
        """How many events it rests on."""
        return sum(row.count for row in self.rows)

    @property
    def size(self) -> int:
        """How many rows were read or exported."""
        return sum(row.rows for row in self.rows)

    @property
    def actors(self) -> tuple[str, ...]:
        """Who did it, in the order of appearance."""
        return tuple(dict.fromkeys(row.actor for row in self.rows if row.actor))

    def after(self, moment: int) -> int:
        """How many of its events came later."""
        return sum(row.count for row in self.rows if row.at >= moment)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The rows [left, right] fulfil the condition by themselves."""

    left: int
    right: int


def decide(
    condition: Condition, calm: timedelta, rows: Iterable[Row], tenant: Callable[[str], Tenant]
) -> list[Series]:
    """Find everything in the rows; the order of rows does not matter. `tenant`: hours and zone by id."""
    if condition.kind.decision is Decision.NIGHT:
        return list(_nights(condition, rows, tenant))
    by_group: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.group or not condition.kind.needs_group:
            by_group[row.tenant, condition.same(row.group)].append(row)
    window = int(condition.window.total_seconds())
    found: list[Series] = []
    for (tenant_id, _), mine in by_group.items():
        mine.sort(key=lambda row: (row.at, row.actor, row.action, row.group))
        if condition.kind.decision is Decision.SEQUENCE:
            stretches = _sequences(mine, window, condition)
        else:
            stretches = _crossings(mine, window, condition)
        found += _series(condition, (tenant_id, mine[0].group), mine, list(stretches), calm)
    return found


def _weight(condition: Condition, row: Row) -> int:
    """How much a row counts towards the threshold."""
    decision = condition.kind.decision
    if decision is Decision.SEQUENCE:
        return row.count if row.action in FAILURES else 0
    if decision is Decision.VOLUME:
        return row.count if row.action in EXPORTS else 0
    return row.count


def _reaches(condition: Condition, count: int, size: int) -> bool:
    volume = condition.kind.decision is Decision.VOLUME and 0 < condition.rows <= size
    return count >= condition.threshold or volume


def _crossings(rows: Sequence[Row], window: int, condition: Condition) -> Iterator[_Stretch]:
    left = count = size = 0
    for right, row in enumerate(rows):
        count += _weight(condition, row)
        size += row.rows
        while rows[left].at <= row.at - window:
            count -= _weight(condition, rows[left])
            size -= rows[left].rows
            left += 1
        if _reaches(condition, count, size):
            yield _Stretch(left, right)


def _sequences(rows: Sequence[Row], window: int, condition: Condition) -> Iterator[_Stretch]:
    left = failures = 0
    for at, group in groupby(enumerate(rows), key=lambda each: each[1].at):
        # First what failed at that step: which of the two was first is not known, and a guess that succeeds
        # within the second is what is looked for.
        numbers = [number for number, _ in group]
        failures += sum(_weight(condition, rows[number]) for number in numbers)
        while rows[left].at <= at - window:
            failures -= _weight(condition, rows[left])
            left += 1
        succeeded = any(rows[number].action not in FAILURES for number in numbers)
        if failures >= condition.threshold and succeeded:
            yield _Stretch(left, numbers[-1])


def _series(
    condition: Condition,
    whose: tuple[str, str],
    rows: Sequence[Row],
    stretches: list[_Stretch],
    calm: timedelta,
) -> Iterator[Series]:
    pause = int(calm.total_seconds())
    together: list[_Stretch] = []

    def made() -> Series:
        # The rows between two stretches, too few by themselves, belong to none.
        mine = tuple(rows[number] for part in together for number in range(part.left, part.right + 1))
        fresh = rows[_tight(condition, rows, together[-1].right)].at
        return Series(*whose, "", mine[0].at, mine[-1].at + condition.step_secs, fresh, mine)

    for stretch in stretches:
        if together and rows[stretch.left].at > rows[together[-1].right].at + pause:
            yield made()
            together = []
        # A stretch that only slides on grows the one before it.
        if together and stretch.left <= together[-1].right:
            together[-1] = _Stretch(together[-1].left, stretch.right)
        else:
            together.append(stretch)
    if together:
        yield made()


def _tight(condition: Condition, rows: Sequence[Row], right: int) -> int:
    """Give the last row from which on the condition holds by what follows alone, until `right`."""
    count = size = 0
    for left in range(right, -1, -1):
        count += _weight(condition, rows[left])
        size += rows[left].rows
        if _reaches(condition, count, size):
            return left
    return 0


def _nights(condition: Condition, rows: Iterable[Row], tenant: Callable[[str], Tenant]) -> Iterator[Series]:
    found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.group:
            night = night_of(row.at, tenant(row.tenant), weekends=condition.weekends)
            if night:
                found[row.tenant, condition.same(row.group), night].append(row)
    for (tenant_id, _, night), mine in found.items():
        mine.sort(key=lambda row: (row.at, row.group))
        if sum(row.count for row in mine) >= condition.threshold:
            last = mine[-1].at + condition.step_secs
            yield Series(tenant_id, mine[0].group, night, mine[0].at, last, mine[0].at, tuple(mine))


def night_of(at: int, tenant: Tenant, *, weekends: bool) -> str:
    """Give the date of the business day after whose end (or before whose next begin) a moment lies.

    Empty within business hours. By the tenant's own clock, so a day of 23 or 25 hours needs no care here.
    """
    return _night_of(at, tenant.zone, tenant.hours, weekends)


@lru_cache(maxsize=200_000)
def _night_of(at: int, zone: str, hours: str, weekends: bool) -> str:  # noqa: FBT001  a part of the key
    begin, end = edges(hours)
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    clock = local.time().replace(tzinfo=None)
    # The business day that began last: before today's opening it is yesterday's.
    day = local.date() if clock >= begin else local.date() - timedelta(days=1)
    after, before = clock >= begin, clock < end
    open_now = after and before if end > begin else after or before
    if open_now and not (weekends and day.weekday() >= _SATURDAY):
        return ""
    return day.isoformat()
