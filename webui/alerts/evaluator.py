"""The evaluator: one round after the other, for as long as it holds the lease.

1. Take or keep the lease. 2. See what has arrived and put it on every monitor's list; write that down.
3. Monitors that ask the same ask once, for all tenants. 4. What they find becomes new alerts, or more of
known ones. 5. Write down what is done. 6. Tell the channels what is due.

Whoever dies between any two steps has skipped nothing: the list still has it. Nor does anything happen twice:
an alert's id is its key and number, a message's the alert's and the number of its opening.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Final

from indexer.arrivals import Arrivals, Span
from indexer.errors import IndexerError, UnreachableError
from indexer.query import OPERATOR, Scope
from webui.alerts.condition import FAILURES, Condition, Decision
from webui.alerts.deciding import Row, decide
from webui.alerts.findings import Findings
from webui.alerts.lease import Lease
from webui.alerts.monitor import EVERY_TENANT, Monitor
from webui.alerts.monitors import Monitors
from webui.alerts.progress import LATE, FencedError, Ledger, Progress
from webui.alerts.raising import Raising
from webui.alerts.tally import Ask, Tally
from webui.alerts.telling import Telling
from webui.question import QuestionError
from webui.tenancy import Tenancy

_log = logging.getLogger(__name__)

ROUND_SECS: Final = 5.0
MAX_INTERVAL: Final = timedelta(seconds=60)
FAILING_AFTER: Final = timedelta(minutes=2)
MISSED_AFTER: Final = timedelta(minutes=2)
_HEARTBEAT: Final = timedelta(seconds=10)
_SLICE_SECS: Final = 86_400
# A whole day of a weekend is one night, and the day on which clocks go back has 25 hours.
_NIGHT_SECS: Final = 26 * 3600
SOURCE: Final = "evaluator"


@dataclass(frozen=True, slots=True)
class Parts:
    """What an evaluator works with."""

    lease: Lease
    ledger: Ledger
    arrivals: Arrivals
    monitors: Monitors
    tally: Tally
    findings: Findings
    tenancy: Tenancy
    telling: Telling
    raising: Raising


class Evaluator:
    """One of any number; `round` does the work if it is the active one."""

    def __init__(self, name: str, parts: Parts, now: Callable[[], datetime], stopping: Event) -> None:
        """`now`: an aware time."""
        self._name = name
        self._parts = parts
        self._now = now
        self._stopping = stopping
        self._progress: Progress | None = None
        self._written: datetime | None = None

    def round(self, *, everything: bool = False) -> bool:
        """Do one round; False when another evaluator is the active one. FencedError: it is by now.

        `everything`: also what is not due yet. RetryableError when the store is away: nothing is lost.
        """
        lease = self._parts.lease
        if not lease.confirm():
            self._progress = None
            if not lease.take():
                return False
        try:
            progress = self._progress or self._begin()
            self._progress = self._evaluate(progress, everything=everything)
        except FencedError:
            self._progress = None
            raise
        self._parts.telling.sweep(self._now())
        return True

    def _begin(self) -> Progress:
        """Take over from whoever was active; its later writes are refused from now on."""
        token, now = self._parts.lease.token, self._now()
        before = self._parts.ledger.open(token)
        if before is None:
            # Nothing was ever watched: what lies in the store is what previews are for.
            progress = Progress(token, self._name, now, now, self._parts.arrivals.marks())
        else:
            progress = replace(before, token=token, holder=self._name, began=now, ran=now)
        self._parts.ledger.write(progress)
        self._written = now
        _log.info("evaluator %s is active, token %d", self._name, token)
        if before is not None and before.watches and now - before.ran > MISSED_AFTER:
            self._missed(before.ran, now)
        return progress

    def _evaluate(self, progress: Progress, *, everything: bool) -> Progress:
        monitors = self._parts.monitors.watching()
        arrived = self._parts.arrivals.since(progress.marks)
        noted = progress.noted(arrived, monitors, self._now())
        if noted != progress:
            self._write(noted)
        due = [each for each in monitors if everything or self._is_due(each, noted)]
        for group in _alike(due, noted):
            noted = self._looked(group, noted)
            if self._is_silent():
                # A long round is no silence, and what it has found so far need not wait for its end.
                noted = replace(noted, ran=self._now())
                self._write(noted)
                self._parts.telling.sweep(self._now())
        if due or self._is_silent():
            noted = replace(noted, ran=self._now())
            self._write(noted)
        self._say_failing(monitors, noted, self._now())
        return noted

    def _looked(self, group: Sequence[Monitor], progress: Progress) -> Progress:
        """Look at all that is on a group's list: whoever fails keeps it, and the others go on."""
        problems: dict[str, str] = {}
        for span in _slices(progress.watches[group[0].id].pending, self._now()):
            if left := [each for each in group if each.id not in problems]:
                problems |= self._look(left, span)
        well = [each.id for each in group if each.id not in problems]
        return progress.failed(problems, self._now()).done(well, self._now())

    def _look(self, group: Sequence[Monitor], span: Span) -> dict[str, str]:
        """Ask once for all monitors of a group, and let each judge what is its own.

        Gives what keeps monitors from it, by id. Whatever goes wrong with one is that one's problem.
        """
        if self._stopping.is_set() or not self._parts.lease.confirm():
            raise FencedError
        try:
            rows = self._rows(group, span)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not keep the others from running
            problem = self._problem(group, error)
            if len(group) == 1 or isinstance(error, QuestionError | IndexerError):
                return {monitor.id: problem for monitor in group}
            # An event that cannot be read: half by half, it is found out whose it is.
            half = len(group) // 2
            return self._look(group[:half], span) | self._look(group[half:], span)
        problems = {}
        for monitor in group:
            try:
                self._judge(monitor, rows, span)
            except Exception as error:  # noqa: BLE001 - as above
                problems[monitor.id] = self._problem([monitor], error)
        return problems

    def _problem(self, group: Sequence[Monitor], error: Exception) -> str:
        """Say what keeps monitors from running; raises what is none of theirs."""
        away = isinstance(error, UnreachableError) and not self._parts.arrivals.answers()
        if away or isinstance(error, FencedError):
            raise error
        ids = ", ".join(monitor.id for monitor in group)
        if isinstance(error, QuestionError | IndexerError):
            _log.warning("monitors %s failed: %s", ids, error)
            return str(error)
        _log.warning("monitors %s failed", ids, exc_info=error)
        return (
            f"something unforeseen ({type(error).__name__}); the log of `audit-webui alerts run` says more."
        )

    def _rows(self, group: Sequence[Monitor], span: Span) -> Mapping[str, list[Row]]:
        """Give what a group asks for, by tenant."""
        pad = max(_pad_secs(monitor.condition) for monitor in group)
        padded = Span(span.start - pad, span.end + pad)
        owners = {monitor.owner for monitor in group}
        scope, tenants = OPERATOR, None
        if EVERY_TENANT not in owners:
            tenants = owners
            if len(owners) == 1:
                scope = Scope(next(iter(owners)))
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self._parts.tally.rows(group[0].condition, scope, padded, tenants):
            rows[row.tenant].append(row)
        return rows

    def _judge(self, monitor: Monitor, rows: Mapping[str, list[Row]], span: Span) -> None:
        """Let a monitor find what it is there for, and write it down."""
        if monitor.owner == EVERY_TENANT:
            mine = [row for each in rows.values() for row in each]
            if monitor.condition.kind.decision is Decision.SEQUENCE:
                mine = list(across_tenants(mine))
        else:
            mine = rows.get(monitor.owner, [])
        settings = self._parts.tenancy.current().settings
        found = decide(monitor.condition, monitor.calm, mine, settings)
        # Whatever is news has an event in the stretch itself; the rest was looked at in its own time.
        touched = [each for each in found if each.last > span.start and each.first < span.end]
        if touched:
            if not self._parts.lease.confirm():
                raise FencedError
            self._parts.findings.record(monitor, touched, self._now())

    def _is_due(self, monitor: Monitor, progress: Progress) -> bool:
        return _is_over(progress.watches[monitor.id].ran, interval(monitor.condition), self._now())

    def _is_silent(self) -> bool:
        return _is_over(self._written, _HEARTBEAT, self._now())

    def _write(self, progress: Progress) -> None:
        self._parts.ledger.write(progress)
        self._written = self._now()

    def _say_failing(self, monitors: Sequence[Monitor], progress: Progress, now: datetime) -> None:
        for monitor in monitors:
            watch = progress.watches[monitor.id]
            if watch.failing_since is not None and now - watch.failing_since >= FAILING_AFTER:
                self._parts.raising.raise_(
                    SOURCE,
                    monitor.owner,
                    monitor.id,
                    f"The monitor “{monitor.name}” does not run",
                    f"It fails since {watch.failing_since:%Y-%m-%d %H:%M} UTC: {watch.problem}\n\n"
                    "What it has not looked at stays on its list, and is looked at once it runs again.",
                    "",
                    monitor.channels,
                    now,
                )

    def _missed(self, since: datetime, now: datetime) -> None:
        channels = {
            channel
            for monitor in self._parts.monitors.watching()
            if monitor.owner == EVERY_TENANT
            for channel in monitor.channels
        }
        self._parts.raising.raise_(
            SOURCE,
            "",
            "run",
            "The monitors were not evaluated for a while",
            f"No evaluator ran from {since:%Y-%m-%d %H:%M:%S} until {now:%Y-%m-%d %H:%M:%S} UTC. Nothing is "
            "skipped: what arrived meanwhile is looked at now.",
            "",
            sorted(channels),
            now,
        )


