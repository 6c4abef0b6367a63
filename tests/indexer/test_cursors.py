"""Cursors: opaque, unforgeable, and at home in one scope and question."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.cursors import Cursor, CursorError, Cursors, Position
from indexer.query import OPERATOR, Scope, Window

KEY = b"k" * 32
MINE = Scope("e9006ab8-257f-4021-b60a-cbba785bad46")
THEIRS = Scope("1d0b6c1e-52a7-4c1b-9a53-6a1f0e8f2a02")
CURSOR = Cursor(
    Position(1795415195363111500, "Q2hlY2tzdW0xMjM0"),
    "older",
    Window(datetime(2026, 11, 23, 6, 0, 0, 5, UTC), None),
)


def test_opens_as_what_was_sealed() -> None:
    cursors = Cursors(KEY)
    assert cursors.open(cursors.seal(CURSOR, MINE, "q=x"), MINE, "q=x") == CURSOR


@pytest.mark.parametrize(
    ("key", "scope", "question"),
    [(KEY, THEIRS, "q=x"), (KEY, OPERATOR, "q=x"), (KEY, MINE, "q=y"), (b"j" * 32, MINE, "q=x")],
    ids=["another tenant", "an operator", "another question", "another installation"],
)
def test_does_not_open_for(key: bytes, scope: Scope, question: str) -> None:
    sealed = Cursors(KEY).seal(CURSOR, MINE, "q=x")
    with pytest.raises(CursorError):
        Cursors(key).open(sealed, scope, question)


@given(st.text(max_size=80))
def test_nothing_else_opens(text: str) -> None:
    with pytest.raises(CursorError):
        Cursors(KEY).open(text, MINE, "")


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_a_changed_byte_is_noticed(place: int, byte: int) -> None:
    cursors = Cursors(KEY)
    sealed = cursors.seal(CURSOR, MINE, "")
    at = place % len(sealed)
    changed = sealed[:at] + chr(byte) + sealed[at + 1 :]
    try:
        opened = cursors.open(changed, MINE, "")
    except CursorError:
        return
    # The last character holds bits that base64 leaves unused: it may change, what it says may not.
    assert opened == CURSOR


def test_a_stamp_is_only_good_for_its_own_question() -> None:
    cursors = Cursors(KEY)
    stamp = cursors.stamp(MINE, "anna q=x")
    assert cursors.stamped(stamp, MINE, "anna q=x")
    assert not cursors.stamped(stamp, MINE, "erik q=x")
    assert not cursors.stamped(stamp, THEIRS, "anna q=x")
    assert not cursors.stamped("å", MINE, "anna q=x")
