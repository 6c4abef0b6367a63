"""Secrets end here: a keyed fingerprint takes a value's place before anything is stored or printed.

By name (split into words, at any depth, also inside JSON, query strings and headers in texts) and by shape
(JWT, Bearer, PEM, card numbers). Equal secrets get equal fingerprints under one key, so "was it changed, and
to the same value?" stays answerable.
"""

import hmac
import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote_plus

import ahocorasick_rs
import orjson

from agent.normalise import markup, spans
from agent.normalise.signs import SEPARATORS, Sign, Signs

WORDS: Final = ("password", "passwd", "pwd", "secret", "token", "authorization", "cookie", "pin", "cvv")
"""Sensitive as a whole word of a name: `ClientSecret`, `Pin`, but not `ShippingInstructions`."""

PHRASES: Final = (
    "password",
    "passwd",
    "secret",
    "refreshtoken",
    "accesstoken",
    "apikey",
    "authorization",
    "setcookie",
    "passwordhash",
    "securitystamp",
    "concurrencystamp",
    "connectionstring",
)
"""Sensitive wherever they stand in a name once its words are joined: `apiKey`, `API_KEY`, `x-api-key`."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WHOLE_LINE: Final = frozenset({"authorization", "cookie", "setcookie"})
_WORD_ENDS: Final = ("token", "tokens", "pwd", "cookie", "cookies")
"""Sensitive at the end of a word too: `authtoken`."""

_MAY_HOLD: Final = re.compile(r"[=:%\[<]|&lt|\\u00|eyJ|bearer|-----BEGIN|[0-9 -]{14}", re.IGNORECASE)
_SMALLEST_CARD: Final = 10**13
_SHORTEST_ECHO: Final = 6
_NAME_COUNT: Final = 20_000

_NAME_AND_MARK: Final = (
    r"([\w.+@-]++(?:\[\w{0,32}\]|\]){0,8})"
    r"(?:\\+(?:x2[27]|u002[27])|\\*[\"'])?\]?\s{0,8}[:=]>?\s{0,8}"
)
_NAME: Final = re.compile(r"(?<![\w.+@-])" + _NAME_AND_MARK, re.ASCII)
_NAME_HERE: Final = re.compile(_NAME_AND_MARK, re.ASCII)
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
_CARD: Final = re.compile(r"(?<![\w.-])[2-6](?:[ -]?[0-9]){12,18}(?![\w-])")
_ISSUED: Final = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}"
)
_REPLACED: Final = "[redacted:"
_DONE: Final = re.compile(r"\[redacted:[0-9a-f]{8}\]")
_DONE_BYTES: Final = re.compile(_DONE.pattern.encode())
_LABELS: Final = frozenset(("key", "name", "field", "header", "setting", "property"))
_LABELLED: Final = frozenset(("value", "values", "oldvalue", "newvalue"))
_PLAIN_PAIR: Final = re.compile(rb'"([A-Za-z_@][\w. -]{0,63})":(?:null|"([^"\\\r\n]*)")')
# What follows the name of a value, or the end of a text that is a name and nothing else.
_MAY_BE_NAME: Final = re.compile(
    rb"[\w. +@\[\]-]{0,200}(?:\\+(?:x2|u002|u003|[\"'])|[\"'%>]|&gt|\s{0,8}[:=,])|[\w. +@\[\]-]{201}"
)
_FIELD_LIST: Final = re.compile(rb'"ChangedFields":"[\w,]*"')


class Redactor:
    """Replaces secrets, with fingerprints under `key`; `extra` names more sensitive words or phrases."""

    def __init__(self, key: bytes, extra: Iterable[str] = ()) -> None:
        self._key = key
        spelt = [_words(name) for name in extra]
        self._phrases = PHRASES + tuple("".join(words) for words in spelt if words)
        self._signs = Signs(mark.join(words) for words in spelt for mark in SEPARATORS)
        self.suspects = self._signs.suspects
        self._names: dict[str, bool] = {}

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

    def is_sensitive(self, name: str) -> bool:
        """Whether a value of this name is a secret."""
        known = self._names.get(name)
        if known is None:
            words = _words(name)
            joined = "".join(words)
            known = any(
                word in WORDS or word.removesuffix("s") in WORDS or word.endswith(_WORD_ENDS)
                for word in words
            ) or any(phrase in joined for phrase in self._phrases)
            if len(self._names) >= _NAME_COUNT:
                self._names.clear()
            if len(name) <= _NAME_LIMIT:
                self._names[name] = known
        return known

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
        number = record.get("EntityNumber", record.get("AuditKey"))
        if isinstance(number, str) and self.is_sensitive(number):
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
            found = self._signs.find(text.encode(errors="replace"))
            starts = [start for sign, start, _ in found if sign is Sign.NAME]
            text = self._pairs(text, _names(text, starts) if text.isascii() else _NAME.finditer(text))
        if Sign.BEARER in signs:
            text = _BEARER.sub(lambda match: match[1] + self.fingerprint(match[2]), text)
        if Sign.JWT in signs:
            text = _JWT.sub(lambda match: match[1] + self.fingerprint(match[2]), text)
        if Sign.CARD in signs:
            text = _CARD.sub(
                lambda match: self.fingerprint(match[0]) if _is_card(match[0]) else match[0], text
            )
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
        if node.__class__ is int and node > _SMALLEST_CARD and _is_card(str(node)):
            return self.fingerprint(str(node))
        return node

    def _secret(self, value: object, secrets: list[str]) -> object:
        if value is None or value == "" or (isinstance(value, str) and _DONE.fullmatch(value)):
            return value
        if isinstance(value, str) and len(value) >= _SHORTEST_ECHO:
            secrets.append(value)
        return self.fingerprint(value)

    def _without(self, text: str, found: list[tuple[int, int]]) -> str:
        """The text with these stretches replaced, but for those that are replaced already."""
        parts: list[str] = []
        done = 0
        for start, end in found:
            if _DONE.fullmatch(text, start, end) is None:
                parts += (text[done:start], self.fingerprint(text[start:end]))
                done = end
        return "".join((*parts, text[done:])) if parts else text

    def _pairs(self, text: str, names: Iterable[re.Match[str]]) -> str:
        """Replace the values of sensitive names: `name=value`, `Name: value`, in quotes, escaped."""
        parts: list[str] = []
        done = 0
        for name in names:
            if name.start() < done or not self.is_sensitive(name[1]):
                continue
            known = _DONE.match(text, name.end())
            if known is not None and not text[known.end() : known.end() + 1].isalnum():
                continue
            whole_line = "".join(_words(name[1])) in _WHOLE_LINE
            start, end, read_on = spans.value(text, name, whole_line=whole_line)
            body = text[start:end]
            if body and body not in {"null", "true", "false"} and _DONE.fullmatch(body) is None:
                parts += (text[done:start], self.fingerprint(body), text[end:read_on])
                done = read_on
        parts.append(text[done:])
        return "".join(parts)

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


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _is_card(text: str) -> bool:
    """Whether digits are a payment card's: an issuer's prefix and length, and Luhn's sum.

    Thirteen digits are none: they are EAN barcodes, and every tenth of those satisfies Luhn too.
    """
    digits = "".join(char for char in text if char.isdigit())
    if not _ISSUED.fullmatch(digits):
        return False
    values = [int(char) for char in digits]
    doubled = (value * 2 - 9 if value > 4 else value * 2 for value in values[-2::-2])  # noqa: PLR2004 -- Luhn
    return (sum(values[-1::-2]) + sum(doubled)) % 10 == 0


def _inside(text: str) -> str:
    """A text as it stands inside JSON."""
    return orjson.dumps(text).decode()[1:-1]


def _mapped(node: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 -- JSON is what it is
    if isinstance(node, dict):
        return {change(key): _mapped(value, change) for key, value in node.items()}
    if isinstance(node, list):
        return [_mapped(item, change) for item in node]
    return change(node) if isinstance(node, str) else node
