"""What an index holds: counts by tenant, first and last time, and every id, one by one."""

from __future__ import annotations

import hashlib
import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Final

from indexer.client import Client, whole
from indexer.errors import FailingError
from indexer.partitions import Partition
from indexer.query import Json, iso

EVERYTHING: Final[Json] = {"match_all": {}}
# One answer of ids is some 300 KiB; with hashes, the store reads the events themselves.
PAGE_COUNT: Final = 5000
# Ids that are sorted in memory at once; more of them are sorted in files, and merged.
SORTED_COUNT: Final = 500_000
# OpenSearch's own limit for the buckets of one answer.
TENANTS_MAX: Final = 60_000
_SCROLL: Final = "5m"
_TIMEOUT_SECS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Contents:
    """Numbers of an index or a part of it."""

    count: int
    tenants: dict[str, int]


def refresh(client: Client, index: str) -> None:
    """Make everything written so far searchable."""
    answer = client.request("POST", f"/{index}/_refresh", timeout_secs=_TIMEOUT_SECS).json
    whole(answer, f"index {index}")


def sum_up(client: Client, index: str, clause: Json = EVERYTHING) -> Contents:
    """Count what matches, by tenant; everything that was refreshed is seen."""
    body: Json = {
        "query": clause,
        "size": 0,
        "track_total_hits": True,
        "aggs": {
            "tenants": {"terms": {"field": "tenant.id", "size": TENANTS_MAX}},
        },
    }
    found = _search(client, index, body)
    aggregations = found["aggregations"]
    if aggregations["tenants"]["sum_other_doc_count"]:
        raise FailingError(f"index {index} holds more than {TENANTS_MAX} tenants, more than can be counted")

    return Contents(
        found["hits"]["total"]["value"],
        {bucket["key"]: bucket["doc_count"] for bucket in aggregations["tenants"]["buckets"]},
    )


def edges(client: Client, index: str) -> tuple[str, str]:
    """Return the times of the oldest and the newest event as they were written; empty where there is none."""
    found = []
    for order in ("asc", "desc"):
        body: Json = {"size": 1, "sort": [{"@timestamp": order}], "_source": ["@timestamp"]}
        hits = _search(client, index, body)["hits"]["hits"]
        found.append(str(hits[0]["_source"]["@timestamp"]) if hits else "")
    return found[0], found[1]


def last_ingested(client: Client, index: str) -> datetime | None:
    """Return when the last of an index's events was handed over; None where it is empty."""
    body: Json = {"size": 0, "aggs": {"last": {"max": {"field": "event.ingested"}}}}
    found = _search(client, index, body)["aggregations"]["last"]["value"]
    return None if found is None else datetime.fromtimestamp(found / 1000, UTC)


def count(client: Client, index: str, clause: Json) -> int:
    """Count what matches."""
    body: Json = {"query": clause, "size": 0, "track_total_hits": True}
    return int(_search(client, index, body)["hits"]["total"]["value"])


def outside_period(client: Client, index: str, partition: Partition) -> int:
    """Count events whose time is not of the partition's period."""
    inside = {"range": {"@timestamp": {"gte": iso(partition.start), "lt": iso(partition.end)}}}
    return count(client, index, {"bool": {"must_not": [inside]}})


def ids_digest(client: Client, index: str, advance: Callable[[int], None]) -> str:
    """Return the SHA-256 over the sorted ids of an index, each followed by a newline.

    Memory stays flat: ids beyond SORTED_COUNT go through files. `advance` is told how many more were read.
    """
    digest = hashlib.sha256()
    with ExitStack() as files:
        runs = list(_sorted_runs(walk(client, index, EVERYTHING, fields=()), files, advance))
        for each in heapq.merge(*runs):
            digest.update(each.encode() + b"\n")
    return digest.hexdigest()


def walk(client: Client, index: str, clause: Json, *, fields: tuple[str, ...]) -> Iterator[list[Json]]:
    """Give every matching document, page by page, from one state of the index."""
    body: Json = {"query": clause, "size": PAGE_COUNT, "sort": ["_doc"], "_source": list(fields) or False}
    answer = _search(client, index, body, scroll=_SCROLL)
    try:
        while hits := answer["hits"]["hits"]:
            yield hits
            again = {"scroll": _SCROLL, "scroll_id": answer["_scroll_id"]}
            page = client.request("POST", "/_search/scroll", body=again, timeout_secs=_TIMEOUT_SECS).json
            answer = whole(page, f"index {index}")
    finally:
        client.request("DELETE", "/_search/scroll", body={"scroll_id": [answer["_scroll_id"]]})


def first_difference(
    client: Client, index: str, copy: str, clause: Json, advance: Callable[[int], None]
) -> str:
    """Compare what matches with its copy, id by id and hash by hash; "" when the copy has exactly that."""
    compared = 0
    for page in walk(client, index, clause, fields=("event.hash",)):
        wanted = {hit["_id"]: _hash(hit) for hit in page}
        body: Json = {
            "query": {"ids": {"values": list(wanted)}},
            "size": len(wanted),
            "_source": ["event.hash"],
        }
        found = {hit["_id"]: _hash(hit) for hit in _search(client, copy, body)["hits"]["hits"]}
        if found != wanted:
            wrong = sorted(each for each in wanted if found.get(each) != wanted[each])
            return f"{len(wrong)} events, {wrong[0]} among them, are missing or other ones in {copy}"
        compared += len(wanted)
        advance(len(wanted))
    copied = count(client, copy, EVERYTHING)
    if copied != compared:
        return f"{copy} holds {copied} events instead of {compared}"
    return ""


def _hash(hit: Json) -> str:
    return str(hit["_source"].get("event", {}).get("hash", ""))


def _sorted_runs(
    pages: Iterable[list[Json]], files: ExitStack, advance: Callable[[int], None]
) -> Iterator[Iterable[str]]:
    ids: list[str] = []
    for page in pages:
        ids += [hit["_id"] for hit in page]
        advance(len(page))
        if len(ids) >= SORTED_COUNT:
            yield _spilled(sorted(ids), files)
            ids = []
    yield sorted(ids)


def _spilled(ids: list[str], files: ExitStack) -> Iterable[str]:
    file: IO[str] = files.enter_context(tempfile.TemporaryFile("w+", encoding="ascii"))  # noqa: SIM115
    file.writelines(f"{each}\n" for each in ids)
    file.seek(0)
    return (line.rstrip("\n") for line in file)


def _search(client: Client, index: str, body: Json, **params: str) -> Json:
    asked: dict[str, str | bool] = {"allow_partial_search_results": False, **params}
    answer: Json = client.request(
        "POST", f"/{index}/_search", params=asked, body=body, timeout_secs=_TIMEOUT_SECS
    ).json
    found: Json = whole(answer, f"index {index}")
    return found
