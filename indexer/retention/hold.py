"""A legal hold: which events of a tenant must not go, since when, by whom, why. Pure.

A hold keeps events from being deleted; it changes nothing of where an event is written. It is never deleted:
one that was released says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from indexer.errors import PermanentError
from indexer.partitions import Partition
from indexer.query import Json, iso


@dataclass(frozen=True, slots=True)
class Hold:
    """Events of `tenant` with `start` <= time < `end` (None: open), about the entity if one is named."""

    id: str
    tenant: str
    reason: str
    placed_by: str
    placed: datetime
    start: datetime | None = None
    end: datetime | None = None
    entity_type: str = ""
    entity_id: str = ""
    released_by: str = ""
    released: datetime | None = None
    release_reason: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it holds everything of the tenant."""
        return self.start is None and self.end is None and not self.entity_id and not self.entity_type

    def covers_period(self, partition: Partition) -> bool:
        """Whether every event of the tenant in this partition is held."""
        return (
            not self.entity_id
            and not self.entity_type
            and (self.start is None or self.start <= partition.start)
            and (self.end is None or self.end >= partition.end)
        )

    def touches(self, partition: Partition) -> bool:
        """Whether an event in this partition can be held."""
        return (self.start is None or self.start < partition.end) and (
            self.end is None or self.end > partition.start
        )

    def sentence(self) -> str:
        """Say in words what is held."""
        about = f"{self.entity_type or 'entity'} {self.entity_id}".strip() if self.entity_id else ""
        what = f"events about {about}" if about else "every event"
        if self.entity_type and not self.entity_id:
            what = f"events about any {self.entity_type}"
        since = f" from {iso(self.start)[:19]}Z" if self.start else ""
        until = f" until {iso(self.end)[:19]}Z" if self.end else ""
        return f"{what}{since}{until}"

    def to_source(self) -> dict[str, Any]:
        """Write as JSON, for the store."""
        return {
            "tenant": self.tenant,
            "reason": self.reason,
            "placed_by": self.placed_by,
            "placed": iso(self.placed),
            "start": None if self.start is None else iso(self.start),
            "end": None if self.end is None else iso(self.end),
            "entity_type": self.entity_type,
            "entity_id": self.entity_id,
            "released_by": self.released_by,
            "released": None if self.released is None else iso(self.released),
            "release_reason": self.release_reason,
        }

    @classmethod
    def from_source(cls, hold_id: str, source: Mapping[str, Any]) -> Hold:
        """Read what `to_source` wrote; `PermanentError` when it is something else."""

        def moment(name: str) -> datetime | None:
            return None if source[name] is None else datetime.fromisoformat(source[name])

        try:
            return cls(
                id=hold_id,
                tenant=source["tenant"],
                reason=source["reason"],
                placed_by=source["placed_by"],
                placed=datetime.fromisoformat(source["placed"]),
                start=moment("start"),
                end=moment("end"),
                entity_type=source["entity_type"],
                entity_id=source["entity_id"],
                released_by=source["released_by"],
                released=moment("released"),
                release_reason=source["release_reason"],
            )
        except (LookupError, TypeError, ValueError) as error:
            raise PermanentError(f"hold {hold_id} is not readable: {error!r}") from error


def clause_of(tenant_id: str, holds: Iterable[Hold], partition: Partition) -> Json:
    """Ask for the events of a partition that any of a tenant's holds covers.

    The store takes a thousand clauses at most: entities that are held alike share one.
    """
    alike: dict[tuple[str, str, str], set[str]] = {}
    for hold in holds:
        start = iso(hold.start) if hold.start and hold.start > partition.start else ""
        end = iso(hold.end) if hold.end and hold.end < partition.end else ""
        alike.setdefault((start, end, hold.entity_type), set()).add(hold.entity_id)
    clauses = [_clause(*each, sorted(ids)) for each, ids in sorted(alike.items())]
    mine: Json = {"term": {"tenant.id": tenant_id}}
    return {"bool": {"filter": [mine], "should": clauses, "minimum_should_match": 1}}


def _clause(start: str, end: str, entity_type: str, ids: list[str]) -> Json:
    """Ask for events of a time, about entities; empty: of any, "" among the ids as well."""
    wanted: list[Json] = []
    limits = {name: moment for name, moment in (("gte", start), ("lt", end)) if moment}
    if limits:
        wanted.append({"range": {"@timestamp": limits}})
    if entity_type:
        wanted.append({"term": {"entity.type": entity_type}})
    if "" not in ids:
        named = [{"terms": {name: ids}} for name in ("entity.id", "entity.number")]
        wanted.append({"bool": {"should": named, "minimum_should_match": 1}})
    return {"bool": {"filter": wanted}} if wanted else {"match_all": {}}
