"""Reads every event of some partitions, whole, in no order, from one state of each.

The next page is on its way while the caller works on this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from indexer.client import Client, whole
from indexer.query import ScopedQuery

_PAGE_COUNT: Final = 2000
_KEEP_ALIVE: Final = "5m"
_TIMEOUT_SECS: Final = 120.0
# The names stand in the first line of a request (4,096 bytes).
_NAMES_BYTES: Final = 3000

Hit = dict[str, Any]


def count(client: Client, indices: Sequence[str], query: ScopedQuery) -> int:
    """Count the events of these indices, nearly: the newest, and indices just deleted, may be missing."""
    total = 0
    for names in _requests(indices):
        answer = client.request(
            "POST",
            f"/{names}/_count",
            params={"ignore_unavailable": True},
            body={"query": query.clause},
            timeout_secs=_TIMEOUT_SECS,
        ).json
        total += int(answer["count"])
    return total


def events(client: Client, indices: Sequence[str], query: ScopedQuery) -> Iterator[list[Hit]]:
    """Give every event of these indices, page by page, the newest writes included."""
    with ThreadPoolExecutor(1) as ahead:
        for names in _requests(indices):
            client.request("POST", f"/{names}/_refresh", timeout_secs=_TIMEOUT_SECS)
            point = client.request(
                "POST",
                f"/{names}/_search/point_in_time",
                params={"keep_alive": _KEEP_ALIVE, "allow_partial_pit_creation": False},
                timeout_secs=_TIMEOUT_SECS,
            ).json["pit_id"]
            body: dict[str, Any] = {
                "pit": {"id": point, "keep_alive": _KEEP_ALIVE},
                "query": query.clause,
                "size": _PAGE_COUNT,
                "sort": ["_shard_doc"],
                "track_total_hits": False,
            }
            try:
                page = _page(client, body)
                while page:
                    following = ahead.submit(_page, client, {**body, "search_after": page[-1]["sort"]})
                    yield page
                    page = following.result()
            finally:
                client.request("DELETE", "/_search/point_in_time", body={"pit_id": [point]})


def _page(client: Client, body: dict[str, Any]) -> list[Hit]:
    answer = client.request(
        "POST",
        "/_search",
        params={"allow_partial_search_results": False},
        body=body,
        timeout_secs=_TIMEOUT_SECS,
    ).json
    found: list[Hit] = whole(answer, "the partitions")["hits"]["hits"]
    return found


def _requests(indices: Sequence[str]) -> Iterator[str]:
    """The names, joined, in as many requests as their length needs."""
    names: list[str] = []
    length = 0
    for name in indices:
        if names and length + len(name) >= _NAMES_BYTES:
            yield ",".join(names)
            names, length = [], 0
        names.append(name)
        length += len(name) + 1
    if names:
        yield ",".join(names)
