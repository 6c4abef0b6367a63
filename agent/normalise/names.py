"""Which names are names of secrets: by their words, by phrases in them, and by what the operator adds."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from agent.normalise.signs import SEPARATORS

WORDS: Final = (
    *("password", "passwd", "pwd", "secret", "token", "authorization", "cookie", "pin", "cvv", "cvc"),
    *("otp", "totp"),
)
"""Sensitive as a whole word of a name: `ClientSecret`, `Pin`, but not `ShippingInstructions`."""

PHRASES: Final = (
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "credential",
    "refreshtoken",
    "accesstoken",
    "apikey",
    "accesskey",
    "accountkey",
    "privatekey",
    "recoverycode",
    "authorization",
    "setcookie",
    "passwordhash",
    "securitystamp",
    "concurrencystamp",
    "connectionstring",
)
"""Sensitive wherever they stand in a name once its words are joined: `apiKey`, `API_KEY`, `x-api-key`."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SLASHES: Final = ("\\", "\\\\", "\\\\\\\\")
_BETWEEN: Final = re.compile(r"[\s_.+@\[\]-]+")
_WORD_ENDS: Final = ("token", "tokens", "pwd", "cookie", "cookies")
"""Sensitive at the end of a word too: `authtoken`."""

_NAME_COUNT: Final = 20_000
# A longer name is not remembered.
_NAME_LIMIT: Final = 256


class Names:
    """The names of secrets; `extra` are more words or phrases, in any language."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        known = list(extra)
        plain = [words(name) for name in known if name.isascii()]
        foreign = [name for name in known if not name.isascii()]
        self._phrases = PHRASES + tuple("".join(each) for each in plain if each)
        self._foreign = tuple(_folded(name) for name in foreign)
        self.has_foreign = bool(foreign)
        """Whether letters beyond ASCII belong to a name."""
        self.spelt = frozenset(
            (
                *(mark.join(each) for each in plain for mark in SEPARATORS),
                *(spelling for name in foreign for spelling in _spellings(name)),
            )
        )
        """What the operator adds, in each spelling that raw bytes can have, but for capitals of ASCII."""
        self._known: dict[str, bool] = {}

    def is_sensitive(self, name: str) -> bool:
        """Whether a value of this name is a secret."""
        known = self._known.get(name)
        if known is None:
            own = words(name)
            joined = "".join(own)
            known = any(
                word in WORDS or word.removesuffix("s") in WORDS or word.endswith(_WORD_ENDS) for word in own
            ) or any(phrase in joined for phrase in self._phrases)
            if self._foreign and not known and not name.isascii():
                folded = _folded(name)
                known = any(phrase in folded for phrase in self._foreign)
            if len(self._known) >= _NAME_COUNT:
                self._known.clear()
            if len(name) <= _NAME_LIMIT:
                self._known[name] = known
        return known


def words(name: str) -> list[str]:
    """The words of a name, in small letters; what is not ASCII parts them."""
    return [word.lower() for word in _WORD.findall(name)]


def _folded(name: str) -> str:
    return _BETWEEN.sub("", unicodedata.normalize("NFC", name).casefold())


def _spellings(name: str) -> Iterator[str]:
    """A name with letters beyond ASCII as it stands in UTF-8, in JSON (also inside of JSON), in a URL."""
    parts = [part for part in _BETWEEN.split(name.lower()) if part]
    capital = [part.capitalize() for part in parts]
    cases = (parts, capital, [*parts[:1], *capital[1:]], [part.upper() for part in parts])
    for form in ("NFC", "NFD"):
        for case in cases:
            for mark in SEPARATORS:
                spelt = unicodedata.normalize(form, mark.join(case))
                yield spelt
                escaped = json.dumps(spelt)[1:-1]
                yield from (escaped.replace("\\", slashes) for slashes in _SLASHES)
                yield quote(spelt, safe="_+.[]% -")
