"""What every page of events is answered from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from indexer.cursors import Cursor, CursorError, Cursors, Direction
from indexer.names import Names, ids_of, learned
from indexer.query import Query, ScopedQuery, Window, within_tenant
from indexer.search import EventSearch, Page, StoredEvent
from webui.tenancy import NotHereError, Reader, Tenancy


@dataclass(frozen=True, slots=True)
class Reading:
    """The events, the tenants whose they are, the places in lists, and the clock (aware times)."""

    search: EventSearch
    cursors: Cursors
    tenancy: Tenancy
    now: Callable[[], datetime]

    def scoped(self, reader: Reader, query: Query) -> ScopedQuery:
        """Restrict a query to what a reader may see."""
        return within_tenant(reader.scope, query)

    def names(self, reader: Reader, events: Iterable[StoredEvent]) -> Names:
        """Give the names of the ids in events, as far as the reader may know them."""
        return learned(self.search, reader.scope, ids_of(events))

    def cursor(self, reader: Reader, bound: str, text: str) -> Cursor | None:
        """Read a place in the list of `bound`; None for its beginning, NotHereError for another's."""
        if not text:
            return None
        try:
            return self.cursors.open(text, reader.scope, bound)
        except CursorError:
            raise NotHereError from None

    def ways(self, reader: Reader, bound: str, page: Page, window: Window) -> tuple[str, str]:
        """Give the cursors to newer and to older events; empty where there are none."""

        def seal(event: StoredEvent, direction: Direction) -> str:
            return self.cursors.seal(Cursor(event.position, direction, window), reader.scope, bound)

        newer = seal(page.events[0], "newer") if page.newer and page.events else ""
        return newer, seal(page.events[-1], "older") if page.older and page.events else ""
