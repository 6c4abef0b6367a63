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
# OpenSearch refuses a document with a longer term. One of a `flat_object` is its own path, twice, the names
# below it, and the value: `change.before.change.before.name.name=value`.
_LONGEST_TERM_BYTES: Final = 32_766 - len("change.before.change.before.=")
_LONGEST_PATH_BYTES: Final = _LONGEST_TERM_BYTES - 64
_DEEPEST: Final = 16


def cut(value: Any, depth: int = 0, path_bytes: int = 0) -> Any:  # noqa: ANN401 -- JSON is what it is
    """A copy with every text of at most `VALUE_LIMIT_BYTES`, and what is nested too deep as text.

    A text is cut shorter where the names above it (`path_bytes`) leave less room in the store's longest term.
    """
    if isinstance(value, str):
        return _cut_text(value, min(VALUE_LIMIT_BYTES, _LONGEST_TERM_BYTES - path_bytes))
    if isinstance(value, dict | list) and depth >= _DEEPEST:
        return TOO_DEEP
    if isinstance(value, dict):
        return {
            (name := key[:_KEY_LIMIT]): _cut_under(name, item, depth + 1, path_bytes)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [cut(item, depth + 1, path_bytes) for item in value]
    return value


def _cut_under(name: str, value: Any, depth: int, path_bytes: int) -> Any:  # noqa: ANN401 -- as above
    path_bytes += len(name.encode()) + 1
    if path_bytes > _LONGEST_PATH_BYTES:
        return TOO_DEEP
    return cut(value, depth, path_bytes)


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
        else _listed(value)
        if name == "ChangedFields"
        else text_of(value)
        for name, value in record.items()
    }


def _listed(value: object) -> str:
    """Names of fields as the interceptor writes them, `Name,Price`, also where they are a list."""
    return ",".join(map(text_of, value)) if isinstance(value, list) else text_of(value)


def _cut_text(text: str, limit_bytes: int) -> str:
    if len(text) * 4 <= limit_bytes:
        return text
    encoded = text.encode()
    if len(encoded) <= limit_bytes:
        return text
    return encoded[: limit_bytes - len(CUT_MARK.encode())].decode(errors="ignore") + CUT_MARK
