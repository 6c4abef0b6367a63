"""Local times of log lines as UTC in ISO 8601, converted once a minute of log, not once a line."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

_MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}


@lru_cache(maxsize=2048)
def serilog_minute(minute: bytes, zone: bytes) -> str:
    """Turn `2026-11-23 07:26` and `+01:00` into `2026-11-23T06:26`. Raises ValueError if it is no time."""
    return _utc_minute(f"{minute.decode('ascii')}{zone.decode('ascii')}")


@lru_cache(maxsize=2048)
def nginx_minute(minute: str, zone: str) -> str:
    """Turn `23/Nov/2026:07:26` and `+0100` into `2026-11-23T06:26`. Raises ValueError if it is no time."""
    month = _MONTHS.get(minute[3:6])
    if month is None:
        raise ValueError("a month that is none")
    return _utc_minute(f"{minute[7:11]}-{month:02d}-{minute[:2]} {minute[12:]}{zone[:3]}:{zone[3:]}")


@lru_cache(maxsize=2048)
def epoch_minute(minutes: int) -> str:
    """Turn minutes since 1970 into `2026-11-23T06:26`. Raises ValueError outside the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(minutes * 60, UTC).isoformat()[:16]
    except (OverflowError, OSError) as error:
        raise ValueError("a time outside the calendar") from error


def iso_instant(text: str) -> str:
    """Turn an ISO 8601 time with an offset into UTC, to the second. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    try:
        return f"{moment.astimezone(UTC).isoformat()[:19]}Z"
    except OverflowError as error:
        raise ValueError("a time outside the calendar") from error


def _utc_minute(text: str) -> str:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()[:16]
    except OverflowError as error:
        raise ValueError("a time outside the calendar") from error
