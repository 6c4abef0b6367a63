"""Values so long that OpenSearch would refuse their whole document are cut in the searchable copies.

The original keeps them.
"""

from typing import Any, Final

from agent.normalise.properties import text_of
from indexer.event import VALUE_LIMIT_BYTES

CUT_MARK: Final = "…[cut]"
TOO_DEEP: Final = "…[nested too deep]"
_KEPT: Final = frozenset(("OldValues", "NewValues", "@r", "@t", "printed_time"))
_NUMBERS: Final = frozenset(("StatusCode", "Elapsed", "status", "request_time"))
_KEY_LIMIT: Final = 512
_DEEPEST: Final = 16


def cut(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 -- JSON is what it is
    """A copy with every text of at most `VALUE_LIMIT_BYTES`, and what is nested too deep as text."""
    if isinstance(value, str):
        return _cut_text(value)
    if isinstance(value, dict | list) and depth >= _DEEPEST:
        return TOO_DEEP
    if isinstance(value, dict):
        return {key[:_KEY_LIMIT]: cut(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [cut(item, depth + 1) for item in value]
    return value


def may_be_deep(raw: bytes) -> bool:
    """Whether JSON can be nested so deep that OpenSearch (20), orjson (254) or Python (1,000) refuses it."""
    return raw.count(b"{") + raw.count(b"[") > _DEEPEST


def shallow(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 -- JSON is what it is
    """A copy in which nothing is nested deeper than `cut` leaves it."""
    if isinstance(value, dict | list) and depth >= _DEEPEST:
        return TOO_DEEP
    if isinstance(value, dict):
        return {key: shallow(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [shallow(item, depth + 1) for item in value]
    return value


def as_texts(record: dict[str, Any]) -> dict[str, Any]:
    """A copy in which every property that should be a text is one."""
    return {
        name: value
        if value is None or name in _KEPT or (name in _NUMBERS and isinstance(value, int | float))
        else text_of(value)
        for name, value in record.items()
    }


def _cut_text(text: str) -> str:
    if len(text) * 4 <= VALUE_LIMIT_BYTES:
        return text
    encoded = text.encode()
    if len(encoded) <= VALUE_LIMIT_BYTES:
        return text
    return encoded[: VALUE_LIMIT_BYTES - len(CUT_MARK.encode())].decode(errors="ignore") + CUT_MARK
