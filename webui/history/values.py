"""A change as people read it: quantities with their sign, status as words, long text word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.names import Names
from webui import wording

_LONG_CHARS: Final = 24
_MINUS: Final = "\N{MINUS SIGN}"
_WORD_OF_A_LIST: Final = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)*")
_LISTED: Final = re.compile(r"(Status|Type|Priority|Kind|State|Reason|Mode|Role)$")
_TOKENS: Final = re.compile(r"\s+|[^\s]+")
# Comparing takes time by the square of the words at least, and a page compares hundreds of values: what is
# longer (200 words on either side) is shown as one stretch that was replaced.
_COMPARED_PAIRS_COUNT: Final = 400 * 400


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a value; `changed` when the other side does not have it."""

    text: str
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: what it was, what it became, and by how much; None where there was no such side."""

    label: str
    name: str
    before: tuple[Piece, ...] | None
    after: tuple[Piece, ...] | None
    delta: str = ""


def difference(name: str, before: object, after: object, zone: ZoneInfo, names: Names) -> Difference:
    """Compare two values of a field, of which both are there; `names`: of the ids among them."""
    label = wording.field_name(name)
    if isinstance(before, str) and isinstance(after, str) and _is_prose(before, after):
        old, new = _by_words(before, after)
        return Difference(label, name, old, new)
    delta = ""
    if _is_number(before) and _is_number(after):
        delta = _signed(after - before)  # type: ignore[operator]
    return Difference(label, name, _one(name, before, zone, names), _one(name, after, zone, names), delta)


def lone(name: str, value: object, zone: ZoneInfo, names: Names, *, was: bool) -> Difference:
    """Give a field of a record that came (or, with `was`, went): it has one side."""
    pieces = _one(name, value, zone, names)
    return Difference(wording.field_name(name), name, pieces if was else None, None if was else pieces)


def value_text(name: str, value: object, zone: ZoneInfo, names: Names) -> str:
    """Give a value in words: moments in the zone, members of a list as words, ids with their names."""
    if isinstance(value, str) and _LISTED.search(name) and _WORD_OF_A_LIST.fullmatch(value):
        return wording.field_name(value)
    return wording.explained(wording.value_text(value, zone), names)


def _one(name: str, value: object, zone: ZoneInfo, names: Names) -> tuple[Piece, ...]:
    text = value_text(name, value, zone, names)
    return (Piece(text),) if text else ()


def _is_number(value: Any) -> bool:  # noqa: ANN401  whatever JSON lies there
    return isinstance(value, int | float) and not isinstance(value, bool)


def _signed(value: float) -> str:
    text = wording.value_text(float(round(value, 6)))
    return f"+{text}" if value > 0 else text.replace("-", _MINUS) if value < 0 else "±0"


def _is_prose(before: str, after: str) -> bool:
    return " " in before and " " in after and max(len(before), len(after)) > _LONG_CHARS


def _by_words(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    old, new = _TOKENS.findall(before), _TOKENS.findall(after)
    begun = _common_count(old, new)
    kept = _common_count(old[begun:][::-1], new[begun:][::-1])
    start, end = old[:begun], old[len(old) - kept :]
    old, new = old[begun : len(old) - kept], new[begun : len(new) - kept]
    codes = [("replace", 0, len(old), 0, len(new))]
    if len(old) * len(new) <= _COMPARED_PAIRS_COUNT:
        codes = list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())
    left = [Piece("".join(old[i:j]), changed=tag != "equal") for tag, i, j, _, _ in codes]
    right = [Piece("".join(new[i:j]), changed=tag != "equal") for tag, _, _, i, j in codes]
    first, last = (Piece("".join(each), changed=False) for each in (start, end))
    return tuple(_joined([first, *left, last])), tuple(_joined([first, *right, last]))


def _common_count(one: list[str], other: list[str]) -> int:
    """Count the tokens with which both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Join a changed piece, the space after it and the next changed one: one stretch, not three."""
    held: Piece | None = None
    for piece in filter(lambda each: each.text, pieces):
        if held is None:
            held = piece
        elif piece.changed == held.changed:
            held = Piece(held.text + piece.text, piece.changed)
        else:
            yield held
            held = piece
    if held is not None:
        yield held
