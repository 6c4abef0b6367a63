"""Counts by value that leave no value out: every combination of some fields, page by page (composite)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from indexer.query import Json, ScopedQuery
from indexer.search import EventSearch

PAGE_COUNT: Final = 500
"""Groups in one answer; with up to 100 buckets below each it stays under OpenSearch's limit of 65,535."""


def groups(
    search: EventSearch, query: ScopedQuery, fields: Mapping[str, Json], aggregations: Json | None = None
) -> Iterator[Json]:
    """Give every combination that occurs, in the order of `fields`, each with `key` and `doc_count`.

    `fields`: by name, what `by` or `by_day` makes; a field that an event lacks has the key None.
    """
    composite: Json = {
        "size": PAGE_COUNT if aggregations else PAGE_COUNT * 10,
        "sources": [{name: source} for name, source in fields.items()],
    }
    while True:
        asked = {"groups": {"composite": composite, "aggs": aggregations or {}}}
        found = search.aggregate(query, asked).get("groups", {})
        yield from found.get("buckets", ())
        if "after_key" not in found:
            return
        composite["after"] = found["after_key"]


def by(name: str) -> Json:
    """Group by the values of a field."""
    return {"terms": {"field": name, "missing_bucket": True}}


def by_day(zone_name: str) -> Json:
    """Group by the local days of a zone; the key is the day as text."""
    return {
        "date_histogram": {
            "field": "@timestamp",
            "calendar_interval": "1d",
            "time_zone": zone_name,
            "format": "yyyy-MM-dd",
        }
    }
