"""Numbers of payment cards in a text, also where other digits stand beside them (`… 12/26`, `… 123`)."""

import re
from collections.abc import Callable
from typing import Final

_RUN: Final = re.compile(r"(?<![\w.-])[0-9](?:[ -]?[0-9]){12,}+")
_GROUP: Final = re.compile(r"[0-9]+")
_AFTER: Final = re.compile(r"[\w-]")
_ISSUED: Final = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}"
)
_FIRST_DIGITS: Final = frozenset("23456")
_FEWEST: Final = 14
_MOST: Final = 19


def is_card(text: str) -> bool:
    """Whether digits are a payment card's: an issuer's prefix and length, and Luhn's sum.

    Thirteen digits are none: they are EAN barcodes, and every tenth of those satisfies Luhn too.
    """
    digits = "".join(char for char in text if char.isdigit())
    if not _ISSUED.fullmatch(digits):
        return False
    values = [int(char) for char in digits]
    doubled = (value * 2 - 9 if value > 4 else value * 2 for value in values[-2::-2])  # noqa: PLR2004 -- Luhn
    return (sum(values[-1::-2]) + sum(doubled)) % 10 == 0


def replaced(text: str, replace: Callable[[str], str]) -> str:
    """The text with `replace` of each card's number in its place."""
    return _RUN.sub(lambda run: _within(run, replace), text)


def _within(run: re.Match[str], replace: Callable[[str], str]) -> str:
    """A run of digits with its cards replaced: groups that begin and end at a blank or where the run does."""
    text = run[0]
    groups = [group.span() for group in _GROUP.finditer(text)]
    if _AFTER.match(run.string, run.end()):
        # The last group belongs to what follows, a word or a longer number.
        del groups[-1]
    parts: list[str] = []
    done = 0
    for number, (start, _) in enumerate(groups):
        if start < done or text[start] not in _FIRST_DIGITS or text[start - 1 : start] == "-":
            continue
        end = _end_of_card(text, start, groups[number : number + _MOST])
        if end:
            parts += (text[done:start], replace(text[start:end]))
            done = end
    return "".join((*parts, text[done:])) if parts else text


def _end_of_card(text: str, start: int, groups: list[tuple[int, int]]) -> int:
    """Where the longest card ends that begins at `start`; 0 if none does."""
    count = longest = 0
    for begin, end in groups:
        count += end - begin
        if count > _MOST:
            break
        if count >= _FEWEST and text[end : end + 1] != "-" and is_card(text[start:end]):
            longest = end
    return longest
