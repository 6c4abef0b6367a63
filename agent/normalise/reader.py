"""From the bytes of records to their properties, without secrets; what cannot be read is kept whole."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from agent.normalise import limits
from agent.normalise.redaction import Redactor
from indexer.event import VALUE_LIMIT_BYTES, Flag

_LONG: Final = 4096
_MESSAGE_CHARS: Final = 1000
# Three printable characters of UTF-16 or UTF-32: NULs stand between the letters of names there.
_WIDE: Final = re.compile(rb"(?:[ -~]\0{1,3}){3}")
_MARK: Final = re.compile(rb"\A\0*(?:\xff\xfe|\xfe\xff)")
_VALUE: Final = re.compile(r'("[Vv]alue"\s*:\s*)"((?:[^"\\]|\\.)*)(?:"|\Z)', re.DOTALL)

Read = tuple[dict[str, Any], str | None, tuple[str, ...]]
"""Properties, the redacted original (None: the record as it is), flags."""


class Reader:
    """Reads the records of one source. `is_json`: a record is one JSON object and nothing else."""

    def __init__(
        self, parse: Callable[[bytes], dict[str, Any]], redactor: Redactor, *, is_json: bool
    ) -> None:
        self._parse = parse
        self._redactor = redactor
        self._is_json = is_json
        self.suspects = redactor.suspects

    def read(self, raw: bytes, flags: tuple[str, ...], *, is_suspect: bool) -> Read:
        """The properties of a record; `is_suspect` when `suspects` has its position."""
        if b"\0" in raw and _WIDE.search(raw):
            narrow = _narrow(raw)
            record, original, flags = self._read_closely(narrow, flags)
            return record, narrow.decode(errors="replace") if original is None else original, flags
        if is_suspect or len(raw) > VALUE_LIMIT_BYTES or limits.may_be_deep(raw):
            return self._read_closely(raw, flags)
        try:
            return self._parse(raw), None, flags
        except ValueError as error:
            return _message_cut(_unparsed(raw, error)), None, (*flags, Flag.UNPARSED.value)

    def as_text(self, raw: bytes, flags: tuple[str, ...], reason: str) -> Read:
        """A record that could not be read at all, as its text without secrets."""
        text = _narrow(raw).decode(errors="replace")
        # What a name beside it would tell of a value is not known here: any may be a setting's.
        original = self._redactor.text(_VALUE.sub(self._without_value, text))
        flags = (*flags, Flag.UNPARSED.value)
        if original != text:
            flags = (*flags, Flag.REDACTED.value)
        return (
            unparsed(original, reason),
            None if original == raw.decode(errors="replace") else original,
            flags,
        )

    def _without_value(self, found: re.Match[str]) -> str:
        return f'{found[1]}"{self._redactor.fingerprint(found[2])}"'

    def _read_closely(self, raw: bytes, flags: tuple[str, ...]) -> Read:
        """A record that may hold a secret, or is long or deep."""
        readable = self._redactor.without_plain_secrets(raw)
        record, flags = self._parsed(raw if readable is None else readable, flags)
        is_whole = True
        if limits.may_be_deep(raw):
            # Before anything else looks at it: what looks goes down by recursion.
            shallow = limits.shallow(record)
            is_whole = shallow == record
            flags = flags if is_whole else (*flags, Flag.TRUNCATED.value)
            record = shallow
        original = None
        if readable is None:
            is_json = self._is_json and Flag.UNPARSED not in flags
            record, original = self._redacted(record, raw, is_json=is_json, is_whole=is_whole)
        elif readable is not raw:
            original = readable.decode(errors="replace")
        if Flag.UNPARSED in flags:
            record = _message_cut(record)
        if original is not None:
            flags = (*flags, Flag.REDACTED.value)
        if len(raw) > VALUE_LIMIT_BYTES:
            record = limits.cut(record)
        return record, original, flags

    def _parsed(self, readable: bytes, flags: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
        try:
            return self._parse(readable), flags
        except ValueError as error:
            return _unparsed(readable, error), (*flags, Flag.UNPARSED.value)

    def _redacted(
        self, record: dict[str, Any], raw: bytes, *, is_json: bool, is_whole: bool
    ) -> tuple[dict[str, Any], str | None]:
        """The record and its original without secrets; no original where there was none."""
        clean, secrets = self._redactor.properties(record)
        text = raw.decode(errors="replace")
        if is_json:
            # What the record does not have of its text may be a secret all the same: what is nested too deep,
            # and what a name's later value has displaced.
            if clean == record and not is_whole:
                original = self._redactor.text(text)
            elif clean == record and not _has_names_twice(text):
                original = text
            else:
                original = orjson.dumps(clean).decode()
        else:
            original = self._redactor.text(_named_values(text, record, clean), secrets)
        return clean, original if clean != record or original != text else None


def _narrow(raw: bytes) -> bytes:
    """What is ASCII in a record of UTF-16 or UTF-32, whichever way round; any other one as it is."""
    return _MARK.sub(b"", raw).replace(b"\0", b"").removesuffix(b"\r") if _WIDE.search(raw) else raw


def _unparsed(raw: bytes, error: ValueError) -> dict[str, Any]:
    """The properties of a record that its format does not understand: what it could read, and a line."""
    known: dict[str, Any] = getattr(error, "known", {})
    # Its whole first line: half of a secret would not be recognised.
    return {**known, "@m": raw.decode(errors="replace").partition("\n")[0], "reason": str(error)}


def unparsed(text: str, reason: str) -> dict[str, Any]:
    """The properties of a record of which only its text is known."""
    return _message_cut({"@m": text.partition("\n")[0], "reason": reason})


def _message_cut(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "@m": record["@m"][:_MESSAGE_CHARS].strip() or "(unreadable)"}


def _has_names_twice(text: str) -> bool:
    try:
        json.loads(text, object_pairs_hook=_only_once)
    except (ValueError, RecursionError):
        return True
    return False


def _only_once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError


def _named_values(text: str, record: object, clean: object) -> str:
    """A text that prints properties as JSON, with the redacted ones replaced where their names stand."""
    if isinstance(record, dict) and isinstance(clean, dict):
        for name, value in record.items():
            kept = clean.get(name)
            if kept == value:
                continue
            if isinstance(kept, str) and not (isinstance(value, str) and len(value) > _LONG):
                mark = f"{orjson.dumps(name).decode()}:"
                text = text.replace(mark + orjson.dumps(value).decode(), mark + orjson.dumps(kept).decode())
            elif isinstance(value, list):
                text = text.replace(orjson.dumps(value).decode(), orjson.dumps(kept).decode())
            else:
                text = _named_values(text, value, kept)
    return text
