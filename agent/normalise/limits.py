"""Values so long that OpenSearch would refuse their whole document are cut in the searchable copies.

The original keeps them.
"""

from typing import Any, Final

import orjson

from indexer.event import VALUE_LIMIT_BYTES

CUT_MARK: Final = "…[cut]"
TEXTS: Final = (
    *(
        "UserId",
        "UserName",
        "UserEmail",
        "User",
        "ClientIP",
        "IpAddress",
        "UserAgent",
        "QueryString",
        "Action",
        "Module",
    ),
    *(
        "ChangedFields",
        "@l",
        "@m",
        "@mt",
        "SourceContext",
        "EntityType",
        "EntityId",
        "EntityNumber",
        "AttemptedUser",
    ),
)
_KEY_LIMIT: Final = 512
_DEEPEST: Final = 16


def cut(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 -- JSON is what it is
    """A copy with every text of at most `VALUE_LIMIT_BYTES`, and what is nested too deep as text."""
    if isinstance(value, str):
        return _cut_text(value)
    if isinstance(value, dict):
        if depth >= _DEEPEST:
            return "…[nested too deep]"
        return {key[:_KEY_LIMIT]: cut(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [cut(item, depth + 1) for item in value]
    return value


def as_texts(record: dict[str, Any]) -> dict[str, Any]:
    """A copy in which every property that is no number, truth value or object of changes is a text."""
    kept = {"OldValues", "NewValues"}
    return {
        name: value
        if value is None or name in kept or isinstance(value, (str, int, float))
        else orjson.dumps(value).decode()
        for name, value in record.items()
    } | {name: str(record[name]) for name in TEXTS if record.get(name) is not None}


def _cut_text(text: str) -> str:
    if len(text) * 4 <= VALUE_LIMIT_BYTES:
        return text
    encoded = text.encode()
    if len(encoded) <= VALUE_LIMIT_BYTES:
        return text
    return encoded[: VALUE_LIMIT_BYTES - len(CUT_MARK.encode())].decode(errors="ignore") + CUT_MARK