def interval(condition: Condition) -> timedelta:
    """How often a condition is asked: a sixtieth of its window, from 5 seconds to a minute."""
    return max(timedelta(seconds=ROUND_SECS), min(MAX_INTERVAL, condition.window / 60))


def _is_over(since: datetime | None, span: timedelta, now: datetime) -> bool:
    """Whether so much time has gone by; never waits for a clock that was ahead, or that was set back."""
    return since is None or not since <= now < since + span


def _alike(monitors: Sequence[Monitor], progress: Progress) -> Iterator[list[Monitor]]:
    """Give the monitors in groups that ask the same of the same stretches."""
    groups: dict[tuple[Ask, tuple[Span, ...]], list[Monitor]] = defaultdict(list)
    for monitor in monitors:
        try:
            ask = Ask.of(monitor.condition)
        except QuestionError:
            ask = Ask(monitor.id, "", "", 0, monitor.condition.template, ())
        groups[ask, progress.watches[monitor.id].pending].append(monitor)
    yield from groups.values()


def _slices(spans: Sequence[Span], now: datetime) -> Iterator[Span]:
    """Give stretches of a day at most, none older than what may still raise an alert."""
    oldest = int((now - LATE).timestamp())
    for span in spans:
        start = max(span.start, oldest)
        while start < span.end:
            end = min(span.end, start + _SLICE_SECS)
            yield Span(start, end)
            start = end


def _pad_secs(condition: Condition) -> int:
    """How far from an event those can lie that it makes a finding with."""
    decision = condition.kind.decision
    if condition.threshold == 1 and not condition.rows and decision is not Decision.SEQUENCE:
        return 0
    if decision is Decision.NIGHT:
        return _NIGHT_SECS
    return int(condition.window.total_seconds())


def across_tenants(rows: Sequence[Row]) -> Iterator[Row]:
    """Let failures count for each tenant that was signed in to: a failed login seldom tells its own."""
    succeeded: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.action not in FAILURES:
            succeeded[row.group].add(row.tenant)
    for row in rows:
        if row.action in FAILURES and row.group in succeeded:
            for tenant in sorted(succeeded[row.group]):
                yield replace(row, tenant=tenant)
        else:
            yield row
