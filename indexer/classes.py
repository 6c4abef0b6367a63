"""Retention classes: how long events are kept, and how long a stretch of time shares one partition.

What holds is recorded in the store (the tenants' `directory` document) by `audit-indexer apply`, so that
every agent places events alike; the `AUDIT_<CLASS>_DAYS` and `_PERIOD` variables are what `apply` records,
and nothing else reads them. A class's period cannot change while it has partitions: a resend would land
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field

from indexer.errors import PermanentError
from indexer.partitions import DAY, MONTH, PERIODS
from indexer.settings import Variables

STARTER: Final = "starter"
BUSINESS: Final = "business"
ENTERPRISE: Final = "enterprise"
HOLD: Final = "hold"
# The class of events whose tenant nobody has told us about: better too long than too short.
LONGEST: Final = ENTERPRISE
PLANS: Final = (STARTER, BUSINESS, ENTERPRISE)
MINIMUM_DAYS: Final[Mapping[str, int]] = {STARTER: 30, BUSINESS: 90, ENTERPRISE: 365}
# Ten years, leap days included.
MAXIMUM_DAYS: Final = 3653


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """`days` an event of this class is kept (None: until a person says so), `period` of one partition."""

    name: str
    days: int | None
    period: str


@dataclass(frozen=True, slots=True)
class Classes:
    """All classes, by name."""

    by_name: Mapping[str, RetentionClass]

    def __getitem__(self, name: str) -> RetentionClass:
        return self.by_name[name]

    def __iter__(self) -> Iterator[RetentionClass]:
        return iter(self.by_name.values())

    def to_source(self) -> dict[str, dict[str, Any]]:
        """Write as JSON, for the store."""
        return {found.name: {"days": found.days, "period": found.period} for found in self}

    @classmethod
    def from_source(cls, source: Mapping[str, Any]) -> Classes:
        """Read what `to_source` wrote; `PermanentError` when it is something else."""
        try:
            read = {
                name: RetentionClass(name, about["days"], about["period"]) for name, about in source.items()
            }
        except (LookupError, TypeError, AttributeError):
            read = {}
        sound = set(read) == set(DEFAULTS.by_name) and all(
            found.period in PERIODS and (found.days is None) == (found.name == HOLD)
            for found in read.values()
        )
        if not sound:
            raise PermanentError(f"the retention classes in the store are not readable: {dict(source)!r}")
        return cls(read)


DEFAULTS: Final = Classes(
    {
        STARTER: RetentionClass(STARTER, 30, DAY),
        BUSINESS: RetentionClass(BUSINESS, 90, DAY),
        ENTERPRISE: RetentionClass(ENTERPRISE, 365, MONTH),
        HOLD: RetentionClass(HOLD, None, MONTH),
    }
)

_Period = Literal["day", "month"]


class ClassSettings(Variables):
    """What `apply` shall record; a variable that is not set leaves what is recorded, or the default."""

    starter_days: int | None = Field(None, ge=MINIMUM_DAYS[STARTER], le=MAXIMUM_DAYS)
    starter_period: _Period | None = None
    business_days: int | None = Field(None, ge=MINIMUM_DAYS[BUSINESS], le=MAXIMUM_DAYS)
    business_period: _Period | None = None
    enterprise_days: int | None = Field(None, ge=MINIMUM_DAYS[ENTERPRISE], le=MAXIMUM_DAYS)
    enterprise_period: _Period | None = None

    def over(self, recorded: Classes) -> Classes:
        """Return the recorded classes with these settings put over them."""
        return Classes(
            {
                found.name: RetentionClass(
                    found.name,
                    getattr(self, f"{found.name}_days", None) or found.days,
                    getattr(self, f"{found.name}_period", None) or found.period,
                )
                for found in recorded
            }
        )
