"""Answers the questions of the activity pages: a page of events, their counts, one event with its request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from indexer.counting import Counts
from indexer.cursors import position_of
from indexer.names import Names
from indexer.query import (
    ActivityFilter,
    Window,
    event_query,
    request_query,
)
from indexer.search import StoredEvent
from webui.question import Question, moment
from webui.reading import Reading
from webui.tenancy import NOWHERE, NotHereError, Reader, TenantFacts

PAGE_COUNT: Final = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of events, and the way to its neighbours; cursors are empty where there is nothing."""

    asked: ActivityFilter
    place: TenantFacts
    events: tuple[StoredEvent, ...]
    names: Names
    newer: str
    older: str
    proof: str
    """Shows to `counts` that the search was recorded."""

    @property
    def sentence(self) -> str:
        """What was looked for, in words."""
        return self.asked.sentence(self.place.zone)


@dataclass(frozen=True, slots=True)
class Found:
    """One event, and the others of its request, oldest first."""

    event: StoredEvent
    place: TenantFacts
    same_request: tuple[StoredEvent, ...]
    names: Names


class Activity:
    """The activity of the tenants, as far as a reader may see it."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._search = reading.search
        self._tenancy = reading.tenancy
        self._now = reading.now

    def place(self, reader: Reader, question: Question) -> TenantFacts:
        """Give the tenant whose zone the page speaks in; NotHereError when it is not the reader's."""
        return self._tenancy.place(reader, question.tenant)

    def tenants(self, reader: Reader) -> tuple[TenantFacts, ...]:
        """Give the tenants a reader can choose between: none, unless it sees them all."""
        if reader.scope.tenant_id is not None:
            return ()
        return (*self._tenancy.all(), NOWHERE)

    @property
    def now(self) -> datetime:
        """The moment by this service's clock."""
        return self._now()

    def page(self, reader: Reader, question: Question, cursor_text: str, at: str = "") -> Listing:
        """Give a page; `at` is a typed time to begin at, instead of the newest event.

        QuestionError says what is wrong; NotHereError: not this reader's cursor.
        """
        place = self.place(reader, question)
        cursor = self._reading.cursor(reader, question.address, cursor_text)
        asked = question.filter(place.zone, self._now(), cursor.window if cursor else None)
        jump = None if cursor else moment("at", at, place.zone)
        query = self._reading.scoped(reader, asked.query())
        page = self._search.page(
            query,
            position=cursor.position if cursor else position_of(jump) if jump else None,
            direction=cursor.direction if cursor else "older",
            size=PAGE_COUNT,
        )
        if cursor and cursor.direction == "newer" and not page.newer:
            # The top is reached: a full page from there, not the few that were between.
            page = self._search.page(query, position=None, direction="older", size=PAGE_COUNT)
        newer, older = self._reading.ways(reader, question.address, page, asked.window)
        return Listing(
            asked=asked,
            place=place,
            events=page.events,
            names=self._reading.names(reader, page.events),
            newer=newer,
            older=older,
            proof=self._reading.cursors.stamp(reader.scope, self._proven(reader, question)),
        )

    def counts(self, reader: Reader, question: Question) -> tuple[ActivityFilter, TenantFacts, Counts]:
        """Count the events of a question; also says what was counted, and where."""
        place = self.place(reader, question)
        asked = question.filter(place.zone, self._now())
        broad = self._reading.scoped(reader, asked.unrefined_query())
        return asked, place, self._search.counts(broad, place.zone, asked.refinements())

    def was_asked(self, reader: Reader, question: Question, proof: str) -> bool:
        """Whether a page of this question has been given to, and recorded of, this reader today."""
        return self._reading.cursors.stamped(proof, reader.scope, self._proven(reader, question))

    def event(self, reader: Reader, event_id: str) -> Found:
        """Give an event; NotHereError when there is none in the reader's scope."""
        event = self._search.event(self._reading.scoped(reader, event_query(event_id)))
        if event is None:
            raise NotHereError
        tenant_id = event.text("tenant.id")
        place = self._tenancy.facts(tenant_id)
        same: tuple[StoredEvent, ...] = ()
        if request_id := event.text("request.id"):
            asked = request_query(
                request_id=request_id,
                source=event.text("log.source"),
                host=event.text("host.name"),
                around=event.moment,
            )
            same = self._search.request_events(self._reading.scoped(reader, asked))
        return Found(event, place, same, self._reading.names(reader, (event, *same)))

    def exactly(self, asked: ActivityFilter) -> Window:
        """Give the window of what was asked with its end fixed, so that later events do not join it."""
        return Window(asked.window.start, asked.window.end or self._now())

    def _proven(self, reader: Reader, question: Question) -> str:
        return f"{reader.account}\n{self._now().date()}\n{question.address}"
