"""Answers what the overview asks: sums of a stretch of time, and what the tenant's plan keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from indexer import summary
from indexer.query import ActivityFilter, Window, within_tenant
from indexer.retention import report
from indexer.retention.report import Kept
from indexer.search import EventSearch
from indexer.summary import Overview
from webui.tenancy import NOWHERE, Reader, Tenancy, TenantFacts

SPANS: Final[Mapping[str, tuple[str, timedelta]]] = {
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}
USUAL_SPAN: Final = "7d"


@dataclass(frozen=True, slots=True)
class Lately:
    """All that the overview shows."""

    place: TenantFacts
    span: str
    window: Window
    sums: Overview
    newest: datetime | None
    kept: tuple[Kept, ...]
    others: int
    """How many more tenants there are than `kept` tells of."""


class Overviews:
    """Overviews of one tenant, or of all for an operator."""

    def __init__(self, search: EventSearch, tenancy: Tenancy, now: Callable[[], datetime]) -> None:
        """`now`: an aware time."""
        self._search = search
        self._tenancy = tenancy
        self._now = now

    def tenants(self, reader: Reader) -> tuple[TenantFacts, ...]:
        """Give the tenants a reader can choose between: none, unless it sees them all."""
        return () if reader.scope.tenant_id is not None else (*self._tenancy.all(), NOWHERE)

    def lately(self, reader: Reader, tenant_id: str, span: str) -> Lately:
        """Sum up a span of SPANS until now. NotHereError when the tenant is not the reader's."""
        place = self._tenancy.place(reader, tenant_id)
        now = self._now()
        start, end = now - SPANS[span][1], now
        asked = ActivityFilter(window=Window(start, end), tenant_id=tenant_id)
        query = within_tenant(reader.scope, asked.query())
        sums = summary.overview(self._search, query, place.zone, start, end)
        newest = None
        if not sums.total:
            ever = ActivityFilter(tenant_id=tenant_id)
            newest = summary.newest(self._search, within_tenant(reader.scope, ever.query()))
        known = self._tenancy.current()
        shown = (
            [known.settings(place.id)]
            if place.id
            else [each for each in known.by_id.values() if not each.erased]
        )
        return Lately(
            place=place,
            span=span,
            window=asked.window,
            sums=sums,
            newest=newest,
            kept=tuple(report.kept(known, tenant, now) for tenant in shown[:8]),
            others=max(0, len(shown) - 8),
        )
