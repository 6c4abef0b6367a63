"""Reads events: pages, one event, the records of a request, counts, and walks over everything that matches.

Every function takes a `ScopedQuery`, so nothing can be read that `within_tenant` has not restricted.

Pages are found by position (`search_after` on time and id), without an open point in time: events are never
edited, so a page between two positions stays what it was, apart from events that arrive late, and a link to
it works for as long as its events are kept. A walk, which must see one state from first to last, opens one.
It costs a reader for each partition, of which a node has 300 (seven browser tabs over 40 days, measured), and
its id grows with them (5.9 kB for 40): neither fits a page that anybody may leave open or pass on as a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer import counting, errors, partitions
from indexer.client import Client
from indexer.cursors import Direction, Position
from indexer.query import Json, ScopedQuery, Window

MAX_PAGE_COUNT: Final = 500
MAX_REQUEST_COUNT: Final = 200
PAGE_TIMEOUT_SECS: Final = 15.0
COUNT_TIMEOUT_SECS: Final = 30.0
# Above it the names would not fit the first line of a request (4,096 bytes): the alias is asked instead, and
# OpenSearch itself passes over partitions whose times lie outside the range.
MAX_NAMES_BYTES: Final = 3000

_ORDER: Final = ("@timestamp", "event.id")
# What a row does not show is not sent: the record itself and stack traces are most of an event's bytes.
_HEAVY: Final = ("event.original", "error.stack_trace", "labels")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it lies in the store: nested JSON, read by dotted names."""

    document: Mapping[str, Any]
    position: Position

    def value(self, name: str) -> Any:  # noqa: ANN401  whatever JSON lies there
        """Give what lies under a dotted name, or None."""
        found: Any = self.document
        for part in name.split("."):
            if not isinstance(found, Mapping):
                return None
            found = found.get(part)
        return found

    def text(self, name: str) -> str:
        """Give a value as text; empty when there is none."""
        found = self.value(name)
        return "" if found is None else str(found)

    @property
    def id(self) -> str:
        """The event's own id."""
        return self.position.event_id

    @property
    def moment(self) -> datetime:
        """When it happened, UTC, to the microsecond."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.position.nanos // 1000)


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest first, and whether there are more on either side."""

    events: tuple[StoredEvent, ...]
    newer: bool
    older: bool


def targets(names: Iterable[str], alias: str, window: Window) -> str:
    """Give what to ask: the members of the alias that overlap the window, or the alias if it is the same."""
    members = list(names)
    chosen = sorted(name for name in members if _can_hold(name, window))
    text = ",".join(chosen)
    return text if chosen and len(chosen) < len(members) and len(text) <= MAX_NAMES_BYTES else alias


def _can_hold(name: str, window: Window) -> bool:
    partition = partitions.parse(name)
    if partition is None:
        return True
    return (window.start is None or partition.end > window.start) and (
        window.end is None or partition.start < window.end
    )


