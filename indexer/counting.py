"""How events are spread over time and values: what OpenSearch is asked, and its answer as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

Json = dict[str, Any]

FACET_VALUES_COUNT: Final = 8
FACETS: Final[Mapping[str, str]] = {
    "category": "event.category",
    "action": "event.action",
    "outcome": "event.outcome",
    "user": "user.name",
    "entity_type": "entity.type",
    "address": "source.ip",
    "server": "host.name",
}
# Widths of a bar; the first that gives at most `_BARS_COUNT` of them is taken.
_BARS_COUNT: Final = 62
_STEPS: Final[tuple[tuple[timedelta, Json], ...]] = (
    *((timedelta(seconds=secs), {"fixed_interval": f"{secs}s"}) for secs in (1, 5, 15, 30)),
    *((timedelta(minutes=mins), {"fixed_interval": f"{mins}m"}) for mins in (1, 5, 15, 30)),
    *((timedelta(hours=hours), {"fixed_interval": f"{hours}h"}) for hours in (1, 3, 6, 12)),
    (timedelta(days=1), {"calendar_interval": "1d"}),
    (timedelta(days=7), {"calendar_interval": "1w"}),
    (timedelta(days=30), {"calendar_interval": "1M"}),
    (timedelta(days=91), {"calendar_interval": "1q"}),
    (timedelta(days=365), {"calendar_interval": "1y"}),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the histogram: events in [start, end), and how many of them failed."""

    start: datetime
    end: datetime
    count: int
    failures: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of one dimension with their counts, and how many events have others."""

    dimension: str
    values: tuple[tuple[str, int], ...]
    others: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How the events of a query are spread over time and over values."""

    total: int
    bars: tuple[Bar, ...]
    facets: tuple[Facet, ...]


def ask_bars(zone: ZoneInfo, start: datetime, end: datetime) -> Json:
    """Give the aggregation of a histogram from `start` to `end` with about 60 bars, cut in the zone."""
    step = _step(start, end)
    bounds = {"min": int(start.timestamp() * 1000), "max": int(end.timestamp() * 1000) - 1}
    return {
        "date_histogram": {
            "field": "@timestamp",
            **step,
            "time_zone": zone.key,
            "min_doc_count": 0,
            "extended_bounds": bounds,
        },
        "aggs": {"failures": {"filter": {"term": {"event.outcome": "failure"}}}},
    }


def read_bars(found: Json, start: datetime, end: datetime) -> tuple[Bar, ...]:
    """Read what `ask_bars` asked. The first bar begins at `start`, the last ends at `end`."""
    buckets = found["buckets"]
    between = [datetime.fromtimestamp(bucket["key"] / 1000, UTC) for bucket in buckets[1:]]
    return tuple(
        Bar(begun, over, bucket["doc_count"], bucket["failures"]["doc_count"])
        for begun, over, bucket in zip([start, *between], [*between, end], buckets, strict=False)
    )


def ask_counts(zone: ZoneInfo, start: datetime, end: datetime, refinements: Mapping[str, Json]) -> Json:
    """Give the aggregations of histogram and facets.

    `refinements`: a clause for each dimension that was chosen in, which the query itself leaves out. A facet
    is counted under all of them but its own, so that what could be chosen instead keeps its count.
    """
    bars = _under(refinements, {"bars": ask_bars(zone, start, end)})
    facets = {
        name: _under(
            {each: clause for each, clause in refinements.items() if each != name},
            {"values": {"terms": {"field": where, "size": FACET_VALUES_COUNT}}},
        )
        for name, where in FACETS.items()
    }
    return {"all": bars, **facets}


def read_counts(found: Json, start: datetime, end: datetime) -> Counts:
    """Read what `ask_counts` asked."""
    bars = read_bars(found["all"]["bars"], start, end)
    facets = tuple(_facet(name, found[name]["values"]) for name in FACETS)
    return Counts(sum(bar.count for bar in bars), bars, facets)


def ask_edges(refinements: Mapping[str, Json]) -> Json:
    """Give the aggregation of the first and last moment."""
    edges: Json = {name: {name: {"field": "@timestamp"}} for name in ("min", "max")}
    return {"all": _under(refinements, edges)}


def read_edges(found: Json) -> tuple[datetime | None, datetime | None]:
    """Read what `ask_edges` asked; None where there is no event."""
    first, last = (of_millis(found["all"][name]["value"]) for name in ("min", "max"))
    return first, last


def of_millis(value: float | None) -> datetime | None:
    """Give a moment from OpenSearch's milliseconds since 1970."""
    return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


def _under(refinements: Mapping[str, Json], aggregations: Json) -> Json:
    return {"filter": {"bool": {"filter": list(refinements.values())}}, "aggs": aggregations}


def _step(start: datetime, end: datetime) -> Json:
    return next((step for width, step in _STEPS if (end - start) / width <= _BARS_COUNT), _STEPS[-1][1])


def _facet(name: str, found: Json) -> Facet:
    values = tuple((str(bucket["key"]), int(bucket["doc_count"])) for bucket in found["buckets"])
    return Facet(name, values, int(found["sum_other_doc_count"]))
