"""Hours of the day: what is chosen, and what lies outside of business hours."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.hours import hours_of, outside

A_DAY = 24 * 60
minutes = st.integers(0, A_DAY - 1)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("7", (7,)),
        ("0-3", (0, 1, 2)),
        ("22-2", (22, 23, 0, 1)),
        ("18-24", (18, 19, 20, 21, 22, 23)),
        ("0", (0,)),
        ("23", (23,)),
    ],
)
def test_a_choice_of_hours(text: str, hours: tuple[int, ...]) -> None:
    assert hours_of(text) == hours


@pytest.mark.parametrize(
    "text", ["", "24", "7-25", "7-7", "0-24", "7-", "-7", "a", "7:00", "\u0667", "1-2-3"]
)
def test_what_is_no_hour(text: str) -> None:
    with pytest.raises(ValueError, match=r"no hour|not within"):
        hours_of(text)


@pytest.mark.parametrize(
    ("begin", "end", "found"),
    [
        ("07:00", "18:00", "18-7"),
        ("07:30", "17:30", "18-7"),
        ("00:00", "00:00", ""),
        ("06:00", "00:00", "0-6"),
        ("00:00", "18:00", "18-0"),
        ("00:30", "18:00", "18-0"),
        ("22:00", "06:00", "6-22"),
        ("23:30", "23:00", ""),
        ("22:30", "22:15", ""),
        ("00:30", "23:30", ""),
    ],
)
def test_what_lies_outside_of_business_hours(begin: str, end: str, found: str) -> None:
    text = outside((time.fromisoformat(begin), time.fromisoformat(end)))
    assert text == found
    if text:
        hours_of(text)


@given(minutes, minutes)
def test_an_hour_is_outside_when_no_minute_of_it_is_inside(begin: int, end: int) -> None:
    inside = {(begin + number) % A_DAY // 60 for number in range((end - begin) % A_DAY or A_DAY)}
    text = outside((time(begin // 60, begin % 60), time(end // 60, end % 60)))
    assert set(hours_of(text) if text else ()) == set(range(24)) - inside
