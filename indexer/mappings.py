"""Compare the mapping an index has with the mapping it should have. Pure.

OpenSearch gives a mapping back as it was put, but writes some values its own way;
so fields are compared one by one, parameter by parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Field: TypeAlias = "tuple[tuple[str, str], ...]"
# `_meta` is a note: what a copy was made of, and how long it was promised to be kept.
_NO_PARAMETERS: Final = frozenset({"properties", "fields", "_meta"})


@dataclass(frozen=True, slots=True)
class Difference:
    """What is missing and what is otherwise; fields too many are a newer version's, and fine."""

    missing: tuple[str, ...]
    otherwise: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.otherwise)


def compare(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> Difference:
    """Say in which fields (dotted paths; "" is the mapping itself) `live` falls short of `wanted`."""
    have, want = dict(_fields(live, "")), dict(_fields(wanted, ""))
    missing = [path for path in want if path not in have]
    otherwise = [
        f"{path or 'the mapping'} is {_told(have[path])} instead of {_told(field)}"
        for path, field in want.items()
        if path in have and have[path] != field
    ]
    return Difference(tuple(missing), tuple(otherwise))


def _fields(mapping: Mapping[str, Any], path: str) -> Iterator[tuple[str, Field]]:
    """Walk a mapping: for each field its path and its parameters, in an order of their own."""
    parameters = {name: value for name, value in mapping.items() if name not in _NO_PARAMETERS}
    if parameters.get("type") == "object" and "properties" in mapping:
        del parameters["type"]
    yield path, tuple(sorted((name, _plain(value)) for name, value in parameters.items()))
    for group in ("properties", "fields"):
        for name, inner in mapping.get(group, {}).items():
            yield from _fields(inner, f"{path}.{name}" if path else name)


def _plain(value: object) -> str:
    """Write a parameter so that `true`, "true", ["search"] and "search" compare as OpenSearch sees them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_plain(item) for item in value)
    return str(value)


def _told(field: Field) -> str:
    return " ".join(f"{name}={value}" for name, value in field) or "an object"
