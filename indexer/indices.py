"""Create an index on purpose, and look at one. Nothing of ours is ever created by writing into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from indexer.client import Client
from indexer.errors import GarbledError, RefusedError

# Creating an index waits for the cluster's state to be published, which takes long on a large or busy one.
_CREATE_TIMEOUT_SECS = 60.0


@dataclass(frozen=True, slots=True)
class Index:
    """An index as the store has it; `settings` flat and as text (`"index.append_only.enabled": "true"`)."""

    name: str
    settings: Mapping[str, str]
    mappings: Mapping[str, Any]
    aliases: frozenset[str]
    narrowed: frozenset[str] = frozenset()
    """Those of its aliases that show a part of it only: by a filter, or by a routing."""

    @property
    def uuid(self) -> str:
        return self.settings["index.uuid"]

    @property
    def is_closed(self) -> bool:
        # The store's own mark, which an index that is opened again loses.
        return self.settings.get("index.verified_before_close") == "true"

    @property
    def append_only(self) -> bool:
        return self.settings.get("index.append_only.enabled") == "true"


def create(
    client: Client,
    name: str,
    *,
    settings: Mapping[str, Any],
    mappings: Mapping[str, Any],
    aliases: Mapping[str, Any],
) -> bool:
    """Create an index with everything in the one request; False when it is there already (also just now)."""
    body = {"settings": settings, "mappings": mappings, "aliases": aliases}
    try:
        client.request("PUT", f"/{name}", body=body, timeout_secs=_CREATE_TIMEOUT_SECS)
    except RefusedError as error:
        # Retention puts an index of another name in its place, and gives that the name as an alias.
        if error.kind == "resource_already_exists_exception" or "already exists as alias" in str(error):
            return False
        raise
    return True


def look(client: Client, pattern: str) -> list[Index]:
    """Return the indices of this name or pattern, by name; `MissingError` when a name without `*` is not.

    Closed and hidden ones are given, too: what is in them is there all the same.
    `GarbledError` when the answer does not tell of indices.
    """
    params: dict[str, str | int | bool] = {"flat_settings": True, "expand_wildcards": "all"}
    found = client.request("GET", f"/{pattern}", params=params).json
    if isinstance(found, dict) and (found or "*" in pattern):
        looked = [_index(name, about) for name, about in sorted(found.items())]
        indices = [index for index in looked if index is not None]
        if len(indices) == len(found):
            return indices
    raise GarbledError(
        f"index {pattern} was answered with {str(found)[:80]}, which is none; is a proxy in the way?"
    )


def add_fields(client: Client, name: str, mappings: Mapping[str, Any]) -> None:
    """Give an existing index the fields it lacks; fields it has must be the same (`RefusedError`)."""
    client.request("PUT", f"/{name}/_mapping", body={"properties": mappings["properties"]})


def _index(name: str, about: object) -> Index | None:
    match about:
        case {"settings": dict() as settings, "mappings": dict() as mappings, "aliases": dict() as aliases}:
            narrowed = {each for each, how in aliases.items() if how.keys() & {"filter", "search_routing"}}
            return Index(name, dict(_texts(settings)), mappings, frozenset(aliases), frozenset(narrowed))
    return None


def _texts(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        yield name, str(value)
