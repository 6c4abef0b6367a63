"""When something happened, as the warehouse's clock on the wall showed it."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import structlog

UNDATED: Final = "2000-01-01T00:00:00.000000000Z"
"""The time of a record without a usable one that no record with a usable one precedes in its file."""

_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?\s?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_UNKNOWN_ZONE: Final = "UTC"
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100

log = structlog.get_logger()


def utc_text(printed: object) -> str | None:
    """A printed time as `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ` in UTC.

    None when it is no time or outside 2000 to 2100.
    """
    found = _ISO.fullmatch(printed) if isinstance(printed, str) else None
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in (None, 'Z') else zone}")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(fraction or '').ljust(9, '0')}Z"


@lru_cache
def known_zone(name: str) -> str:
    """The IANA zone of this name; UTC, and said once, where this machine's tzdata is too old to know it."""
    try:
        return ZoneInfo(name).key
    except (LookupError, ValueError, IsADirectoryError, NotADirectoryError):
        log.warning("zone_unknown", zone=name, instead=_UNKNOWN_ZONE)
        return _UNKNOWN_ZONE


def hour_and_weekday(minute: str, zone: str) -> tuple[int, int]:
    """Hour (0 to 23) and weekday (Monday is 1) of a UTC minute, `YYYY-MM-DDTHH:MM`, in an IANA zone."""
    local = datetime.fromisoformat(minute).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    return local.hour, local.isoweekday()


def text_of(moment: datetime) -> str:
    """An aware time as UTC text that compares like the event times do."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:26]}000Z"


def days_before(moment: datetime, days: int) -> str:
    """The time so many days before, as text."""
    return text_of(moment - timedelta(days=days))
