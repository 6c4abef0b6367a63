"""Sums over the events of a scope: what an overview of a tenant shows, and what a page about a user shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer import counting
from indexer.counting import Bar
from indexer.query import Json, ScopedQuery
from indexer.search import EventSearch

RANKS_COUNT: Final = 8
_WHO: Final = ("user.name", "user.id", "user.email")
_CHANGES: Final = ("users", "products", "orders", "inventory", "configuration")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A value with its number of events, how many of these failed, and when the first and the last were."""

    value: str
    count: int
    failures: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What happened in a stretch of time."""

    bars: tuple[Bar, ...]
    total: int
    failures: int
    changes: int
    exports: int
    users: tuple[Ranked, ...]
    users_count: int
    categories: tuple[Ranked, ...]
    failed_logins: int
    failed_from: tuple[Ranked, ...]
    failed_as: tuple[Ranked, ...]
    failed_nameless: int
    nameless: int
    """Requests and changes that name no user."""


NOTHING: Final = Overview((), 0, 0, 0, 0, (), 0, (), 0, (), (), 0, 0)


@dataclass(frozen=True, slots=True)
class Habits:
    """One user through time: `hours[weekday - 1][hour]` counts by the tenant's own clock."""

    bars: tuple[Bar, ...]
    total: int
    failures: int
    first: datetime | None
    last: datetime | None
    hours: tuple[tuple[int, ...], ...]
    without_hour: int
    categories: tuple[Ranked, ...]
    addresses: tuple[Ranked, ...]
    agents: tuple[Ranked, ...]
    sign_ins: int
    exports: int


def overview(
    search: EventSearch, query: ScopedQuery, zone: ZoneInfo, start: datetime, end: datetime
) -> Overview:
    """Sum up the events of `query`, whose window is [start, end); one request."""
    nameless = {"bool": {"must_not": [{"exists": {"field": name}} for name in _WHO]}}
    failed = {"terms": {"event.action": ["login_failed"]}}
    found = search.aggregate(
        query,
        {
            "bars": counting.ask_bars(zone, start, end),
            "users": _ranks("user.name"),
            "users_count": {"cardinality": {"field": "user.name"}},
            "categories": _ranks("event.category", size=9),
            "changes": _only({"terms": {"event.category": list(_CHANGES)}}),
            "exports": _only({"terms": {"event.action": ["exported", "downloaded"]}}),
            "nameless": _only(
                {"bool": {"filter": [nameless], "must_not": [{"term": {"event.category": "system"}}]}}
            ),
            "failed": {
                "filter": failed,
                "aggs": {
                    "from": _ranks("source.ip", size=5),
                    "as": _ranks("user.name", size=5),
                    "nameless": _only(nameless),
                },
            },
        },
    )
    if not found:
        return NOTHING
    bars = counting.read_bars(found["bars"], start, end)
    refused = found["failed"]
    return Overview(
        bars=bars,
        total=sum(bar.count for bar in bars),
        failures=sum(bar.failures for bar in bars),
        changes=found["changes"]["doc_count"],
        exports=found["exports"]["doc_count"],
        users=_ranked(found["users"]),
        users_count=found["users_count"]["value"],
        categories=_ranked(found["categories"]),
        failed_logins=refused["doc_count"],
        failed_from=_ranked(refused["from"]),
        failed_as=_ranked(refused["as"]),
        failed_nameless=refused["nameless"]["doc_count"],
        nameless=found["nameless"]["doc_count"],
    )


def oldest(search: EventSearch, query: ScopedQuery) -> datetime | None:
    """Say when the oldest event was; None when there is none."""
    found = search.aggregate(query, {"oldest": {"min": {"field": "@timestamp"}}})
    return counting.of_millis(found["oldest"]["value"]) if found else None


def newest(search: EventSearch, query: ScopedQuery) -> datetime | None:
    """Say when the newest event was; None when there is none."""
    found = search.aggregate(query, {"newest": {"max": {"field": "@timestamp"}}})
    return counting.of_millis(found["newest"]["value"]) if found else None


def habits(
    search: EventSearch, query: ScopedQuery, zone: ZoneInfo, start: datetime, end: datetime
) -> Habits | None:
    """Sum up the events of one user in [start, end); None when there is no partition at all."""
    hours: Json = {"terms": {"field": "local.hour", "size": 24}}
    found = search.aggregate(
        query,
        {
            "bars": counting.ask_bars(zone, start, end),
            "first": {"min": {"field": "@timestamp"}},
            "last": {"max": {"field": "@timestamp"}},
            "days": {"terms": {"field": "local.weekday", "size": 7}, "aggs": {"hours": hours}},
            "without_hour": {"missing": {"field": "local.hour"}},
            "categories": _ranks("event.category", size=9),
            "addresses": _ranks("source.ip"),
            "agents": _ranks("user_agent.original", size=6),
            "sign_ins": _only({"terms": {"event.action": ["login", "signed_in"]}}),
            "exports": _only({"terms": {"event.action": ["exported", "downloaded"]}}),
        },
    )
    if not found:
        return None
    bars = counting.read_bars(found["bars"], start, end)
    grid = [[0] * 24 for _ in range(7)]
    for day in found["days"]["buckets"]:
        for hour in day["hours"]["buckets"]:
            grid[int(day["key"]) - 1][int(hour["key"])] = hour["doc_count"]
    return Habits(
        bars=bars,
        total=sum(bar.count for bar in bars),
        failures=sum(bar.failures for bar in bars),
        first=counting.of_millis(found["first"]["value"]),
        last=counting.of_millis(found["last"]["value"]),
        hours=tuple(map(tuple, grid)),
        without_hour=found["without_hour"]["doc_count"],
        categories=_ranked(found["categories"]),
        addresses=_ranked(found["addresses"]),
        agents=_ranked(found["agents"]),
        sign_ins=found["sign_ins"]["doc_count"],
        exports=found["exports"]["doc_count"],
    )


def _only(clause: Json) -> Json:
    return {"filter": clause}


def _ranks(name: str, *, size: int = RANKS_COUNT) -> Json:
    return {
        "terms": {"field": name, "size": size},
        "aggs": {
            "failures": {"filter": {"term": {"event.outcome": "failure"}}},
            "first": {"min": {"field": "@timestamp"}},
            "last": {"max": {"field": "@timestamp"}},
        },
    }


def _ranked(found: dict[str, Any]) -> tuple[Ranked, ...]:
    return tuple(
        Ranked(
            str(bucket["key"]),
            int(bucket["doc_count"]),
            int(bucket["failures"]["doc_count"]),
            counting.of_millis(bucket["first"]["value"]),
            counting.of_millis(bucket["last"]["value"]),
        )
        for bucket in found["buckets"]
    )
