r"""How far the value of a secret's name reaches in a text: rather too far than a character too short.

Quotes may be escaped to any depth (`\"`, `\\\"`), or as nginx and .NET write them (`\x22`, `\u0022`).
Everything here is linear in the text, whatever it holds.
"""

import re
from typing import Final, NamedTuple

_MARK: Final = r"(?<!\\)(?:\\*[\"']|\\+(?:x2[27]|u002[27]))"
_MARKS: Final = re.compile(_MARK)
_BRACKETS: Final = re.compile(rf"[\[\]{{}}]|{_MARK}")
_QUERY_END: Final = re.compile(rf"[&#\s]|{_MARK}")
_LINE_END: Final = re.compile(rf"[\r\n]|{_MARK}")
# `Password=a;b` is one value, `Password=a;Port=1` is not.
_PLAIN_END: Final = re.compile(
    rf"\s|;(?=\s{{0,8}}[A-Za-z][\w ]{{0,40}}=)|&(?=[\w.+%\[\]-]{{1,64}}=)|{_MARK}", re.ASCII
)
_JSON_NUMBER: Final = re.compile(r"-?\d[\d.eE+-]*(?=[,}\]\s\\\"]|\Z)", re.ASCII)
_NAME_CHARS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-+%[]"
_BEFORE_COUNT: Final = 1024
_NAME_COUNT: Final = 128
_CLOSED_BEFORE: Final = frozenset(("", *" \t\r\n,)]}>\"'"))


class Span(NamedTuple):
    """A value: where the secret begins and ends, without its quotes, and where to read on."""

    start: int
    end: int
    done: int


class _Quote(NamedTuple):
    kind: str
    depth: int

    def closed_by(self, text: str, mark: re.Match[str]) -> bool:
        """Whether a later mark ends what this one began."""
        other = _quote(mark[0])
        if other.kind != self.kind or text[mark.start() - 4 : mark.start()].lower() == "\\x5c":
            return False
        return other.depth < self.depth or other.depth % (2 * self.depth + 2) == self.depth


def _quote(mark: str) -> _Quote:
    kind = '"' if mark.endswith(('"', "22")) else "'"
    return _Quote(kind, len(mark) - len(mark.lstrip("\\")))


def value(text: str, name: re.Match[str], *, whole_line: bool) -> Span:
    """The value that begins where a name, with the mark that follows it, ends."""
    start = name.end()
    in_query = _is_in_query(text, name.start())
    mark = _MARKS.match(text, start)
    if mark is not None:
        span = _quoted(text, mark)
        end = query_end(text, start) if in_query else 0
        return Span(span.start, end, end) if end > span.done else span
    if not in_query and text[start : start + 1] in {"[", "{"}:
        end = _bracketed(text, start)
        after = text[end : end + 1]
        if after.isalnum() or after == "_":
            end = _end(_PLAIN_END, text, end, {})
        return Span(start, end, end)
    is_quoted_name = _MARKS.search(text, name.end(1), start) is not None
    if is_quoted_name and (number := _JSON_NUMBER.match(text, start)) is not None:
        return Span(start, number.end(), number.end())
    around = {} if is_quoted_name else _around(text, name.start())
    if whole_line:
        end = _end(_LINE_END, text, start, around)
    elif in_query:
        end = _end(_QUERY_END, text, start, around)
    else:
        end = _end(_PLAIN_END, text, start, around)
        while end > start + 1 and text[end - 1] in ",;":
            end -= 1
    return Span(start, end, end)


def quoted(text: str, start: int) -> Span:
    """The value in the quotes that begin at `start`; an empty one where there are none."""
    mark = _MARKS.match(text, start)
    return Span(start, start, start) if mark is None else _quoted(text, mark)


def query_end(text: str, start: int) -> int:
    """Where a value of a query string ends that begins at `start`."""
    return _end(_QUERY_END, text, start, _around(text, start))


def depth(text: str) -> int:
    """How deep the brackets of a text are nested, at most."""
    deepest = level = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        level += 1 if bracket in "[{" else -1
        deepest = max(deepest, level)
    return deepest


def _is_in_query(text: str, start: int) -> bool:
    before = text[max(0, start - _NAME_COUNT) : start].rstrip(_NAME_CHARS)
    return before.endswith(("?", "&", "&amp;"))


def _around(text: str, start: int) -> dict[str, _Quote]:
    """The quotes that stand before: one of them may end the value."""
    first = max(0, start - _BEFORE_COUNT)
    found: dict[str, _Quote] = {}
    for spelt in ('"', "'", "x22", "x27", "u0022", "u0027"):
        place = text.rfind(spelt, first, start)
        if place >= 0:
            slashes = place - len(text[first:place].rstrip("\\")) - first
            if len(spelt) == 1 or slashes:
                quote = _quote("\\" * slashes + spelt)
                known = found.get(quote.kind)
                if known is None or known.depth < quote.depth:
                    found[quote.kind] = quote
    return found


def _end(stops: re.Pattern[str], text: str, start: int, around: dict[str, _Quote]) -> int:
    for stop in stops.finditer(text, start):
        if stop[0][-1] not in "\"'27":
            return stop.start()
        quote = around.get(_quote(stop[0]).kind)
        if quote is None or not quote.closed_by(text, stop):
            continue
        after = text[stop.end() : stop.end() + 1]
        if after in _CLOSED_BEFORE or after == "\\" or (after in ";:." and stops is not _LINE_END):
            return stop.start()
    return len(text)


def _quoted(text: str, mark: re.Match[str]) -> Span:
    opening = _quote(mark[0])
    for close in _MARKS.finditer(text, mark.end()):
        after = text[close.end() : close.end() + 1]
        if after.isalnum() or after == "_" or not opening.closed_by(text, close):
            continue
        own = len(mark[0]) if _quote(close[0]).depth >= opening.depth else len(close[0])
        return Span(mark.end(), close.end() - own, close.end())
    return Span(mark.end(), len(text), len(text))


def _bracketed(text: str, start: int) -> int:
    """Where the list or object ends that begins at `start`: brackets within its strings do not count."""
    level = 0
    inside: _Quote | None = None
    for mark in _BRACKETS.finditer(text, start):
        found = mark[0]
        if found in "[{":
            level += inside is None
        elif found in "]}":
            level -= inside is None
            if level == 0:
                return mark.end()
        elif inside is None:
            quote = _quote(found)
            inside = quote if quote.kind == '"' else None
        elif inside.closed_by(text, mark):
            inside = None
    return len(text)
