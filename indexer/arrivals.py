"""What has arrived in the partitions since somebody last looked, and when it happened.

A partition numbers its events in the order in which they came (`_seq_no`), and says up to which number none
is missing (its global checkpoint). Unlike a clock, these numbers cannot be wrong: an event that an agent had
to keep back for a day, or that retention carried over, has a number above the mark like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from indexer import partitions
from indexer.client import Client
from indexer.errors import FailingError, MissingError
from indexer.query import Json

Marks = Mapping[str, int]
"""The last number looked at, by shard (`<uuid of the index>/<number of the shard>`)."""

MAX_STEPS_COUNT: Final = 2000
"""Above it, moments that are near each other become one stretch."""
TIMEOUT_SECS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open stretch of time [start, end), seconds since 1970."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """The stretches of time that have got events, and the marks to go on from."""

    marks: Marks
    spans: tuple[Span, ...]


class Arrivals:
    """The partitions under one index prefix. Raises the errors of `indexer.errors`."""

    def __init__(self, client: Client, index_prefix: str) -> None:
        """`index_prefix` as in AUDIT_INDEX_PREFIX."""
        self._client = client
        self._alias = partitions.alias(index_prefix)

    def marks(self) -> dict[str, int]:
        """Give the marks of everything that is there now."""
        return {shard: mark for shard, (_, _, mark) in self._shards().items()}

    def since(self, marks: Marks) -> Arrived:
        """Give what came after these marks. A partition that they do not name is new: all of it came."""
        found: list[Span] = []
        now = {}
        for shard, (index, number, mark) in self._shards().items():
            now[shard] = mark
            before = marks.get(shard, -1)
            if mark > before:
                found += self._spans(index, number, before, mark)
        return Arrived(now, merged(found))

    def answers(self) -> bool:
        """Say whether the store is there at all."""
        return self._client.ping()

    def _shards(self) -> dict[str, tuple[str, int, int]]:
        """Give index, number and mark of every primary shard.

        One that is away is missing here and forgotten; when it is back, all of it counts as new.
        """
        try:
            answer: Json = self._client.request(
                "GET",
                f"/{self._alias}/_stats/docs",
                params={
                    "level": "shards",
                    "filter_path": "_shards,indices.*.uuid,indices.*.shards.*.routing.primary,"
                    "indices.*.shards.*.seq_no.global_checkpoint",
                },
                timeout_secs=TIMEOUT_SECS,
            ).json
        except MissingError:
            return {}
        found = {}
        for index, about in answer.get("indices", {}).items():
            for number, copies in about["shards"].items():
                for copy in copies:
                    if copy["routing"]["primary"]:
                        shard = f"{about['uuid']}/{number}"
                        found[shard] = (index, int(number), int(copy["seq_no"]["global_checkpoint"]))
        return found

    def _spans(self, index: str, shard: int, after: int, until: int) -> list[Span]:
        # What is up to the checkpoint is in the index; the refresh makes all of it visible.
        self._client.request("POST", f"/{index}/_refresh", timeout_secs=TIMEOUT_SECS)
        clause: Json = {"range": {"_seq_no": {"gt": after, "lte": until}}}
        edges: Json = {name: {name: {"field": "@timestamp"}} for name in ("min", "max")}
        ends = self._ask(index, shard, clause, edges)
        if ends["min"]["value"] is None:
            return []
        first, last = int(ends["min"]["value"]) // 1000, int(ends["max"]["value"]) // 1000 + 1
        step = max(1, -(-(last - first) // MAX_STEPS_COUNT))
        histogram: Json = {"field": "@timestamp", "fixed_interval": f"{step}s", "min_doc_count": 1}
        bars = self._ask(index, shard, clause, {"bars": {"date_histogram": histogram}})["bars"]["buckets"]
        return [Span(int(bar["key"]) // 1000, int(bar["key"]) // 1000 + step) for bar in bars]

    def _ask(self, index: str, shard: int, clause: Json, aggregations: Json) -> dict[str, Any]:
        answer: Json = self._client.request(
            "POST",
            f"/{index}/_search",
            params={"preference": f"_shards:{shard}", "allow_partial_search_results": False},
            body={"query": clause, "size": 0, "track_total_hits": False, "aggs": aggregations},
            timeout_secs=TIMEOUT_SECS,
        ).json
        if answer.get("timed_out"):
            raise FailingError("OpenSearch did not count in time what has arrived; try again", status=503)
        found: dict[str, Any] = answer["aggregations"]
        return found


def merged(spans: list[Span], gap_secs: int = 0) -> tuple[Span, ...]:
    """Give the same stretches in order, those that touch, or are no further apart than the gap, as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, each.end)):
        if found and span.start <= found[-1].end + gap_secs:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)
