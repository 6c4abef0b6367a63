"""How one field is told, before and after."""

from zoneinfo import ZoneInfo

import pytest

from webui.history.values import Piece, difference

UTC_ZONE = ZoneInfo("UTC")


def told(before: str, after: str) -> tuple[tuple[Piece, ...] | None, tuple[Piece, ...] | None]:
    found = difference("Notes", before, after, UTC_ZONE, {})
    return found.before, found.after


@pytest.mark.parametrize(
    ("before", "after", "was", "became"),
    [
        ("leave at the door of hall 3", "leave at the gate of hall 3", ("door",), ("gate",)),
        ("leave it at the door of hall 3", "leave it at the door", ("of", "hall", "3"), ()),
        ("call the customer before noon", "please call the customer before noon", (), ("please",)),
        ("one two three four five six", "ONE two three four five SIX", ("one", "six"), ("ONE", "SIX")),
    ],
    ids=["middle", "end", "begin", "both ends"],
)
def test_only_the_words_that_differ_are_marked(
    before: str, after: str, was: tuple[str, ...], became: tuple[str, ...]
) -> None:
    sides = told(before, after)

    assert [
        tuple(word for piece in side or () if piece.changed for word in piece.text.split()) for side in sides
    ] == [
        was,
        became,
    ]
    assert ["".join(piece.text for piece in side or ()) for side in sides] == [before, after]


# Word by word this takes a quarter of a minute, and a history has fifty entries on a page.
@pytest.mark.timeout(5)
def test_texts_that_differ_in_thousands_of_words_are_told_as_one_stretch_between_what_both_have() -> None:
    before = f"Note: {'a b ' * 2000}end"
    after = f"Note: {'b c a ' * 1300}end"

    old, new = told(before, after)

    assert [piece.changed for piece in old or ()] == [False, True, False]
    assert [piece.changed for piece in new or ()] == [False, True, False]
    assert "".join(piece.text for piece in new or ()) == after
