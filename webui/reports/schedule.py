"""A report that is made every week or month: of which periods, when each is due, how it is stored. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.query import OPERATOR, Scope, Window, iso
from webui.reports.parameters import midnight

EVERY_TENANT: Final = "*"
DELAY: Final = timedelta(hours=3)
"""How long after its end a period is due: agents that were cut off for a while have delivered by then."""
MADE_UP_COUNT: Final = 3
"""How many missed periods are made up, the newest ones."""
ZONES_APART: Final = timedelta(days=2)
"""No two zones are that far apart: a period that ends so soon after another is the same in another zone."""
_JOB_ID_CHARS: Final = 16


class Every(StrEnum):
    """How often; a week begins on Monday."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Run:
    """One period that is being made: its export, and the period."""

    job: str
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is made for whom. Times are aware; `tenant` and `scope` are `*` for all tenants."""

    id: str
    tenant: str
    """Whose report it is, and whose channels tell it."""
    scope: str
    """What its owner may see."""
    account: str
    kind: str
    users: tuple[str, ...]
    every: Every
    format: str
    channels: tuple[str, ...]
    created: datetime
    since: datetime
    """Periods that end later are made: it was made or resumed then."""
    last: datetime | None = None
    """When the last period that was begun ends."""
    last_job: str = ""
    skipped: int = 0
    """How many missed periods were not made up."""
    open: tuple[Run, ...] = ()
    """Begun, and not told yet."""
    paused: bool = False
    problem: str = ""
    """Why it was paused by itself."""

    @property
    def owner_scope(self) -> Scope:
        """What its owner may see."""
        return OPERATOR if self.scope == EVERY_TENANT else Scope(self.scope)

    def due(self, zone: ZoneInfo, now: datetime) -> tuple[list[Window], int]:
        """Give the periods to begin, the oldest first, and how many before them are given up."""
        missed = list(takewhile(lambda each: _ends(each) + DELAY <= now, self._following(zone)))
        return missed[-MADE_UP_COUNT:], max(0, len(missed) - MADE_UP_COUNT)

    def next_run(self, zone: ZoneInfo, now: datetime) -> datetime:
        """Say when the next period is due."""
        return next(due for each in self._following(zone) if (due := _ends(each) + DELAY) > now)

    def _following(self, zone: ZoneInfo) -> Iterator[Window]:
        """Give the periods that were not begun, for ever; none again because the zone was changed."""
        after = self.since if self.last is None else max(self.since, self.last + ZONES_APART)
        return periods(self.every, zone, after)

    def job_id(self, window: Window) -> str:
        """Give the id of a period's export: the same whoever begins it."""
        text = f"{self.id}\n{iso(_ends(window))}"
        return hashlib.sha256(text.encode()).hexdigest()[:_JOB_ID_CHARS]

    def document(self) -> dict[str, Any]:
        """Give the schedule as it is stored."""
        return {
            "tenant": self.tenant,
            "scope": self.scope,
            "account": self.account,
            "kind": self.kind,
            "users": list(self.users),
            "every": self.every.value,
            "format": self.format,
            "channels": list(self.channels),
            "created": iso(self.created),
            "since": iso(self.since),
            "last": iso(self.last) if self.last else None,
            "last_job": self.last_job,
            "skipped": self.skipped,
            "open": [
                {"job": run.job, "from": iso(_starts(run.window)), "to": iso(_ends(run.window))}
                for run in self.open
            ],
            "paused": self.paused,
            "problem": self.problem,
        }


def from_document(schedule_id: str, source: Mapping[str, Any]) -> Schedule:
    """Read a schedule back."""
    return Schedule(
        id=schedule_id,
        tenant=source["tenant"],
        scope=source["scope"],
        account=source["account"],
        kind=source["kind"],
        users=tuple(source["users"]),
        every=Every(source["every"]),
        format=source["format"],
        channels=tuple(source["channels"]),
        created=datetime.fromisoformat(source["created"]),
        since=datetime.fromisoformat(source["since"]),
        last=datetime.fromisoformat(source["last"]) if source["last"] else None,
        last_job=source["last_job"],
        skipped=source["skipped"],
        open=tuple(
            Run(
                each["job"],
                Window(datetime.fromisoformat(each["from"]), datetime.fromisoformat(each["to"])),
            )
            for each in source["open"]
        ),
        paused=source["paused"],
        problem=source["problem"],
    )


def periods(every: Every, zone: ZoneInfo, after: datetime) -> Iterator[Window]:
    """Give the weeks or months of a zone that end after a moment, for ever; local days decide, not hours."""
    today = after.astimezone(zone).date()
    first = today - timedelta(days=today.weekday()) if every is Every.WEEKLY else today.replace(day=1)
    while True:
        following = _following(every, first)
        window = Window(midnight(first, zone), midnight(following, zone))
        if _ends(window) > after:
            yield window
        first = following


def _following(every: Every, first: date) -> date:
    if every is Every.WEEKLY:
        return first + timedelta(days=7)
    return (first + timedelta(days=31)).replace(day=1)


def _starts(window: Window) -> datetime:
    assert window.start is not None  # noqa: S101  periods have both
    return window.start


def _ends(window: Window) -> datetime:
    assert window.end is not None  # noqa: S101  periods have both
    return window.end
