"""Signs of secrets in raw bytes: one pass in C decides which records have to be looked at closely.

What is found is only a reason to look (`token` also stands in `Tokenizer`). What is not found is no secret by
name or shape, whatever the case of its letters.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from string import ascii_uppercase
from typing import Final

import ahocorasick_rs

# Letters lowered, digits made "0"; positions stay as they are.
_FOLD: Final = bytes(
    ord("0") if chr(code) in "0123456789" else code + 32 if chr(code) in ascii_uppercase else code
    for code in range(256)
)
_CARD: Final = re.compile(rb"(?<![\w.-])[2-6](?:[ -]?[0-9]){12,18}(?![\w-])")
_PIN: Final = re.compile(rb"[Pp]inG|PING[a-z]")
_CARD_ROOM: Final = 16
# Of so many signs the automaton fits into a few MiB; by itself the library makes one of no more than 100, and
# another search takes half as long again.
_DFA_COUNT: Final = 1000
# What can hide a name or a shape: letters, digits, `_-.`, `%` itself, a space in a number.
_ENCODED: Final = re.compile(rb"%(?:2[5BbDdEe]|(?<=[0-9]%)20(?=[0-9])|3\d|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff])")
LOGIN: Final = r"(://[^\s/?#@:\"'<>\\]*+:)(?![0-9]{1,5}[,;)])([^\s/?#\"'<>\\]+)(?=@)"
"""A URL that signs in, `amqp://user:password@host`: what stands before the password, and the password."""

_LOGIN: Final = re.compile(LOGIN.encode())
_ESCAPED_ASCII: Final = re.compile(rb"\\u00[2-7]")


class Sign(StrEnum):
    """What was found."""

    HARMLESS = "harmless"
    NAME = "name"
    BEARER = "bearer"
    LOGIN = "login"
    PEM = "pem"
    JWT = "jwt"
    CARD = "card"
    ESCAPE = "escape"
    ENCODED = "encoded"


SEPARATORS: Final = ("", "_", "-", ".", " ", "+", "][", "%00")
"""What can stand between the words of one name; digits as `0`, so `%20`."""

_TWO_WORDS: Final = (
    ("api", "key"),
    ("access", "key"),
    ("account", "key"),
    ("private", "key"),
    ("recovery", "code"),
    ("pass", "phrase"),
    ("pass", "code"),
    ("security", "stamp"),
    ("concurrency", "stamp"),
    ("connection", "string"),
)
_NAMES: Final = (
    *("passw", "pwd", "secret", "token", "authorization", "cookie", "cvv", "cvc", "pin", "otp", "credential"),
    *(separator.join(words) for words in _TWO_WORDS for separator in SEPARATORS),
)
# Words that only look like names of secrets. They begin or are listed earlier, so they are found instead.
_HARMLESS: Final = (
    *("cancellationtoken", "aspnetcore.authorization", "in the connection string to include", "buffertoken"),
    *("ping", "pinvoke"),
)
_CARDS: Final = (
    *("00000000000000", "0000 0000 0000 0", "0000-0000-0000-0", "0000 000000 000", "0000-000000-000"),
)
_PATTERNS: Final = (
    (_HARMLESS, Sign.HARMLESS),
    (_NAMES, Sign.NAME),
    (("bearer",), Sign.BEARER),
    (("://",), Sign.LOGIN),
    (("-----begin",), Sign.PEM),
    (("eyj",), Sign.JWT),
    (_CARDS, Sign.CARD),
    # A printable character written as an escape could hide any of the names.
    (("\\u00",), Sign.ESCAPE),
    (("%",), Sign.ENCODED),
)


class Signs:
    """Finds signs; `extra` are more names, in each spelling that is to be found."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        names = [name.encode().translate(_FOLD) for name in extra]
        # Of two signs that begin at one place the one listed first is found: these go before `%`.
        signs = {name: Sign.NAME for name in names if name.startswith((b"%", b"\\"))}
        signs.update((text.encode(), sign) for texts, sign in _PATTERNS for text in texts)
        for name in names:
            signs.setdefault(name, Sign.NAME)
        signs.pop(b"", None)
        self._signs = list(signs.values())
        self._find = ahocorasick_rs.BytesAhoCorasick(
            list(signs),
            matchkind=ahocorasick_rs.MatchKind.LeftmostFirst,
            implementation=ahocorasick_rs.Implementation.DFA if len(signs) <= _DFA_COUNT else None,
        ).find_matches_as_indexes

    def suspects(self, records: list[tuple[int, bytes]]) -> set[int]:
        """Positions of the records with a sign; give several at once, since each search has its price."""
        raws = [raw for _, raw in records]
        block = raws[0] if len(raws) == 1 else b"\n".join(raws)
        suspects: set[int] = set()
        number, record_end = 0, len(raws[0])
        done = -1
        for index, start, end in self._find(block.translate(_FOLD)):
            if start < done or not _is_reason(self._signs[index], block, start, end):
                continue
            while start > record_end:
                number += 1
                record_end += 1 + len(raws[number])
            suspects.add(records[number][0])
            done = record_end
        return suspects

    def find(self, raw: bytes) -> list[tuple[Sign, int, int]]:
        """Every sign in the bytes with its start and end, from left to right."""
        found: list[tuple[Sign, int, int]] = []
        for index, start, end in self._find(raw.translate(_FOLD)):
            sign = self._signs[index]
            if _is_reason(sign, raw, start, end):
                found.append((Sign.NAME if sign is Sign.HARMLESS else sign, start, end))
        return found


def _is_reason(sign: Sign, raw: bytes, start: int, end: int) -> bool:
    if sign is Sign.NAME:
        return True
    if sign is Sign.CARD:
        return _CARD.search(raw, start, end + _CARD_ROOM) is not None
    if sign is Sign.LOGIN:
        return _LOGIN.match(raw, start) is not None
    if sign is Sign.ESCAPE:
        return _ESCAPED_ASCII.match(raw, start) is not None
    if sign is Sign.ENCODED:
        return _ENCODED.match(raw, start) is not None
    # `Shipping` is harmless, `PinGuess` and `PINGenerated` are not.
    return sign is not Sign.HARMLESS or _PIN.match(raw, start) is not None
