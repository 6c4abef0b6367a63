"""Secrets end here: a keyed fingerprint takes a value's place before anything is stored or printed.

By name (split into words, at any depth, also inside JSON, query strings and headers in texts) and by shape
(JWT, Bearer, PEM, card numbers). Equal secrets get equal fingerprints under one key, so "was it changed, and
to the same value?" stays answerable.
"""

import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote_plus

import ahocorasick_rs
import orjson

from agent.normalise import cards, markup, spans
from agent.normalise.names import Names, words
from agent.normalise.signs import LOGIN, Sign, Signs

_WHOLE_LINE: Final = frozenset({"authorization", "cookie", "setcookie"})
_MAY_HOLD: Final = re.compile(r"[=:%\[<]|&lt|\\u00|eyJ|bearer|-----BEGIN|[0-9 -]{14}", re.IGNORECASE)
_SMALLEST_CARD: Final = 10**13
_SHORTEST_ECHO: Final = 6

_BLANK: Final = r"\s{0,8}+[ \t]{0,56}+"
_NAME_AND_MARK: Final = (
    r"([\w.+@-]++(?:\[\w{0,32}\]|\]){0,8})"
    rf"(?:\\+(?:x2[27]|u002[27])|\\*[\"'])?\]?{_BLANK}[:=](?:>|[:=]{{1,2}}(?=\s))?{_BLANK}"
)
_NAME: Final = re.compile(r"(?<![\w.+@-])" + _NAME_AND_MARK, re.ASCII)
# Any letter there is, and the marks above and below it.
_FOREIGN_NAME: Final = re.compile(_NAME.pattern.replace(r"[\w.+@-]", r"[\w.+@\x80-\U0010ffff-]"))
_NAME_HERE: Final = re.compile(_NAME_AND_MARK, re.ASCII)
_HOLE: Final = re.compile(r"\{[@$]?(\w+)[^{}]*\}")
_NAME_REST: Final = re.compile(r"[\w.+@-]*+", re.ASCII)
_PIECE: Final = re.compile(r"[^\s?&#=]+")
_ENCODED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_DECODINGS: Final = 2
_DEEPEST: Final = 100
_FEW: Final = 16
_BEFORE: Final = re.compile(r"[\w.+@-]*.\Z", re.ASCII | re.DOTALL)
# Of a longer name only the end is looked at, and none that is longer is remembered.
_NAME_LIMIT: Final = 256
_PLAIN_NAME_LIMIT: Final = 64
# Looked for once in each run of characters, so that many beginnings of one do not cost their square.
_JWT: Final = re.compile(r"(?<![\w-])(?=[\w-]{9,}+\.[\w-]{4,}+\.)([\w-]*?)(eyJ[\w-]{6,}\.[\w-]{4,}\.[\w-]*)")
_BEARER: Final = re.compile(r"(?i)\b(bearer\s+)([\w.~+/=-]{6,})")
_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", re.DOTALL)
_LOGIN: Final = re.compile(LOGIN)
_REPLACED: Final = "[redacted:"
_DONE: Final = re.compile(r"\[redacted:[0-9a-f]{8}\]")
_DONE_BYTES: Final = re.compile(_DONE.pattern.encode())
_LABELS: Final = frozenset(("key", "name", "field", "header", "setting", "property"))
_LABELLED: Final = frozenset(("value", "values", "oldvalue", "newvalue"))
_PLAIN_PAIR: Final = re.compile(rb'"([A-Za-z_@][\w. -]{0,63})":(?:null|"([^"\\\r\n]*)")')
# What follows the name of a value, or the end of a text that is a name and nothing else.
_MAY_BE_NAME: Final = re.compile(
    rb"[\w. +@\[\]-]{0,200}(?:\\+(?:x2|u002|u003|[\"'])|[\"'%>]|&gt|(?:\s|\\[tnr]){0,64}[:=,])"
    rb"|[\w. +@\[\]-]{201}|(?:[^\"\\\r\n]|\\+u[0-9A-Fa-f]{4}){0,200}+\\*\""
)
_FIELD_LIST: Final = re.compile(rb'"ChangedFields":"[\w,]*"')