class EventSearch:
    """Searches of the events under one index prefix. Raises the errors of `indexer.errors`."""

    def __init__(self, client: Client, index_prefix: str) -> None:
        """`index_prefix` as in AUDIT_INDEX_PREFIX."""
        self._client = client
        self._alias = partitions.alias(index_prefix)

    def page(self, query: ScopedQuery, *, position: Position | None, direction: Direction, size: int) -> Page:
        """Give up to `size` events next to a position (from the newest without one), newest first."""
        if not 1 <= size <= MAX_PAGE_COUNT:
            raise ValueError(f"size: {size}, not 1 to {MAX_PAGE_COUNT}")
        down = direction == "older" or position is None
        body = _listing(query, order="desc" if down else "asc", size=size + 1)
        if position is not None:
            body["search_after"] = [position.nanos, position.event_id]
        found = self._events(query, body)
        more, events = len(found) > size, found[:size]
        if down:
            return Page(tuple(events), newer=position is not None, older=more)
        return Page(tuple(reversed(events)), newer=more, older=True)

    def event(self, query: ScopedQuery) -> StoredEvent | None:
        """Give the one event that matches, with all its fields; None when there is none in the scope."""
        found = self._events(query, _listing(query, order="desc", size=1, heavy=True))
        return found[0] if found else None

    def request_events(self, query: ScopedQuery) -> tuple[StoredEvent, ...]:
        """Give the matching events of one request, oldest first, up to MAX_REQUEST_COUNT."""
        return tuple(self._events(query, _listing(query, order="asc", size=MAX_REQUEST_COUNT)))

    def counts(
        self, query: ScopedQuery, zone: ZoneInfo, refinements: Mapping[str, Json] | None = None
    ) -> counting.Counts:
        """Count by time and by value. Reads every matching event: dearer than a page, so asked after it.

        `refinements`: clauses by dimension that `query` leaves out; see `counting.ask_counts`.
        """
        narrowed = refinements or {}
        start, end = query.window.start, query.window.end
        if start is None or end is None:
            edges = self.aggregate(query, counting.ask_edges(narrowed))
            first, last = counting.read_edges(edges) if edges else (None, None)
            if first is None or last is None:
                return counting.Counts(0, (), ())
            start, end = start or first, end or last + timedelta(milliseconds=1)
        found = self.aggregate(query, counting.ask_counts(zone, start, end, narrowed))
        return counting.read_counts(found, start, end) if found else counting.Counts(0, (), ())

    def aggregate(self, query: ScopedQuery, aggregations: Json) -> Json:
        """Give OpenSearch's answer to aggregations over all matching events; empty without a partition."""
        body = {"query": query.clause, "size": 0, "track_total_hits": False, "aggs": aggregations}
        path = f"/{self._targets(query)}/_search"
        found: Json = self._whole(path, body, _LENIENT, COUNT_TIMEOUT_SECS).get("aggregations") or {}
        return found

    def walk(self, query: ScopedQuery, *, batch: int = 1000, keep_alive: str = "5m") -> Iterator[StoredEvent]:
        """Give every matching event, newest first, all from one state of the store."""
        target = self._targets(query)
        if target == self._alias and not self._members():
            return  # there is no partition yet, and OpenSearch refuses to open nothing
        # Without the second parameter OpenSearch answers 200 with some of the partitions when it has no room.
        point: Json = self._client.request(
            "POST",
            f"/{target}/_search/point_in_time",
            params={"keep_alive": keep_alive, "allow_partial_pit_creation": False, **_LENIENT},
        ).json
        opened = point["pit_id"]
        body = _listing(query, order="desc", size=batch, heavy=True)
        body["pit"] = {"id": opened, "keep_alive": keep_alive}
        try:
            while found := self._hits("/_search", body, {}):
                yield from found
                last = found[-1].position
                body["search_after"] = [last.nanos, last.event_id]
        finally:
            self._client.request("DELETE", "/_search/point_in_time", body={"pit_id": [opened]})

    def _events(self, query: ScopedQuery, body: Json) -> list[StoredEvent]:
        return self._hits(f"/{self._targets(query)}/_search", body, _LENIENT)

    def _hits(self, path: str, body: Json, params: Mapping[str, str | int | bool]) -> list[StoredEvent]:
        answer = self._whole(path, body, params, PAGE_TIMEOUT_SECS)
        return [_stored(hit) for hit in answer["hits"]["hits"]]

    def _whole(
        self, path: str, body: Json, params: Mapping[str, str | int | bool], timeout_secs: float
    ) -> Json:
        """Ask, and refuse an answer that leaves a partition out: an audit page must not be silently short."""
        asked = {"allow_partial_search_results": False, **params}
        answer: Json = self._client.request(
            "POST", path, params=asked, body=body, timeout_secs=timeout_secs
        ).json
        if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
            raise errors.FailingError("OpenSearch answered for some partitions only; try again", status=503)
        return answer

    def _targets(self, query: ScopedQuery) -> str:
        """Say where to look: members of the alias, never a pattern; a copy being filled is not to be read."""
        if not isinstance(query, ScopedQuery):
            raise TypeError("only a ScopedQuery is searched; see indexer.query.within_tenant")
        if query.window.start is None and query.window.end is None:
            return self._alias
        return targets(self._members(), self._alias, query.window)

    def _members(self) -> list[str]:
        listed = self._client.request(
            "GET", f"/_cat/aliases/{self._alias}", params={"h": "index", "format": "json"}
        ).json
        return [str(row["index"]) for row in listed]


_LENIENT: Final[Mapping[str, str | int | bool]] = {"ignore_unavailable": True, "allow_no_indices": True}


def _listing(query: ScopedQuery, *, order: str, size: int, heavy: bool = False) -> Json:
    body: Json = {
        "query": query.clause,
        "sort": [{name: {"order": order}} for name in _ORDER],
        "size": size,
        "track_total_hits": False,
    }
    if not heavy:
        body["_source"] = {"excludes": list(_HEAVY)}
    return body


def _stored(hit: Json) -> StoredEvent:
    return StoredEvent(hit["_source"], Position(int(hit["sort"][0]), str(hit["sort"][1])))
