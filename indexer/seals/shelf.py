"""Seals into the store, and all of them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from indexer.client import Client, whole
from indexer.errors import ConflictError, MissingError, NotPreparedError
from indexer.seals import index
from indexer.seals.seal import Seal

# A seal of 10,000 events is 280 KB as JSON.
_PAGE_COUNT: Final = 20
_PAGE_COUNT_BARE: Final = 1000
_KEEP_ALIVE: Final = "5m"
_TIMEOUT_SECS: Final = 120.0


class Shelf:
    """All seals under one index prefix. Raises the errors of `indexer.errors`."""

    def __init__(self, client: Client, prefix: str) -> None:
        self.index: Final = index.name(prefix)
        self._client = client
        self._prefix = prefix

    def prepare(self) -> bool:
        """Create the index; True when it was created now. See `index.prepare`."""
        return index.prepare(self._client, self._prefix)

    def put(self, seal: Seal, source: Mapping[str, Any]) -> bool:
        """Store a seal, whose document is `source`; False when this very one is there already.

        The index must be prepared.
        """
        try:
            self._client.request(
                "PUT",
                f"/{self.index}/_create/{quote(seal.id, safe='')}",
                body=source,
                timeout_secs=_TIMEOUT_SECS,
            )
        except ConflictError:
            return False
        return True

    def walk(self, *, with_leaves: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the id and source of everything on the shelf, in no order, from one state of it."""
        try:
            self._client.request("POST", f"/{self.index}/_refresh", timeout_secs=_TIMEOUT_SECS)
            point = self._client.request(
                "POST",
                f"/{self.index}/_search/point_in_time",
                params={"keep_alive": _KEEP_ALIVE, "allow_partial_pit_creation": False},
            ).json["pit_id"]
        except MissingError as error:
            raise NotPreparedError(
                f"index {self.index} is missing: no agent has sealed anything, or it was deleted; "
                "`audit-indexer apply` makes it"
            ) from error
        body: dict[str, Any] = {
            "pit": {"id": point, "keep_alive": _KEEP_ALIVE},
            "size": _PAGE_COUNT if with_leaves else _PAGE_COUNT_BARE,
            # Not by chain and number: what is no seal may have neither.
            "sort": ["_shard_doc"],
            "track_total_hits": False,
        }
        if not with_leaves:
            body["_source"] = {"excludes": ["leaves"]}
        try:
            while hits := self._page(body):
                yield from ((hit["_id"], hit["_source"]) for hit in hits)
                body["search_after"] = hits[-1]["sort"]
        finally:
            self._client.request("DELETE", "/_search/point_in_time", body={"pit_id": [point]})

    def _page(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        params = {"allow_partial_search_results": False}
        answer = self._client.request(
            "POST", "/_search", params=params, body=body, timeout_secs=_TIMEOUT_SECS
        ).json
        found: list[dict[str, Any]] = whole(answer, "the seals")["hits"]["hits"]
        return found
