"""What a finding means for the alerts that are there already: a new one, a re-opened one, more of the same.

| the group's last alert | the same goes on | a new actor | after the calm |
|---|---|---|---|
| new | counted | counted | a new alert |
| acknowledged | counted | re-opened | a new alert |
| closed as benign or false | counted | re-opened | a new alert |
| closed as real | counted; a new alert by events after it alone | re-opened | a new alert |

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from webui.alerts.alert import MAX_ACTORS_COUNT, Alert, Opening, State, Verdict
from webui.alerts.deciding import Series


def near(series: Series, alert: Alert, calm: timedelta) -> bool:
    """Whether the finding is the same episode as the alert: no further from it than the calm."""
    return moment(series.first) <= alert.last + calm and moment(series.last) >= alert.first - calm


def same_episode(series: Series, known: Iterable[Alert], calm: timedelta) -> Alert | None:
    """Give the alert that the finding belongs to, the newest of them; None: there is none."""
    found = [alert for alert in known if near(series, alert, calm)]
    return max(found, key=lambda alert: alert.number, default=None)


def is_fresh(series: Series, alert: Alert) -> bool:
    """Whether an alert was closed as real, and what was found since would be an alert by itself."""
    return (
        alert.state is State.CLOSED
        and alert.verdict is Verdict.REAL
        and alert.closed is not None
        and moment(series.fresh) >= alert.closed
    )


def continued(series: Series, alert: Alert, evidence: str, opening: Opening) -> Alert:
    """Give an alert with a finding of its own episode added; the same one when nothing is new.

    `opening`: how it is told if that makes it news again.
    """
    strangers = [each for each in series.actors if each not in alert.actors]
    if len(alert.actors) >= MAX_ACTORS_COUNT:
        strangers = []
    first, last = moment(series.first), moment(series.last)
    if first >= alert.first and last <= alert.last and not strangers:
        return alert
    grown = replace(
        alert,
        first=min(first, alert.first),
        last=max(last, alert.last),
        count=alert.count + series.after(int(alert.last.timestamp())),
        actors=(*alert.actors, *strangers)[:MAX_ACTORS_COUNT],
        evidence=evidence,
    )
    if strangers and alert.state is not State.NEW:
        return grown.reopened(opening, f"somebody new: {', '.join(strangers[:5])}")
    return grown


def moment(secs: int) -> datetime:
    """Give a time of a finding as an aware one."""
    return datetime.fromtimestamp(secs, UTC)
