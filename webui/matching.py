"""What the Activity Log finds by a value: whether it can be asked for, and what is the same to it. Pure."""

from __future__ import annotations

from indexer.query import MAX_VALUES_COUNT, NONE, ActivityFilter, Choice, FilterError


def linkable(name: str, values: tuple[str, ...]) -> bool:
    """Whether the Activity Log finds exactly these values: not a star, not what its form would strip."""
    plain = all(each == each.strip() and "*" not in each and each != NONE for each in values)
    if not plain or len(values) > MAX_VALUES_COUNT:
        return False
    try:
        ActivityFilter(**{name: Choice(values)})  # type: ignore[arg-type]
    except FilterError:
        return False
    return True


def folded(text: str) -> str:
    """Give a name as the Activity Log compares it: in lower case, letter by letter."""
    return "".join(lower if len(lower := char.lower()) == 1 else char for char in text)
