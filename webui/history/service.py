"""Answers the questions of the history pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from indexer import history, summary
from indexer.cursors import Position, position_of
from indexer.history import State
from indexer.names import GUID, Names, ids_among, learned
from indexer.query import ScopedQuery, Window, event_query
from indexer.search import StoredEvent
from indexer.summary import Habits
from webui.question import moment
from webui.reading import Reading
from webui.tenancy import NotHereError, Reader, TenantFacts

PAGE_COUNT: Final = 50
_TAKEN_COUNT: Final = 20
SPANS: Final[Mapping[str, tuple[str, timedelta]]] = {
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
    "365d": ("Last year", timedelta(days=365)),
}
USUAL_SPAN: Final = "30d"


@dataclass(frozen=True, slots=True)
class Entity:
    """What a history is about, as its newest event calls it."""

    kind: str
    key: str
    id: str
    number: str
    others: tuple[tuple[str, int], ...]
    """Ids with their number of events, where several entities bear the number."""

    @property
    def name(self) -> str:
        """Its number, or its id where it has none."""
        return self.number or self.id or self.key


@dataclass(frozen=True, slots=True)
class Shown:
    """Which events a timeline shows besides changes."""

    requests: bool = False
    bookkeeping: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of an entity's history; cursors are empty where there is nothing."""

    entity: Entity
    place: TenantFacts
    events: tuple[StoredEvent, ...]
    names: Names
    newer: str
    older: str


@dataclass(frozen=True, slots=True)
class Version:
    """What an entity was: right after `event`, or at `moment`."""

    state: State
    moment: datetime
    event: StoredEvent | None
    names: Names
    """Of the ids among its fields."""


@dataclass(frozen=True, slots=True)
class Person:
    """One user through time."""

    key: str
    keys: tuple[str, ...]
    """By which the events are found, here and in the activity log."""
    id: str
    name: str
    email: str
    place: TenantFacts
    window: Window
    habits: Habits | None
    exports: tuple[StoredEvent, ...]
    permissions: tuple[StoredEvent, ...]
    names: Names


