"""Chores of `audit-webui jobs run`: opens the reviews that are due by plan, and tells of those overdue.

A week's review has an id that follows from tenant, plan and week, and is created under it: however many
workers run, and however often one dies, it is opened once.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from indexer.errors import RetryableError
from webui.reviews.archive import Archive
from webui.reviews.plan import Plan
from webui.reviews.review import Review
from webui.reviews.service import Reviews
from webui.reviews.week import Week, ended
from webui.tenancy import Tenancy
from webui.trail import TrailError

_log = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(seconds=30)
MISSED_WEEKS_COUNT: Final = 8
"""How many weeks are made up for when nobody opened their reviews in time."""
SCHEDULE: Final = "schedule"
_ID_CHARS: Final = 12


class Overdue(Protocol):
    """Tells people that a review is overdue; the same review again changes nothing."""

    def __call__(self, review: Review) -> None: ...


class Opening:
    """Opens reviews. `work` is called again and again, and mostly has nothing to do."""

    def __init__(
        self,
        reviews: Reviews,
        archive: Archive,
        tenancy: Tenancy,
        now: Callable[[], datetime],
        *,
        record: Callable[[Review], None],
        overdue: Overdue | None,
    ) -> None:
        """`record` writes to the trail that a review was opened; `overdue` None: nobody is told."""
        self._reviews = reviews
        self._archive = archive
        self._tenancy = tenancy
        self._now = now
        self._record = record
        self._overdue = overdue
        self._looked: datetime | None = None
        self._open: set[str] = set()

    def work(self) -> bool:
        """Open one review that is due, or tell of one that is overdue; whether there was one."""
        now = self._now()
        if self._looked is not None and now - self._looked < LOOK_EVERY:
            return False
        try:
            if self._opened(now) or self._told(now):
                return True
        except TrailError:
            # What cannot be recorded is not opened; it is tried again.
            _log.exception("no review can be opened")
        self._looked = now
        return False

    def _opened(self, now: datetime) -> bool:
        return any(self._opened_of(plan, now) for plan in self._reviews.plans.of(None) if plan.on)

    def _opened_of(self, plan: Plan, now: datetime) -> bool:
        """Open one review of a plan; a plan that cannot be asked for keeps no other from being opened."""
        try:
            return self._opened_week(plan, now)
        except (RetryableError, TrailError):
            raise
        except Exception:  # noqa: BLE001  whatever it is, it is of one tenant
            _log.exception("no review of the plan %s of the tenant %s can be opened", plan.id, plan.tenant)
            return False

    def _opened_week(self, plan: Plan, now: datetime) -> bool:
        zone = self._tenancy.facts(plan.tenant).zone
        for week in ended(plan.since, now, plan.weekday, zone, MISSED_WEEKS_COUNT):
            review_id = week_review_id(plan, week)
            if review_id in self._open:
                continue
            if self._archive.get(review_id) is None:
                review = self._reviews.open_week(plan, week, review_id, SCHEDULE, self._record)
                if review is not None:
                    _log.info("review %s is open: %s", review_id, review.title)
                self._open.add(review_id)
                return True
            self._open.add(review_id)
        return False

    def _told(self, now: datetime) -> bool:
        if self._overdue is None:
            return False
        for review in self._archive.overdue(None, now):
            # Signed, but whoever signed died before the list was told.
            if (record := self._archive.record(review.id)) is not None:
                signed = record.said["signed"]
                self._archive.mark(review.id, datetime.fromisoformat(signed["at"]), signed["by"])
            elif not review.told_overdue:
                # First, so that it is told twice rather than never: the same review again changes nothing.
                self._overdue(review)
                self._archive.told(review.id)
                _log.warning("review %s is overdue: %s", review.id, review.title)
                return True
        return False


def week_review_id(plan: Plan, week: Week) -> str:
    """Give the id of a week's review."""
    owner = hashlib.sha256(f"{plan.tenant}\n{plan.id}".encode()).hexdigest()
    return f"{week.name.lower()}-{owner[:_ID_CHARS]}"
