"""One entity or one user through time: what to ask, and what an entity was at any moment.

What an entity was is put together from its changes. Before the first change that is kept, and for fields that
never changed since, the log says nothing, and neither does a `State`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from indexer.cursors import Direction, Position
from indexer.query import Json, Query, ScopedQuery, Window
from indexer.search import EventSearch, StoredEvent

STATE_EVENTS_LIMIT: Final = 2_000
_BATCH_COUNT: Final = 200
_IDS_COUNT: Final = 20
_USER_FIELDS: Final = ("user.id", "user.name", "user.email")
_PERMISSIONS: Final = (
    *("role_changed", "permissions_changed", "role_created", "role_updated", "role_deleted"),
    *("password_changed", "deleted", "created"),
)

How = Literal["written", "told later"]
Existence = Literal["there", "not yet", "deleted", "unknown"]


@dataclass(frozen=True, slots=True)
class Known:
    """A field's value at a moment, and the event that tells it: the one that wrote it, or a later one."""

    value: Any
    how: How
    event: StoredEvent


@dataclass(frozen=True, slots=True)
class State:
    """What an entity was at a moment. `complete`: every field is known, because its creation is."""

    existence: Existence
    fields: Mapping[str, Known]
    complete: bool
    uncertain: tuple[StoredEvent, ...]
    """Changes up to that moment of which the log does not tell whether they took effect."""
    truncated: bool
    """Whether there were more than STATE_EVENTS_LIMIT changes, so that older ones were not read."""


def entity_query(kind: str, key: str, *, requests: bool = False, bookkeeping: bool = True) -> Query:
    """Ask for the events of an entity by its id or number; `requests`: also what only read or called."""
    unwanted: list[Json] = []
    if not requests:
        unwanted.append({"terms": {"event.category": ["api", "audit", "system"]}})
    if not bookkeeping:
        unwanted.append({"term": {"event.flags": "bookkeeping"}})
    same = [_same("entity.id", key), _same("entity.number", key)]
    clause: Json = {
        "filter": [{"term": {"entity.type": kind}}, {"bool": {"should": same, "minimum_should_match": 1}}]
    }
    if unwanted:
        clause["must_not"] = unwanted
    return Query({"bool": clause})


def user_query(keys: Sequence[str], window: Window) -> Query:
    """Ask for what a user did, by any of the ids, names or e-mails; bookkeeping is left out."""
    clause: Json = {
        "filter": [_by(keys), *_within(window)],
        "must_not": [{"term": {"event.flags": "bookkeeping"}}],
    }
    return Query({"bool": clause}, window)


def exports_query(keys: Sequence[str], window: Window) -> Query:
    """Ask for what a user took away."""
    actions: Json = {"terms": {"event.action": ["exported", "downloaded"]}}
    return Query({"bool": {"filter": [_by(keys), actions, *_within(window)]}}, window)


def permissions_query(keys: Iterable[str], window: Window) -> Query:
    """Ask for changes of roles, permissions and accounts: of any of these users, or made by them."""
    about = [_same(name, key) for key in keys for name in ("entity.id", "entity.number")]
    made = [_same(name, key) for key in keys for name in _USER_FIELDS]
    clause: Json = {
        "filter": [
            {"terms": {"event.category": ["users", "authentication"]}},
            {"terms": {"event.action": list(_PERMISSIONS)}},
            {"bool": {"should": [*about, *made], "minimum_should_match": 1}},
            *_within(window),
        ],
        "must_not": [{"term": {"event.flags": "bookkeeping"}}],
    }
    return Query({"bool": clause}, window)


def identities(search: EventSearch, query: ScopedQuery) -> tuple[tuple[str, int], ...]:
    """Give the ids that the events of a query are about, with their number of events: a number may be shared.

    The most active first, up to 20.
    """
    found = search.aggregate(query, {"ids": {"terms": {"field": "entity.id", "size": _IDS_COUNT}}})
    buckets = found["ids"]["buckets"] if found else ()
    return tuple((str(bucket["key"]), int(bucket["doc_count"])) for bucket in buckets)


def state_at(search: EventSearch, changes: ScopedQuery, moment: Position) -> State:
    """Put together what an entity was at a moment; `changes` of one entity, the moment's own included."""
    fields: dict[str, Known] = {}
    uncertain: list[StoredEvent] = []
    existence: Existence = "unknown"
    complete = False
    seen = 0
    for event in _events(search, changes, moment, "older"):
        seen += 1
        outcome, before, after = event.text("event.outcome"), _side(event, "before"), _side(event, "after")
        if outcome == "unknown":
            uncertain.append(event)
        if outcome != "success" or not (before or after):
            continue
        if not after:
            # Whatever came before its deletion tells of something that was no longer there.
            existence = "deleted" if not fields and existence == "unknown" else existence
            complete = True
            break
        existence = "there"
        _learn(fields, after, "written", event)
        if not before and event.text("event.action") == "created":
            complete = True
            break
    if existence != "deleted" and not complete:
        existence, complete = _ask_later(search, changes, moment, fields, existence)
    return State(existence, fields, complete, tuple(uncertain), seen >= STATE_EVENTS_LIMIT)


def _ask_later(
    search: EventSearch,
    changes: ScopedQuery,
    moment: Position,
    fields: dict[str, Known],
    existence: Existence,
) -> tuple[Existence, bool]:
    """Later changes tell what their fields were until then; a deletion tells all of them."""
    for event in _events(search, changes, moment, "newer"):
        before, after = _side(event, "before"), _side(event, "after")
        if event.text("event.outcome") != "success" or not (before or after):
            continue
        if not before:
            return ("not yet" if existence == "unknown" else existence), existence == "unknown"
        existence = "there"
        _learn(fields, before, "told later", event)
        if not after:
            return existence, True
    return existence, False


def _learn(fields: dict[str, Known], values: Mapping[str, Any], how: How, event: StoredEvent) -> None:
    for name, value in values.items():
        fields.setdefault(name, Known(value, how, event))


def _events(
    search: EventSearch, query: ScopedQuery, start: Position, direction: Direction
) -> Iterator[StoredEvent]:
    """Give events from a position on, the nearest first, up to the limit."""
    position = start
    for _ in range(STATE_EVENTS_LIMIT // _BATCH_COUNT):
        page = search.page(query, position=position, direction=direction, size=_BATCH_COUNT)
        nearest = page.events if direction == "older" else tuple(reversed(page.events))
        yield from nearest
        if not nearest or not (page.older if direction == "older" else page.newer):
            return
        position = nearest[-1].position


def _side(event: StoredEvent, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = event.value(f"change.{name}") or {}
    return found


def _by(keys: Sequence[str]) -> Json:
    same = [_same(name, key) for key in keys for name in _USER_FIELDS]
    return {"bool": {"should": same, "minimum_should_match": 1}}


def _same(name: str, key: str) -> Json:
    return {"term": {name: {"value": key, "case_insensitive": True}}}


def _within(window: Window) -> list[Json]:
    limits = {
        word: moment.isoformat()
        for word, moment in (("gte", window.start), ("lt", window.end))
        if moment is not None
    }
    return [{"range": {"@timestamp": limits}}] if limits else []