class Histories:
    """Histories, as far as a reader may see them."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._search = reading.search
        self._tenancy = reading.tenancy
        self._now = reading.now

    def timeline(self, reader: Reader, kind: str, key: str, shown: Shown, cursor_text: str) -> Timeline:
        """Give a page of a history; NotHereError when there is none, or it is another's cursor."""
        bound = f"history\n{kind}\n{key}\n{shown.requests:d}{shown.bookkeeping:d}"
        cursor = self._reading.cursor(reader, bound, cursor_text)
        asked = history.entity_query(kind, key, requests=shown.requests, bookkeeping=shown.bookkeeping)
        page = self._search.page(
            self._reading.scoped(reader, asked),
            position=cursor.position if cursor else None,
            direction=cursor.direction if cursor else "older",
            size=PAGE_COUNT,
        )
        entity, place = self._entity(reader, kind, key, page.events)
        newer, older = self._reading.ways(reader, bound, page, Window())
        return Timeline(
            entity=entity,
            place=place,
            events=page.events,
            names=self._reading.names(reader, page.events),
            newer=newer,
            older=older,
        )

    def at_moment(
        self, reader: Reader, kind: str, key: str, text: str
    ) -> tuple[Entity, TenantFacts, Version]:
        """Say what an entity was at a typed time, now without one; QuestionError names `at`."""
        entity, place = self._entity(reader, kind, key)
        when = moment("at", text, place.zone) or self._now()
        state = history.state_at(self._search, self._changes(reader, entity), position_of(when))
        return entity, place, self._version(reader, state, when, None)

    def versions(
        self, reader: Reader, kind: str, key: str, ids: tuple[str, str]
    ) -> tuple[Entity, TenantFacts, Version, Version]:
        """Give what an entity was after each of two events, the earlier first."""
        entity, place = self._entity(reader, kind, key)
        found = sorted((self._event(reader, each) for each in ids), key=_place)
        changes = self._changes(reader, entity)
        earlier, later = (
            self._version(reader, history.state_at(self._search, changes, _after(event)), event.moment, event)
            for event in found
        )
        return entity, place, earlier, later

    def _version(self, reader: Reader, state: State, moment: datetime, event: StoredEvent | None) -> Version:
        ids = ids_among({name: known.value for name, known in state.fields.items()})
        return Version(state, moment, event, learned(self._search, reader.scope, ids))

    def person(self, reader: Reader, key: str, span: str) -> Person:
        """Give one user through a span of SPANS until now; NotHereError when nobody is known by the key."""
        now = self._now()
        window = Window(now - SPANS[span][1], now)
        ever = self._reading.scoped(reader, history.user_query([key], Window()))
        newest = self._search.page(ever, position=None, direction="older", size=1).events
        if not newest:
            raise NotHereError
        known = newest[0]
        place = self._tenancy.facts(known.text("tenant.id"))
        names = [known.text(name) for name in ("user.id", "user.email", "user.name")]
        # Two people can bear one name: where the id is known, the name alone accuses nobody.
        keys = [each for each in names[:2] if each] if names[0] else [key]
        query = self._reading.scoped(reader, history.user_query(keys, window))
        start, end = now - SPANS[span][1], now
        taken = self._reading.scoped(reader, history.exports_query(keys, window))
        permissions = self._reading.scoped(reader, history.permissions_query(keys, window))
        exported, permitted = self._latest(taken), self._latest(permissions)
        return Person(
            key=key,
            keys=tuple(keys),
            id=names[0],
            email=names[1],
            name=names[2] or names[1] or key,
            place=place,
            window=window,
            habits=summary.habits(self._search, query, place.zone, start, end),
            exports=exported,
            permissions=permitted,
            names=self._reading.names(reader, (*exported, *permitted)),
        )

    def _latest(self, query: ScopedQuery) -> tuple[StoredEvent, ...]:
        return self._search.page(query, position=None, direction="older", size=_TAKEN_COUNT).events

    def _entity(
        self, reader: Reader, kind: str, key: str, shown: tuple[StoredEvent, ...] = ()
    ) -> tuple[Entity, TenantFacts]:
        """Say whom a type and a key mean; `shown`: its events, newest first, where they are known already."""
        query = self._reading.scoped(reader, history.entity_query(kind, key, requests=True))
        newest = shown or self._search.page(query, position=None, direction="older", size=1).events
        if not newest:
            raise NotHereError
        # A GUID is one entity's, a number may be several's.
        if GUID.fullmatch(key):
            ids: tuple[tuple[str, int], ...] = ((newest[0].text("entity.id"), len(newest)),)
        else:
            ids = history.identities(self._search, query)
        single = len(ids) <= 1
        numbers = (event.text("entity.number") for event in newest)
        entity = Entity(
            kind=kind,
            key=key,
            id=ids[0][0] if ids and single else "",
            number=next(filter(None, numbers), "") or self._number(reader, kind, key),
            others=() if single else ids,
        )
        return entity, self._tenancy.facts(newest[0].text("tenant.id"))

    def _number(self, reader: Reader, kind: str, key: str) -> str:
        """The newest event may be a request, which knows the id alone; a change knows the number."""
        query = self._reading.scoped(reader, history.entity_query(kind, key))
        changes = self._search.page(query, position=None, direction="older", size=1).events
        return changes[0].text("entity.number") if changes else ""

    def _changes(self, reader: Reader, entity: Entity) -> ScopedQuery:
        return self._reading.scoped(reader, history.entity_query(entity.kind, entity.id or entity.key))

    def _event(self, reader: Reader, event_id: str) -> StoredEvent:
        event = self._search.event(self._reading.scoped(reader, event_query(event_id)))
        if event is None:
            raise NotHereError
        return event


def _place(event: StoredEvent) -> tuple[int, str]:
    return event.position.nanos, event.position.event_id


def _after(event: StoredEvent) -> Position:
    """The place right above an event: what comes after it in the order of pages is this event."""
    return Position(event.position.nanos, event.position.event_id + "~")
