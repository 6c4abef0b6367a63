"""What an export is of: a filter, whose events it may see, in which zone it speaks; kept as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from indexer.query import (
    DIMENSIONS,
    OPERATOR,
    ActivityFilter,
    Choice,
    Scope,
    ScopedQuery,
    Window,
    iso,
    within_tenant,
)

_EVERY_TENANT = "*"


@dataclass(frozen=True, slots=True)
class Selection:
    """Exactly what was on screen: the window has an end, so what comes later does not join it."""

    asked: ActivityFilter
    scope: Scope
    zone: ZoneInfo
    place_name: str
    """The tenant as people call it."""

    @property
    def sentence(self) -> str:
        """What is exported, in words."""
        return self.asked.sentence(self.zone)

    @property
    def tenant(self) -> str:
        """The tenant's id; `*` for what an operator sees."""
        return self.scope.tenant_id or _EVERY_TENANT

    def query(self) -> ScopedQuery:
        """Give what is asked of the store, within the tenant of who asked."""
        return within_tenant(self.scope, self.asked.query())

    def range(self) -> dict[str, str | None]:
        """Give the stretch of time, UTC, end excluded; None: open."""
        window = self.asked.window
        return {
            "from": iso(window.start) if window.start else None,
            "to": iso(window.end) if window.end else None,
        }

    def conditions(self) -> dict[str, Any]:
        """Give the filter without its range; what is not chosen is left out."""
        asked = self.asked
        found: dict[str, Any] = {}
        for name, choice in asked.choices():
            if choice.only:
                found[name] = list(choice.only)
            if choice.without:
                found[f"not_{name}"] = list(choice.without)
        if asked.text:
            found |= {"text": asked.text, "text_field": asked.text_field}
        if asked.tenant_id:
            found["tenant"] = asked.tenant_id
        return found | {"bookkeeping": asked.bookkeeping}

    def document(self) -> dict[str, Any]:
        """Give the selection as it is stored."""
        return {
            "scope": self.tenant,
            "zone": self.zone.key,
            "place": self.place_name,
            "range": self.range(),
            "filter": self.conditions(),
        }


def from_document(source: Mapping[str, Any]) -> Selection:
    """Read a selection back."""
    filter_ = source["filter"]
    scope = OPERATOR if source["scope"] == _EVERY_TENANT else Scope(source["scope"])
    asked = ActivityFilter(
        window=Window(_moment(source["range"]["from"]), _moment(source["range"]["to"])),
        text=filter_.get("text", ""),
        text_field=filter_.get("text_field", ""),
        bookkeeping=filter_["bookkeeping"],
        tenant_id=filter_.get("tenant", ""),
        **{
            name: Choice(tuple(filter_.get(name, ())), tuple(filter_.get(f"not_{name}", ())))
            for name in DIMENSIONS
        },
    )
    return Selection(asked, scope, ZoneInfo(source["zone"]), source["place"])


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
