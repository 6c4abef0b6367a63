"""How far the evaluator has come: what it has seen arrive, and what each monitor has still to look at.

One document, so that "seen" and "still to be looked at" change together: whoever dies in between has neither
skipped nor done anything. Looking at a stretch twice is harmless (an alert's id says what it is about), so a
stretch goes from the list after its alerts are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from indexer import arrivals
from indexer.arrivals import Arrived, Marks, Span
from indexer.documents import Documents, Stored
from indexer.errors import ConflictError, NotPreparedError
from indexer.query import iso
from webui.alerts.monitor import Monitor

ID: Final = "progress"
LATE: Final = timedelta(days=30)
"""How late an event may arrive and still raise an alert."""
MAX_SPANS_COUNT: Final = 200
SILENT: Final = timedelta(minutes=2)
"""Without a run for so long, an evaluator is missing."""


class FencedError(Exception):
    """Another evaluator has taken over: whatever this one does next would be done twice."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One monitor: what it has still to look at, when it last ran, and what keeps it from it.

    `since`: when the monitor was switched on that this is of; None: written before that was kept.
    """

    pending: tuple[Span, ...]
    ran: datetime | None = None
    failing_since: datetime | None = None
    problem: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """All of it. `began`: when the active evaluator took over; `ran`: its last round."""

    token: int
    holder: str
    began: datetime
    ran: datetime
    marks: Marks
    watches: Mapping[str, Watch] = field(default_factory=dict)

    def noted(self, arrived: Arrived, monitors: Iterable[Monitor], now: datetime) -> Progress:
        """Give it with what has arrived put on every monitor's list; those that are no more are forgotten."""
        oldest = int((now - LATE).timestamp())
        fresh = [span for span in arrived.spans if span.end > oldest]
        watches = {}
        for monitor in monitors:
            watch = self.watches.get(monitor.id)
            begin = int(monitor.since.timestamp())
            # Whatever happened since it was switched on, whether or not an evaluator was there.
            own = Span(begin, max(begin, int(now.timestamp())) + 1)
            if watch is None:
                watch = Watch(_joined([own, *fresh]), since=monitor.since)
            elif watch.since not in {None, monitor.since}:
                # What is older and has just arrived may have come while it was off.
                ahead = [Span(max(begin, span.start), span.end) for span in fresh if span.end > begin]
                watch = Watch(_joined([own, *ahead]), since=monitor.since)
            else:
                pending = _joined([*watch.pending, *fresh]) if fresh else watch.pending
                watch = replace(watch, pending=pending, since=monitor.since)
            watches[monitor.id] = watch
        return replace(self, marks=arrived.marks, watches=watches)

    def done(self, monitor_ids: Iterable[str], now: datetime) -> Progress:
        """Give it with nothing left for these monitors."""
        watches = dict(self.watches)
        for monitor_id in monitor_ids:
            watches[monitor_id] = Watch((), now, since=self.watches[monitor_id].since)
        return replace(self, watches=watches)

    def failed(self, problems: Mapping[str, str], now: datetime) -> Progress:
        """Give it with the lists of these monitors as they were, and why."""
        watches = dict(self.watches)
        for monitor_id, problem in problems.items():
            watch = watches[monitor_id]
            since = watch.failing_since or now
            watches[monitor_id] = replace(watch, failing_since=since, problem=problem)
        return replace(self, watches=watches)

    def document(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {
            "token": self.token,
            "holder": self.holder,
            "began": iso(self.began),
            "ran": iso(self.ran),
            "marks": dict(self.marks),
            "monitors": {
                monitor_id: {
                    "pending": [[span.start, span.end] for span in watch.pending],
                    "ran": iso(watch.ran) if watch.ran else None,
                    "failing_since": iso(watch.failing_since) if watch.failing_since else None,
                    "problem": watch.problem,
                    "since": iso(watch.since) if watch.since else None,
                }
                for monitor_id, watch in self.watches.items()
            },
        }


class Ledger:
    """The progress in the store."""

    def __init__(self, documents: Documents) -> None:
        """`documents` of the kind "evaluator"."""
        self._documents = documents
        self._stored: Stored | None = None

    def look(self) -> Progress | None:
        """Give it as it is now, for who only reads; None: no evaluator has ever run."""
        try:
            stored = self._documents.get(ID)
        except NotPreparedError:
            return None
        return None if stored is None else from_document(stored.source)

    def open(self, token: int) -> Progress | None:
        """Read it as the evaluator with this token; FencedError when one with a later token was there."""
        self._stored = self._documents.get(ID)
        if self._stored is None:
            return None
        if int(self._stored.source["token"]) > token:
            raise FencedError
        return from_document(self._stored.source)

    def write(self, progress: Progress) -> None:
        """Replace what was read or written last; FencedError when another evaluator was here since."""
        source = progress.document()
        try:
            if self._stored is None:
                self._stored = self._documents.create(ID, source)
            else:
                self._stored = self._documents.replace(self._stored, source)
        except ConflictError as error:
            raise FencedError from error


def from_document(source: Mapping[str, Any]) -> Progress:
    """Read it back."""
    return Progress(
        token=source["token"],
        holder=source["holder"],
        began=datetime.fromisoformat(source["began"]),
        ran=datetime.fromisoformat(source["ran"]),
        marks=source["marks"],
        watches={
            monitor_id: Watch(
                pending=tuple(Span(start, end) for start, end in about["pending"]),
                ran=_moment(about["ran"]),
                failing_since=_moment(about["failing_since"]),
                problem=about["problem"],
                since=_moment(about.get("since")),
            )
            for monitor_id, about in source["monitors"].items()
        },
    )


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """Keep the list short: when there are too many stretches, those that are nearest become one."""
    gap = 0
    found = arrivals.merged(spans)
    while len(found) > MAX_SPANS_COUNT:
        gap = max(60, gap * 4)
        found = arrivals.merged(spans, gap)
    return found


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
