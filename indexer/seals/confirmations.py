"""Whether people confirmed the erasures that certificates tell of, by the trail, which is sealed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from indexer.event import Category, Outcome, Provenance
from indexer.retention.certificate import Certificate, Kind
from indexer.trail import CONFIRMED

# An agent has shipped and sealed a line of the trail by then.
_SHIPPED_WITHIN: Final = timedelta(hours=1)
# So long before the first deletion a confirmation may have been given: its line goes that much earlier.
_CONFIRMED_WITHIN: Final = timedelta(days=30)


class Confirmations:
    """The lines of the trail by which erasures were confirmed, and which of them read as they were sealed."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}
        self.tenants: set[str] = set()
        """Whose erasure was confirmed."""

    def take(self, event_id: str, document: Mapping[str, Any]) -> None:
        """Look whether an event of whatever form is such a line; it counts once it is `verified`."""
        labels, entity = document.get("labels"), document.get("entity")
        if not isinstance(labels, dict) or labels.get("Erasure") != CONFIRMED or not isinstance(entity, dict):
            return
        about = document["event"]
        said = (about.get("category"), about.get("outcome"), about.get("provenance"))
        if said == (Category.AUDIT, Outcome.SUCCESS, Provenance.TRAIL):
            self._lines[event_id] = str(entity.get("id"))

    def verified(self, event_id: str) -> None:
        """Let a line count, if it is one: it reads as an agent has sealed it."""
        if event_id in self._lines:
            self.tenants.add(self._lines[event_id])

    def missing(self, certificates: Iterable[Certificate], now: datetime, days: int) -> list[str]:
        """Give the tenants that were erased and that nobody confirmed, as far as that can be known.

        `days`: how long a line of the trail is kept. What is younger than its shipping takes, and what was
        begun so long ago that its line may have expired, is not asked for.
        """
        first: dict[str, datetime] = {}
        for each in certificates:
            if each.kind is Kind.ERASURE:
                for tenant, count in each.removed.items():
                    if count:
                        first[tenant] = min(each.begun, first.get(tenant, each.begun))
        oldest = now - timedelta(days) + _CONFIRMED_WITHIN
        return sorted(
            tenant
            for tenant, begun in first.items()
            if tenant not in self.tenants and oldest <= begun <= now - _SHIPPED_WITHIN
        )
