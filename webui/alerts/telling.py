"""Tells the channels of an alert: each opening once, whoever dies in between.

An alert is written with its notice due. Telling puts the message into the queue of deliveries, whose id makes
it one, then marks the alert as told: dying between the two only repeats a step that changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from indexer.query import iso
from webui.alerts.alert import Alert, Notice
from webui.alerts.book import Book, Held
from webui.notification.deliveries import Deliveries
from webui.notification.message import Message

# What is told of alerts that are no monitor's.
_TYPES: Final = {"evaluator": "monitor.failed", "review": "review.overdue", "agent": "agent.silent"}


class Telling:
    """What is to be told of the alerts of a book."""

    def __init__(self, book: Book, deliveries: Deliveries) -> None:
        self._book = book
        self._deliveries = deliveries

    def sweep(self, now: datetime) -> int:
        """Tell what is due; how many alerts that were."""
        due = self._book.due(now)
        for held in due:
            self.tell(held, now)
        return len(due)

    def tell(self, held: Held, now: datetime) -> None:
        """Tell one alert's last opening; one that was closed meanwhile is not told any more."""
        alert = held.alert
        if not alert.is_open or not alert.channels:
            self._book.replace(held, replace(alert, notice=Notice.NONE))
            return
        self._deliveries.enqueue(message_of(alert), alert.channels, now)
        # If somebody triages it at this moment, the next sweep finds it again and adds nothing.
        self._book.replace(held, replace(alert, notice=Notice.TOLD))


def message_of(alert: Alert) -> Message:
    """Give the message of an alert's last opening."""
    opened = "alert.opened" if alert.opens_count == 1 else "alert.reopened"
    return Message(
        id=alert.message_id,
        type=_TYPES.get(alert.source, opened),
        # Whose channels they are, not whose events: the data says that.
        tenant=alert.owner,
        timestamp=alert.opened,
        title=alert.title,
        text=alert.text,
        link=f"/alerts/{alert.id}",
        data=shown(alert),
    )


def shown(alert: Alert) -> dict[str, Any]:
    """Give an alert as programs read it."""
    return {
        "id": alert.id,
        "number": alert.number,
        "tenant": alert.tenant,
        "source": alert.source,
        "monitor": {"id": alert.monitor, "name": alert.monitor_name} if alert.monitor else None,
        "template": alert.template or None,
        "group": {"by": alert.group_name, "value": alert.group or None} if alert.group_name else None,
        "title": alert.title,
        "text": alert.text,
        "state": alert.state.value,
        "verdict": alert.verdict.value or None,
        "assignee": alert.assignee or None,
        "opened": iso(alert.opened),
        "opens_count": alert.opens_count,
        "first": iso(alert.first),
        "last": iso(alert.last),
        "closed": iso(alert.closed) if alert.closed else None,
        "count": alert.count,
        "actors": list(alert.actors),
        "evidence": f"/activity?{alert.evidence}" if alert.evidence else None,
        "steps": [
            {"at": iso(step.at), "who": step.who or None, "what": step.what, "note": step.note or None}
            for step in alert.steps
        ],
    }