class Redactor:
    """Replaces secrets, with fingerprints under `key`; `extra` names more sensitive words or phrases."""

    def __init__(self, key: bytes, extra: Iterable[str] = ()) -> None:
        self._key = key
        names = Names(extra)
        self.is_sensitive = names.is_sensitive
        self._name = _FOREIGN_NAME if names.has_foreign else _NAME
        self._signs = Signs(names.spelt)
        self.suspects = self._signs.suspects

    def without_plain_secrets(self, raw: bytes) -> bytes | None:
        """The bytes without the secrets that plainly stand as `"name":"value"`, to be found without parsing.

        None when there is anything else that could be a secret: then `properties` and `text` have to look.
        """
        pieces: list[bytes] = []
        done = kept_from = 0
        list_start, list_end = _field_list(raw)
        for sign, start, end in self._signs.find(raw):
            if len(pieces) > _FEW:
                return None
            if start < done or list_start < start < list_end:
                continue
            if sign is not Sign.NAME:
                return None
            if _MAY_BE_NAME.match(raw, end) is None:
                continue
            quote = raw.rfind(b'"', max(0, start - _PLAIN_NAME_LIMIT), start)
            pair = _PLAIN_PAIR.match(raw, quote) if quote >= 0 else None
            if pair is None:
                return None
            done = pair.end()
            value = pair[2]
            if not value or _DONE_BYTES.fullmatch(value) or not self.is_sensitive(pair[1].decode()):
                continue
            if len(value) >= _SHORTEST_ECHO and raw.count(value) > 1:
                return None
            pieces += (raw[kept_from : pair.start(2)], self._fingerprint(value).encode())
            kept_from = pair.end(2)
        return b"".join((*pieces, raw[kept_from:])) if pieces else raw

    def fingerprint(self, value: object) -> str:
        """`[redacted:xxxxxxxx]`, the first 8 hex digits of the value's HMAC-SHA256 under the key."""
        text = value.encode() if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return self._fingerprint(text)

    def _fingerprint(self, text: bytes) -> str:
        return f"{_REPLACED}{hmac.digest(self._key, text, 'sha256').hex()[:8]}]"

    def properties(self, record: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """A copy of a record without its secrets, and those long enough to be recognised elsewhere."""
        secrets: list[str] = []
        clean = self._tree(record, secrets)
        for each in ("@mt", "@m"):
            if clean.get(each) != record.get(each):
                for name in set(self._shown(str(record[each]), record)):
                    clean[name] = self._secret(record[name], secrets)
        # A setting by its key; what ASP.NET keeps for a user: seeds of one-time passwords, recovery codes.
        said = (record.get("EntityNumber") or record.get("AuditKey"), record.get("EntityType"))
        if any(isinstance(name, str) and self.is_sensitive(name) for name in said):
            for side in ("OldValues", "NewValues"):
                if isinstance(clean.get(side), dict) and clean[side].get("Value"):
                    clean[side]["Value"] = self._secret(record[side]["Value"], secrets)
        if secrets:
            replace = self._replacing(secrets)
            clean = (
                _mapped(clean, replace)
                if replace(printed := orjson.dumps(clean).decode()) != printed
                else clean
            )
        return clean, secrets

    def text(self, text: str, secrets: Iterable[str] = ()) -> str:
        """A text without its secrets: name and value pairs, shapes, and any of `secrets` found in it."""
        known = list(secrets)
        return self._look(self._replacing(known)(text) if known else text, [], _DECODINGS)

    def _replacing(self, secrets: list[str]) -> Callable[[str], str]:
        """What puts fingerprints in the place of secrets, also where they stand inside JSON."""
        known = {spelt: self.fingerprint(each) for each in secrets for spelt in (_inside(each), each)}
        spelt = list(known)
        prints = list(known.values())
        search = ahocorasick_rs.AhoCorasick(spelt, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)

        def replace(text: str) -> str:
            parts: list[str] = []
            done = 0
            for index, start, end in search.find_matches_as_indexes(text):
                parts += (text[done:start], prints[index])
                done = end
            return "".join((*parts, text[done:]))

        return replace

    def _look(self, text: str, secrets: list[str], decodings: int) -> str:
        """A text without its secrets; those long enough to be recognised elsewhere are added to `secrets`."""
        found = self._signs.find(text.encode(errors="replace"))
        if not found:
            return text
        signs = {sign for sign, _, _ in found}
        tree = _parsed(text)
        if tree is not None and (clean := self._tree(tree, secrets, decodings)) != tree:
            return orjson.dumps(clean).decode()
        if Sign.PEM in signs:
            text = _PEM.sub(lambda match: self.fingerprint(match[0]), text)
        if Sign.NAME in signs:
            text = self._without(text, list(markup.values(text, self.is_sensitive)))
            text = self._pairs(text)
        if Sign.LOGIN in signs:
            text = _LOGIN.sub(lambda match: match[1] + self._once(match[2]), text)
        if Sign.BEARER in signs:
            text = _BEARER.sub(lambda match: match[1] + self.fingerprint(match[2]), text)
        if Sign.JWT in signs:
            text = _JWT.sub(lambda match: match[1] + self.fingerprint(match[2]), text)
        if Sign.CARD in signs:
            text = cards.replaced(text, self.fingerprint)
        return self._encoded(text, decodings) if decodings and _ENCODED.search(text) is not None else text

    def _tree(self, node: Any, secrets: list[str], decodings: int = _DECODINGS) -> Any:  # noqa: ANN401 -- JSON
        kind = node.__class__
        if kind is str:
            return self._look(node, secrets, decodings) if _MAY_HOLD.search(node) is not None else node
        if kind is dict:
            labelled = self._is_labelled(node)
            clean: dict[str, Any] = {}
            for key, value in node.items():
                name = self._look(key, secrets, decodings) if _MAY_HOLD.search(key) is not None else key
                if self.is_sensitive(key) or (labelled and key.lower() in _LABELLED):
                    clean[name] = self._secret(value, secrets)
                else:
                    clean[name] = self._tree(value, secrets, decodings)
            return clean
        if kind is list:
            if len(node) == 2 and isinstance(node[0], str) and self.is_sensitive(node[0]):  # noqa: PLR2004
                return [self._tree(node[0], secrets, decodings), self._secret(node[1], secrets)]
            return [self._tree(item, secrets, decodings) for item in node]
        return self._number(node)

    def _is_labelled(self, node: dict[str, Any]) -> bool:
        """Whether an object is `{"name": …, "value": …}` with the name of a secret."""
        return any(
            isinstance(value, str) and key.lower() in _LABELS and self.is_sensitive(value)
            for key, value in node.items()
        )

    def _number(self, node: Any) -> Any:  # noqa: ANN401 -- JSON is what it is
        if node.__class__ is int and node > _SMALLEST_CARD and cards.is_card(str(node)):
            return self.fingerprint(str(node))
        return node

    def _secret(self, value: object, secrets: list[str]) -> object:
        if value is None or isinstance(value, bool) or value == "":
            return value
        if isinstance(value, str) and _DONE.fullmatch(value):
            return value
        if isinstance(value, str) and len(value) >= _SHORTEST_ECHO:
            secrets.append(value)
        return self.fingerprint(value)

    def _once(self, value: str) -> str:
        return value if _DONE.fullmatch(value) else self.fingerprint(value)

    def _without(self, text: str, found: list[tuple[int, int]]) -> str:
        """The text with these stretches replaced, but for those that are replaced already."""
        parts: list[str] = []
        done = 0
        for start, end in found:
            if _DONE.fullmatch(text, start, end) is None:
                parts += (text[done:start], self.fingerprint(text[start:end]))
                done = end
        return "".join((*parts, text[done:])) if parts else text

    def _pairs(self, text: str) -> str:
        """Replace the values of sensitive names: `name=value`, `Name: value`, in quotes, escaped."""
        parts: list[str] = []
        done = 0
        for start, end, read_on in self._values(text):
            parts += (text[done:start], self.fingerprint(text[start:end]), text[end:read_on])
            done = read_on
        parts.append(text[done:])
        return "".join(parts)

    def _values(self, text: str) -> Iterator[spans.Span]:
        """The values that `_pairs` replaces."""
        names: Iterable[re.Match[str]] = self._name.finditer(text)
        if text.isascii():
            starts = (start for sign, start, _ in self._signs.find(text.encode()) if sign is Sign.NAME)
            names = _names(text, starts)
        done = 0
        for name in names:
            if name.start() < done or not self.is_sensitive(name[1]):
                continue
            known = _DONE.match(text, name.end())
            if known is not None and not text[known.end() : known.end() + 1].isalnum():
                continue
            span = spans.value(text, name, whole_line="".join(words(name[1])) in _WHOLE_LINE)
            body = text[span.start : span.end]
            if body and body not in {"null", "true", "false"} and _DONE.fullmatch(body) is None:
                yield span
                done = span.done

    def _shown(self, message: str, record: dict[str, Any]) -> Iterator[str]:
        """Names of the properties whose values a message shows where a secret belongs: `token={Link}`.

        By the hole in a template, by the value itself in a message that is rendered already.
        """
        for start, end, _ in self._values(message):
            body = message[start:end]
            yield from (hole[1] for hole in _HOLE.finditer(body) if hole[1] in record)
            if len(body) >= _SHORTEST_ECHO:
                yield from (name for name, value in record.items() if value == body)

    def _encoded(self, text: str, decodings: int) -> str:
        """Replace what is secret once `%xx` is decoded, by its name or by what it holds."""
        parts: list[str] = []
        done = read = 0
        while (piece := _PIECE.search(text, read)) is not None:
            start, read = piece.span()
            name = ""
            if text[read : read + 1] == "=":
                name, start = piece[0], read + 1
                read = spans.query_end(text, start)
            value = text[start:read]
            if not value or ("%" not in value and "%" not in name) or _DONE.fullmatch(value):
                continue
            is_secret = "%" in name and self.is_sensitive(unquote_plus(unquote_plus(name)))
            if not is_secret and "%" in value:
                decoded = unquote_plus(value)
                is_secret = decoded != value and self._look(decoded, [], decodings - 1) != decoded
            if is_secret:
                parts += (text[done:start], self.fingerprint(value))
                done = read
        return "".join((*parts, text[done:]))


def _parsed(text: str) -> Any:  # noqa: ANN401 -- JSON is what it is
    """The object or list that a text is; None for any other text."""
    if text.lstrip()[:1] not in {"{", "["} or spans.depth(text) > _DEEPEST:
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _field_list(raw: bytes) -> tuple[int, int]:
    """Where a data change lists the names of its fields, and nothing but names."""
    found = _FIELD_LIST.search(raw)
    return found.span() if found is not None else (0, 0)


def _names(text: str, starts: Iterable[int]) -> Iterable[re.Match[str]]:
    """The names, with the mark that follows them, in which the given positions lie."""
    read = 0
    for start in starts:
        if start < read:
            continue
        first = _BEFORE.search(text, max(0, start - _NAME_LIMIT), start + 1).start()  # type: ignore[union-attr] # or empty
        first += text[first] in "\"'"
        name = _NAME_HERE.match(text, first)
        read = _NAME_REST.match(text, start).end()  # type: ignore[union-attr] # or empty
        if name is not None:
            yield name


def _inside(text: str) -> str:
    """A text as it stands inside JSON."""
    return orjson.dumps(text).decode()[1:-1]


def _mapped(node: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 -- JSON is what it is
    if isinstance(node, dict):
        return {change(key): _mapped(value, change) for key, value in node.items()}
    if isinstance(node, list):
        return [_mapped(item, change) for item in node]
    return change(node) if isinstance(node, str) else node
