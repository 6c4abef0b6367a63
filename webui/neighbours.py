"""What reviews ask of accounts and alerts: features meet here, and do not know each other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from indexer.client import Client
from indexer.errors import NotPreparedError
from indexer.query import Window, iso
from webui.access import EVERY_TENANT, Role
from webui.accounts.service import Accounts
from webui.alerts.service import Alerts
from webui.chart import moment_text
from webui.notification.assembly import make_channels
from webui.reviews.assembly import Neighbours
from webui.reviews.checklist import AlertsFound
from webui.reviews.review import Review

REVIEWS: Final = "review"
"""The source of alerts about reviews."""


def of_reviews(
    accounts: Accounts, alerts: Alerts, client: Client, index_prefix: str, now: Callable[[], datetime]
) -> Neighbours:
    """Give what reviews need; `now`: an aware time."""

    def may_review(name: str, tenant: str) -> bool:
        found = accounts.get(name)
        if found is None or found.disabled or found.role < Role.AUDITOR:
            return False
        return found.tenant_id in {tenant, EVERY_TENANT}

    def of_period(tenant: str, window: Window) -> AlertsFound:
        count, open_count = alerts.of_period(tenant, window.start, window.end)
        period = {"since": window.start, "until": window.end}
        asked = {"state": "all", **{name: iso(moment) for name, moment in period.items() if moment}}
        return AlertsFound(count, open_count, f"/alerts?{urlencode(asked)}")

    def overdue(review: Review) -> None:
        _tell(alerts, client, index_prefix, review, now())

    return Neighbours(may_review=may_review, alerts=of_period, overdue=overdue)


def _tell(alerts: Alerts, client: Client, index_prefix: str, review: Review, now: datetime) -> None:
    """Raise an alert, told through all channels of the tenant that are on."""
    try:
        channels = [each.id for each in make_channels(client, index_prefix).of(review.tenant) if each.on]
    except NotPreparedError:
        channels = []
    reviewers = ", ".join(each.account for each in review.reviewers)
    alerts.raise_(
        REVIEWS,
        review.tenant,
        review.id,
        f"A review is overdue: {review.title}",
        f"It was due {moment_text(review.due, review.zone)} ({review.zone.key}); {review.done_count} of "
        f"{len(review.items)} items were looked at. Reviewers: {reviewers}. It is at /reviews/{review.id}.",
        "",
        channels,
        now,
    )
