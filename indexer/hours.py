"""Hours of the day as people choose them: `7` is from 07:00 to 07:59, `18-7` from 18:00 to 06:59. Pure."""

from __future__ import annotations

from datetime import time
from typing import Final

_HOURS_A_DAY: Final = 24


def hours_of(text: str) -> tuple[int, ...]:
    """Give the hours that a choice means, in their order; ValueError when it is none."""
    first, dash, end = text.partition("-")
    if not first.isascii() or not first.isdigit() or (dash and not (end.isascii() and end.isdigit())):
        raise ValueError(f"{text!r} is no hour such as 7, and no hours such as 18-7")
    start, stop = int(first), int(end) if dash else int(first) + 1
    if start >= _HOURS_A_DAY or stop > _HOURS_A_DAY or (dash and start == stop % _HOURS_A_DAY):
        raise ValueError(f"{text!r} is not within a day of 24 hours")
    length = stop - start if stop > start else stop + _HOURS_A_DAY - start
    return tuple((start + number) % _HOURS_A_DAY for number in range(length))


def edges(text: str) -> tuple[time, time]:
    """Give begin and end of hours such as 07:00-18:00; an end of 24:00 is midnight: the whole evening."""
    begin, _, end = text.partition("-")
    return time.fromisoformat(begin), time.fromisoformat(end.replace("24:00", "00:00"))


def outside(business: tuple[time, time]) -> str:
    """Give the full hours outside of business hours; empty when there are none.

    An hour that is partly inside (a day that begins at 07:30) counts as inside: nobody is said to have worked
    at night who did not.
    """
    begin, end = (each.hour * 60 + each.minute for each in business)
    start = -(-end // 60)
    count = ((begin - end) % (_HOURS_A_DAY * 60) - (start * 60 - end)) // 60
    return f"{start % _HOURS_A_DAY}-{(start + count) % _HOURS_A_DAY}" if count > 0 else ""
