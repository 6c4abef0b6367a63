"""Begins the reports that are due, and tells of those that are done: a chore of `audit-webui jobs run`.

1. A period that is due is written into its schedule; whoever writes first has it. 2. Its export is put in the
queue under an id that schedule and period give, so it is one however often that happens. 3. When the file is
there, the message is put to the channels under the export's id. 4. The period leaves the schedule.

Whoever dies in between leaves the period in its schedule, and the next one goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from indexer.documents import Stored
from webui.commission import Commission, Outcome
from webui.notification.deliveries import Deliveries
from webui.notification.message import Attachment, Message
from webui.question import QuestionError
from webui.reports import paper
from webui.reports.parameters import Parameters
from webui.reports.schedule import EVERY_TENANT, Run, Schedule, from_document
from webui.reports.schedules import Schedules
from webui.reports.service import Order, Reports
from webui.tenancy import NotHereError, Reader
from webui.trail import Entry, Trail, TrailError

_log = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(seconds=20)
MayReport = Callable[[str, str], bool]
"""Whether an account (its name, the scope it had) may still have reports made."""


class Press(Protocol):
    """What makes the files."""

    def place(self, account: str, commission: Commission, format_name: str, job_id: str) -> None:
        """Put a commission in the queue under an id; again: nothing happens."""

    def outcome(self, job_id: str) -> Outcome | None:
        """Say how far it is; None: there is no such job."""


class Planner:
    """One worker's part in it. Raises the errors of `indexer.errors`; times are aware."""

    def __init__(
        self,
        schedules: Schedules,
        reports: Reports,
        press: Press,
        deliveries: Deliveries,
        trail: Trail,
        may_report: MayReport,
        now: Callable[[], datetime],
    ) -> None:
        self._schedules = schedules
        self._reports = reports
        self._press = press
        self._deliveries = deliveries
        self._trail = trail
        self._may_report = may_report
        self._now = now
        self._looked: datetime | None = None

    def work(self) -> bool:
        """Do what is due; whether there was anything."""
        now = self._now()
        if self._looked is not None and now - self._looked < LOOK_EVERY:
            return False
        self._looked = now
        try:
            worked = [self._worked(stored, now) for stored in self._schedules.running()]
        except TrailError:
            # What cannot be recorded is not made; it is tried again.
            _log.exception("no report can be made")
            return False
        busy = any(worked)
        if busy:
            # What was begun may be done at once: with `--once`, nobody looks later.
            self._looked = None
        return busy

    def _worked(self, stored: Stored, now: datetime) -> bool:
        schedule = from_document(stored.id, stored.source)
        windows, given_up = schedule.due(self._schedules.place(schedule).zone, now)
        if windows and not self._may_report(schedule.account, schedule.scope):
            why = f"{schedule.account} may not have reports made any more."
            self._schedules.write(stored, replace(schedule, paused=True, problem=why))
            _log.warning("schedule %s is paused: %s", schedule.id, why)
            return True
        if windows:
            begun = tuple(Run(schedule.job_id(window), window) for window in windows)
            schedule = replace(
                schedule,
                last=windows[-1].end,
                last_job=begun[-1].job,
                skipped=schedule.skipped + given_up,
                open=(*schedule.open, *begun),
            )
            written = self._schedules.write(stored, schedule)
            if written is None:
                return True
            stored = written
        try:
            still = tuple(run for run in schedule.open if not self._told(schedule, run, now))
        except (QuestionError, NotHereError) as error:
            _log.warning("schedule %s is paused: %s", schedule.id, error)
            why = "This report cannot be asked for any more."
            self._schedules.write(stored, replace(schedule, paused=True, problem=why))
            return True
        if still != schedule.open:
            self._schedules.write(stored, replace(schedule, open=still))
        return bool(windows) or still != schedule.open

    def _told(self, schedule: Schedule, run: Run, now: datetime) -> bool:
        """Bring one period further; whether there is nothing more to do for it."""
        order = self._order(schedule, run)
        outcome = self._press.outcome(run.job)
        if outcome is None:
            self._record(schedule, run, order)
            self._press.place(schedule.account, paper.commission(order), schedule.format, run.job)
            return False
        if not outcome.over:
            return False
        if schedule.channels:
            self._deliveries.enqueue(_message(schedule, run, order, outcome, now), schedule.channels, now)
        return True

    def _order(self, schedule: Schedule, run: Run) -> Order:
        chosen = schedule.scope == EVERY_TENANT and schedule.tenant != EVERY_TENANT
        tenant = schedule.tenant if chosen else ""
        asked = Parameters(users=schedule.users, tenant=tenant).within(run.window)
        return self._reports.order(Reader(schedule.account, schedule.owner_scope), schedule.kind, asked)

    def _record(self, schedule: Schedule, run: Run, order: Order) -> None:
        self._trail.write(
            Entry(
                Action="exported",
                Message=f"The schedule of {schedule.account} exported a report: {order.sentence}",
                TenantId="" if schedule.tenant == EVERY_TENANT else schedule.tenant,
                UserId=schedule.account,
                UserName=schedule.account,
                EntityType="Export",
                EntityId=run.job,
                Query=order.asked.address,
                Sentence=order.sentence,
                Format=schedule.format,
            )
        )


def _message(schedule: Schedule, run: Run, order: Order, outcome: Outcome, now: datetime) -> Message:
    window, zone = run.window, order.place.zone
    assert window.start is not None  # noqa: S101  periods have both
    assert window.end is not None  # noqa: S101
    first, last = (each.astimezone(zone) for each in (window.start, window.end - timedelta(seconds=1)))
    days = f"{first.day} {first:%b %Y} to {last.day} {last:%b %Y}"
    done = not outcome.problem
    text = f"{order.sentence}\n{order.place.name}. "
    text += "The file is attached." if done else f"It could not be made: {outcome.problem}"
    attached = (
        Attachment(outcome.stored_name, outcome.file_name, outcome.media_type, outcome.sha256)
        if done
        else None
    )
    return Message(
        id=f"report.{run.job}",
        type="report.ready" if done else "report.failed",
        tenant=schedule.tenant,
        timestamp=now,
        title=f"{order.definition.title}, {days}"[:200],
        text=text,
        link=paper.commission(order).link,
        data={
            "report": schedule.kind,
            "schedule": schedule.id,
            "export": run.job,
            "from": window.start.isoformat(),
            "to": window.end.isoformat(),
            "sha256": outcome.sha256,
        },
        attachments=(attached,) if attached else (),
    )
