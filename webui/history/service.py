"""Answers the questions of the history pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from indexer import history, summary
from indexer.cursors import Cursor, CursorError, Cursors, Direction, Position, position_of
from indexer.history import Identities, State
from indexer.query import Query, ScopedQuery, Window, event_query, within_tenant
from indexer.search import EventSearch, StoredEvent
from indexer.summary import Habits
from webui.question import moment
from webui.tenancy import NotHereError, Reader, Tenancy, TenantFacts

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
    newer: str
    older: str


@dataclass(frozen=True, slots=True)
class Version:
    """What an entity was: right after `event`, or at `moment`."""

    state: State
    moment: datetime
    event: StoredEvent | None


@dataclass(frozen=True, slots=True)
class Person:
    """One user through time."""

    key: str
    id: str
    name: str
    email: str
    place: TenantFacts
    window: Window
    habits: Habits | None
    exports: tuple[StoredEvent, ...]
    permissions: tuple[StoredEvent, ...]


class Histories:
    """Histories, as far as a reader may see them."""

    def __init__(
        self, search: EventSearch, cursors: Cursors, tenancy: Tenancy, now: Callable[[], datetime]
    ) -> None:
        """`now`: an aware time."""
        self._search = search
        self._cursors = cursors
        self._tenancy = tenancy
        self._now = now

    def timeline(self, reader: Reader, kind: str, key: str, shown: Shown, cursor_text: str) -> Timeline:
        """Give a page of a history; NotHereError when there is none, or it is another's cursor."""
        entity, place = self._entity(reader, kind, key)
        bound = f"history\n{kind}\n{key}\n{shown.requests:d}{shown.bookkeeping:d}"
        cursor = self._cursor(reader, bound, cursor_text) if cursor_text else None
        asked = history.entity_query(kind, key, requests=shown.requests, bookkeeping=shown.bookkeeping)
        query = within_tenant(reader.scope, asked)
        page = self._search.page(
            query,
            position=cursor.position if cursor else None,
            direction=cursor.direction if cursor else "older",
            size=PAGE_COUNT,
        )

        def seal(event: StoredEvent, direction: Direction) -> str:
            return self._cursors.seal(Cursor(event.position, direction, Window()), reader.scope, bound)

        return Timeline(
            entity=entity,
            place=place,
            events=page.events,
            newer=seal(page.events[0], "newer") if page.newer and page.events else "",
            older=seal(page.events[-1], "older") if page.older and page.events else "",
        )

    def at_moment(
        self, reader: Reader, kind: str, key: str, text: str
    ) -> tuple[Entity, TenantFacts, Version]:
        """Say what an entity was at a typed time, now without one; QuestionError names `at`."""
        entity, place = self._entity(reader, kind, key)
        when = moment("at", text, place.zone) or self._now()
        state = history.state_at(self._search, self._changes(reader, entity), position_of(when))
        return entity, place, Version(state, when, None)

    def versions(
        self, reader: Reader, kind: str, key: str, ids: tuple[str, str]
    ) -> tuple[Entity, TenantFacts, Version, Version]:
        """Give what an entity was after each of two events, the earlier first."""
        entity, place = self._entity(reader, kind, key)
        found = sorted((self._event(reader, each) for each in ids), key=lambda event: event.position.nanos)
        changes = self._changes(reader, entity)
        earlier, later = (
            Version(history.state_at(self._search, changes, _after(event)), event.moment, event)
            for event in found
        )
        return entity, place, earlier, later

    def person(self, reader: Reader, key: str, span: str) -> Person:
        """Give one user through a span of SPANS until now; NotHereError when nobody is known by the key."""
        now = self._now()
        window = Window(now - SPANS[span][1], now)
        ever = self._scoped(reader, history.user_query([key], Window()))
        newest = self._search.page(ever, position=None, direction="older", size=1).events
        if not newest:
            raise NotHereError
        known = newest[0]
        place = self._tenancy.facts(known.text("tenant.id"))
        names = [known.text(name) for name in ("user.id", "user.email", "user.name")]
        # Two people can bear one name: where the id is known, the name alone accuses nobody.
        keys = [each for each in names[:2] if each] if names[0] else [key]
        query = self._scoped(reader, history.user_query(keys, window))
        start, end = now - SPANS[span][1], now
        taken = self._scoped(reader, history.exports_query(keys, window))
        permissions = self._scoped(reader, history.permissions_query(keys, window))
        return Person(
            key=key,
            id=names[0],
            email=names[1],
            name=names[2] or names[1] or key,
            place=place,
            window=window,
            habits=summary.habits(self._search, query, place.zone, start, end),
            exports=self._latest(taken),
            permissions=self._latest(permissions),
        )

    def _latest(self, query: ScopedQuery) -> tuple[StoredEvent, ...]:
        return self._search.page(query, position=None, direction="older", size=_TAKEN_COUNT).events

    def _entity(self, reader: Reader, kind: str, key: str) -> tuple[Entity, TenantFacts]:
        query = self._scoped(reader, history.entity_query(kind, key, requests=True))
        found: Identities = history.identities(self._search, query)
        newest = self._search.page(query, position=None, direction="older", size=1).events
        if not newest:
            raise NotHereError
        event = newest[0]
        single = len(found.ids) <= 1
        entity = Entity(
            kind=kind,
            key=key,
            id=found.ids[0][0] if found.ids and single else "",
            number=event.text("entity.number") or self._number(reader, kind, key),
            others=() if single else found.ids,
        )
        return entity, self._tenancy.facts(event.text("tenant.id"))

    def _number(self, reader: Reader, kind: str, key: str) -> str:
        """The newest event may be a request, which knows the id alone; a change knows the number."""
        query = self._scoped(reader, history.entity_query(kind, key))
        changes = self._search.page(query, position=None, direction="older", size=1).events
        return changes[0].text("entity.number") if changes else ""

    def _changes(self, reader: Reader, entity: Entity) -> ScopedQuery:
        return self._scoped(reader, history.entity_query(entity.kind, entity.id or entity.key))

    def _event(self, reader: Reader, event_id: str) -> StoredEvent:
        event = self._search.event(self._scoped(reader, event_query(event_id)))
        if event is None:
            raise NotHereError
        return event

    def _scoped(self, reader: Reader, query: Query) -> ScopedQuery:
        return within_tenant(reader.scope, query)

    def _cursor(self, reader: Reader, bound: str, text: str) -> Cursor:
        try:
            return self._cursors.open(text, reader.scope, bound)
        except CursorError:
            raise NotHereError from None


def _after(event: StoredEvent) -> Position:
    """The place right above an event: what comes after it in the order of pages is this event."""
    return Position(event.position.nanos, event.position.event_id + "~")
