"""What ids stand for: the trail tells, wherever an event knows both id and number of what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from indexer.query import Query, Scope, within_tenant
from indexer.search import EventSearch, StoredEvent

Names: TypeAlias = Mapping[str, str]
"""The number (of an order, a product), e-mail (of a user) or name (of a role) by id."""

GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Whose values are GUIDs that stand for nothing else.
_OWN: Final = frozenset({"Id", "TenantId", "ConcurrencyStamp", "SecurityStamp"})
_ASKED_COUNT: Final = 1000


def ids_of(events: Iterable[StoredEvent]) -> Iterator[str]:
    """Give the ids that events leave unexplained: of what they are about, and as values of changed fields."""
    for event in events:
        if not event.text("entity.number"):
            yield event.text("entity.id")
        for side in ("change.before", "change.after"):
            values = event.value(side)
            if isinstance(values, Mapping):
                yield from ids_among(values)


def ids_among(values: Mapping[str, object]) -> Iterator[str]:
    """Give the ids among the fields of a record that stand for other records."""
    for name, value in values.items():
        if name not in _OWN and isinstance(value, str) and GUID.fullmatch(value):
            yield value


def learned(search: EventSearch, scope: Scope, ids: Iterable[str]) -> Names:
    """Give the newest name of each id that any event in the scope tells; what none tells is left out.

    One request for each thousand ids, over all that is kept; none without an id.
    """
    wanted = sorted({each for each in ids if GUID.fullmatch(each)})
    names: dict[str, str] = {}
    for first in range(0, len(wanted), _ASKED_COUNT):
        asked = wanted[first : first + _ASKED_COUNT]
        clause = {
            "bool": {"filter": [{"terms": {"entity.id": asked}}, {"exists": {"field": "entity.number"}}]}
        }
        newest = {"size": 1, "sort": [{"@timestamp": "desc"}], "_source": ["entity.number"]}
        found = search.aggregate(
            within_tenant(scope, Query(clause)),
            {
                "ids": {
                    "terms": {"field": "entity.id", "size": len(asked)},
                    "aggs": {"newest": {"top_hits": newest}},
                }
            },
        )
        for bucket in found.get("ids", {}).get("buckets", ()):
            (hit,) = bucket["newest"]["hits"]["hits"]
            names[bucket["key"]] = hit["_source"]["entity"]["number"]
    return names
