"""A monitor: whose it is, what it looks for, when and whom it tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.hours import edges
from indexer.query import OPERATOR, Scope, iso
from webui.alerts import condition as conditions
from webui.alerts.condition import GROUP_WORDS, Condition, Decision

EVERY_TENANT: Final = "*"
"""The owner of operators' monitors: they look at every tenant, and at what has none."""
MAX_NAME_CHARS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A monitor in one revision. Times are aware.

    `calm`: how long a group must be quiet before it is news again. `quiet`: hours like "22:00-06:00" in the
    tenant's zone in which nothing is told; empty: none. `since`: from when on it watches.
    """

    id: str
    owner: str
    name: str
    condition: Condition
    calm: timedelta
    quiet: str = ""
    channels: tuple[str, ...] = ()
    on: bool = True
    revision: int = 1
    since: datetime
    updated: datetime
    updated_by: str = ""

    @property
    def scope(self) -> Scope:
        """Whose events it may look at."""
        return OPERATOR if self.owner == EVERY_TENANT else Scope(self.owner)

    @property
    def rule(self) -> str:
        """What it finds, in one line."""
        asked = self.condition
        per = f" by {GROUP_WORDS[asked.group]}" if asked.group else ""
        window = duration(asked.window)
        decision = asked.kind.decision
        if decision is Decision.NIGHT:
            return f"{asked.threshold} or more outside business hours, per user and night"
        if decision is Decision.SEQUENCE:
            return f"a success after {asked.threshold} failures in {window}{per}"
        if decision is Decision.VOLUME:
            return f"{asked.threshold} exports or {asked.rows:,} rows in {window}{per}"
        if asked.threshold == 1:
            return f"each{per}"
        return f"{asked.threshold:,} in {window}{per}"

    def told_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Say when something that is found now is told: at once, or when the quiet hours end."""
        if not self.quiet:
            return now
        begin, end = edges(self.quiet)
        local = now.astimezone(zone)
        clock = local.time().replace(tzinfo=None)
        is_quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
        if not is_quiet:
            return now
        day = local.date() if clock < end else local.date() + timedelta(days=1)
        return datetime.combine(day, end, zone).astimezone(UTC)

    def document(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {
            "owner": self.owner,
            "name": self.name,
            "condition": self.condition.document(),
            "template": self.condition.template.value,
            "calm_secs": int(self.calm.total_seconds()),
            "quiet": self.quiet,
            "channels": list(self.channels),
            "on": self.on,
            "revision": self.revision,
            "since": iso(self.since),
            "updated": iso(self.updated),
            "updated_by": self.updated_by,
        }


def from_document(monitor_id: str, source: Mapping[str, Any]) -> Monitor:
    """Read a monitor back."""
    return Monitor(
        id=monitor_id,
        owner=source["owner"],
        name=source["name"],
        condition=conditions.from_document(source["condition"]),
        calm=timedelta(seconds=source["calm_secs"]),
        quiet=source["quiet"],
        channels=tuple(source["channels"]),
        on=source["on"],
        revision=source["revision"],
        since=datetime.fromisoformat(source["since"]),
        updated=datetime.fromisoformat(source["updated"]),
        updated_by=source["updated_by"],
    )


def duration(span: timedelta) -> str:
    """Say a length of time in words: `5 minutes`, `90 seconds`, `1 hour`."""
    secs = int(span.total_seconds())
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if secs % size == 0 and secs >= size:
            return f"{secs // size} {word}{'s' if secs != size else ''}"
    return f"{secs} second{'s' if secs != 1 else ''}"
