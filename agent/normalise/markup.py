"""Secrets in a text whose names no `=` or `:` follows: in elements, in attributes, in pairs of a list.

`<Password>x</Password>`, `<add key="Password" value="x"/>`, `{"name":"Password","value":"x"}`,
`["Password","x"]` and .NET's `[Password, x]`; behind quoted names with any mark in them, `"Pin (new)":"x"`.
Rather too far than a character too short, and linear in the text, whatever it holds.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from agent.normalise import spans

_LESS: Final = r"(?:<|&lt;|\\+u003[cC])"
_MORE: Final = r"(?:>|&gt;|\\+u003[eE])"
_TAG: Final = r"(?:[A-Za-z_][\w-]{0,63}:)?([A-Za-z_][\w.-]*+)"
_OPENING: Final = re.compile(_LESS + _TAG, re.ASCII)
_CLOSING: Final = re.compile(rf"{_LESS}\s{{0,8}}/{_TAG}", re.ASCII)
_TAG_END: Final = re.compile(rf"{_MORE}|<")
_NEXT_TAG: Final = re.compile(_LESS)
# Of how many names it is looked for to the end of the text whether their elements are closed.
_SCANS: Final = 16
_GENERIC: Final = re.compile(r"[\w`]", re.ASCII)

_QUOTE: Final = r"\\*[\"']"
_LABELLED: Final = re.compile(
    rf"\b(?:key|name|field|header|setting|property)(?:{_QUOTE})?\s{{0,8}}[:=]\s{{0,8}}"
    rf"({_QUOTE})([^\"'\\<>]{{1,256}})\1[^<>{{}}]{{0,200}}?"
    rf"\b(?:old|new)?values?(?:{_QUOTE})?\s{{0,8}}[:=]\s{{0,8}}(?={_QUOTE})",
    re.ASCII | re.IGNORECASE,
)
_QUOTED: Final = re.compile(
    rf"(?<!\\)({_QUOTE})([^\"'\\<>\r\n]{{1,128}})\1\s{{0,8}}:\s{{0,8}}(?={_QUOTE})", re.ASCII
)
_LAST_WORD: Final = re.compile(r"[\w.+@-]*+\Z", re.ASCII)
_PAIR: Final = re.compile(rf"\[\s{{0,8}}((?:{_QUOTE})?)([A-Za-z_@][\w. +-]*+)\1\s{{0,8}},\s{{0,8}}", re.ASCII)
_PAIR_END: Final = re.compile(r"\s{0,8}(?:\]|\Z)")
_BARE: Final = re.compile(r"[^\[\],\r\n\"']{1,4096}(?=\]|\Z)")

IsSensitive = Callable[[str], bool]
Spans = Iterator[tuple[int, int]]


def values(text: str, is_sensitive: IsSensitive) -> Spans:
    """Begin and end of each such value, from left to right; none lies within another."""
    done = 0
    found = (
        *_of_elements(text, is_sensitive),
        *_of_labels(text, is_sensitive),
        *_of_pairs(text, is_sensitive),
        *_of_quoted_names(text, is_sensitive),
    )
    for start, end in sorted(found):
        if start >= done and text[start:end].strip():
            yield start, end
            done = end


def _of_elements(text: str, is_sensitive: IsSensitive) -> Spans:
    done = 0
    unclosed: set[str] = set()
    for opening in _OPENING.finditer(text):
        name = opening[1]
        if opening.start() < done or not is_sensitive(name):
            continue
        tag_end = _TAG_END.search(text, opening.end())
        if tag_end is None or tag_end[0] == "<" or text[tag_end.start() - 1] == "/":
            continue
        start = tag_end.end()
        end = -1 if name in unclosed or len(unclosed) >= _SCANS else _closed_at(text, start, name)
        if end < 0:
            unclosed.add(name)
            # `Task<Token>` is a type. What is cut off may be an element all the same.
            if _GENERIC.match(text, opening.start() - 1 if opening.start() else len(text)):
                continue
            next_tag = _NEXT_TAG.search(text, start)
            end = len(text) if next_tag is None else next_tag.start()
        yield start, end
        done = end


def _closed_at(text: str, start: int, name: str) -> int:
    """Where the element of this name is closed; -1 if it is not."""
    for closing in _CLOSING.finditer(text, start):
        if closing[1] == name:
            return closing.start()
    return -1


def _of_labels(text: str, is_sensitive: IsSensitive) -> Spans:
    for label in _LABELLED.finditer(text):
        if is_sensitive(label[2]):
            span = spans.quoted(text, label.end())
            yield span.start, span.end


def _of_quoted_names(text: str, is_sensitive: IsSensitive) -> Spans:
    for name in _QUOTED.finditer(text):
        last = _LAST_WORD.search(name[2])
        # What ends in the name of a secret is found as any other pair is.
        if is_sensitive(name[2]) and not (last is not None and is_sensitive(last[0])):
            span = spans.quoted(text, name.end())
            yield span.start, span.end


def _of_pairs(text: str, is_sensitive: IsSensitive) -> Spans:
    for pair in _PAIR.finditer(text):
        if not is_sensitive(pair[2]):
            continue
        start = pair.end()
        if text[start : start + 1] in {'"', "'", "\\"} and (span := spans.quoted(text, start)).start > start:
            if _PAIR_END.match(text, span.done):
                yield span.start, span.end
        elif bare := _BARE.match(text, start):
            yield bare.span()
