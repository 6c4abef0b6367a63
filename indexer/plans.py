"""A tenant and the append-only history of its plans. Pure.

The class of an event is a function of its tenant and its time; these are the rules that keep it one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer import hours
from indexer.classes import LONGEST, MAXIMUM_DAYS, MINIMUM_DAYS, PLANS
from indexer.errors import PermanentError, SettingsError

# How old an agent's copy of the tenants may be. An agent with an older one stops delivering; a plan entry is
# refused unless it becomes effective later than every copy that does not have it yet can be in use.
CACHE_SECS: Final = 300
# How long writing an entry may take, from looking at the clock until the store has it.
WRITE_SECS: Final = 60
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """From `start` (a full UTC hour) on, the tenant has `plan`; `days` where it differs from its class's."""

    plan: str
    start: datetime
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant as it is now; `plans` in the order of their `start`, which only ever grows."""

    id: str
    name: str
    zone: str
    hours: str
    plans: tuple[PlanEntry, ...]
    revision: int
    erased: datetime | None = None
    """Since when nothing of it is kept any more."""

    def plan_at(self, moment: datetime) -> PlanEntry | None:
        """Return the entry in force at a moment; None before the first."""
        return next((entry for entry in reversed(self.plans) if entry.start <= moment), None)

    def business_hours(self) -> tuple[time, time]:
        """Return when the day begins and ends, local; an end of midnight means the whole evening."""
        return hours.edges(self.hours)

    def to_source(self, now: datetime) -> dict[str, Any]:
        """Write as JSON, for the store."""
        plans = [
            {"plan": entry.plan, "from": iso(entry.start), **({"days": entry.days} if entry.days else {})}
            for entry in self.plans
        ]
        return {
            "name": self.name,
            "zone": self.zone,
            "hours": self.hours,
            "plans": plans,
            "revision": self.revision,
            "updated": iso(now),
            **({"erased": iso(self.erased)} if self.erased else {}),
        }

    @classmethod
    def from_source(cls, tenant_id: str, source: Mapping[str, Any]) -> Tenant:
        """Read what `to_source` wrote; `PermanentError` when it is something else."""
        try:
            plans = tuple(
                PlanEntry(entry["plan"], datetime.fromisoformat(entry["from"]), entry.get("days"))
                for entry in source["plans"]
            )
            erased = source.get("erased")
            tenant = cls(
                tenant_id,
                source["name"],
                source["zone"],
                source["hours"],
                plans,
                source["revision"],
                datetime.fromisoformat(erased) if erased else None,
            )
        except (LookupError, TypeError, ValueError) as error:
            raise PermanentError(f"the document of tenant {tenant_id} is not readable: {error!r}") from error
        return tenant


def checked_id(text: str) -> str:
    """Return a tenant's id in lower case; `SettingsError` unless it is a GUID."""
    found = text.strip().lower()
    if not _GUID.fullmatch(found):
        raise SettingsError(f"tenant {text!r} is no GUID such as 7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa")
    return found


def checked_zone(name: str) -> str:
    """Return an IANA time zone's name; `SettingsError` unless this machine knows it."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise SettingsError(f"zone {name!r} is no IANA time zone such as Europe/Madrid") from None
    return name


def checked_hours(text: str) -> str:
    """Return business hours; `SettingsError` unless like 07:00-18:00 (22:00-06:00 spans midnight)."""
    if not _HOURS.fullmatch(text) or text[:5] == text[6:]:
        raise SettingsError(f"hours {text!r} are not like 07:00-18:00 (00:00-24:00 for always)")
    return text


def checked_days(plan: str, days: int | None) -> int | None:
    """Return a tenant's own number of days; `SettingsError` unless the plan allows it."""
    if plan not in PLANS:
        raise SettingsError(f"plan {plan!r} does not exist; there are {', '.join(PLANS)}")
    if days is not None and not MINIMUM_DAYS[plan] <= days <= MAXIMUM_DAYS:
        raise SettingsError(
            f"{days} days do not fit the plan {plan}: it keeps {MINIMUM_DAYS[plan]} to {MAXIMUM_DAYS} days"
        )
    return days


def next_plans(
    plans: tuple[PlanEntry, ...], plan: str, days: int | None, start: datetime | None, now: datetime
) -> tuple[PlanEntry, ...]:
    """Return the history with the plan appended; as it is when its last entry says the same already.

    Without a start, it holds from the next full hour that every agent will know it by. Before its first
    entry a tenant is in the longest class, so a first entry of that class may begin at any time, and does
    since ever without a start. `SettingsError` for a start that would change where events already lie.
    """
    if plans and plans[-1] == PlanEntry(plan, start or plans[-1].start, days):
        return plans
    earliest = next_hour(now + timedelta(seconds=CACHE_SECS + WRITE_SECS))
    if plans:
        earliest = max(earliest, plans[-1].start + timedelta(hours=1))
    elif plan == LONGEST:
        earliest = EPOCH
    start = start or earliest
    if start != next_hour(start):
        raise SettingsError(f"--from {iso(start)} is not a full hour (UTC); plans change at full hours")
    if start < earliest:
        other = "" if plans else f" (only {LONGEST}, where a tenant is before its first plan, begins earlier)"
        raise SettingsError(
            f"--from {iso(start)} is too early: a plan entry is never changed, and each new one must be "
            f"known to every agent before it holds; the earliest is {iso(earliest)}{other}"
        )
    return (*plans, PlanEntry(plan, start, days))


def iso(moment: datetime) -> str:
    """Write a moment as UTC text to the second: "2026-11-23T06:26:35Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def next_hour(moment: datetime) -> datetime:
    """Return the full UTC hour at or after a moment."""
    moment = moment.astimezone(UTC)
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + timedelta(hours=1)
