"""Weeks of a tenant's own calendar: Monday to Sunday (ISO 8601), cut at its own midnight. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from indexer.query import Window

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """A week by its ISO year and number."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """As ISO 8601 writes it: `2026-W47`."""
        return f"{self.year}-W{self.number:02d}"

    @property
    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    def window(self, zone: ZoneInfo) -> Window:
        """Give its stretch of time: 167 or 169 hours where clocks are changed; no gap to the next."""
        return Window(
            midnight(self.monday, zone),
            midnight(self.monday + timedelta(days=7), zone),
        )

    def opens(self, weekday: int, zone: ZoneInfo) -> datetime:
        """Say when its review opens: on a weekday (Monday is 1) of the week after it."""
        return midnight(self.monday + timedelta(days=6 + weekday), zone)


def week_of(moment: datetime, zone: ZoneInfo) -> Week:
    """Give the week that a moment lies in, by the zone's calendar."""
    year, number, _ = moment.astimezone(zone).date().isocalendar()
    return Week(year, number)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Give the moment at which a day begins, UTC; where midnight is skipped, when the clocks are changed."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def ended(since: datetime, now: datetime, weekday: int, zone: ZoneInfo, at_most: int) -> list[Week]:
    """Give the weeks whose review should be open by now, from that of `since` on; the newest `at_most`."""
    found: list[Week] = []
    first, week = week_of(since, zone), week_of(now, zone)
    while week >= first and len(found) < at_most:
        if week.opens(weekday, zone) <= now:
            found.append(week)
        before = week.monday - timedelta(days=7)
        week = Week(*before.isocalendar()[:2])
    return found[::-1]
