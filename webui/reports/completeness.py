"""How complete the events of a period can be: what the plan of their time has deleted already. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from indexer.query import Window
from indexer.tenants import Tenants
from webui.chart import moment_text


def deleted(
    known: Tenants, tenant_id: str, window: Window, now: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Give the stretches of a window whose events may be deleted: the plan of their time kept them so long.

    May: a partition goes as a whole, and events on hold, or of a tenant whose plan is longer now, stay.
    """
    start, end = window.start, window.end
    if start is None or end is None:
        return
    begins = [entry.start for entry in known.settings(tenant_id).plans if start < entry.start < end]
    for first, after in zip([start, *begins], [*begins, end], strict=True):
        days = known.days_at(tenant_id, first)
        if days is None:
            continue
        until = min(after, now - timedelta(days=days))
        if first < until:
            yield first, until


def statements(
    known: Tenants, names: dict[str, str], window: Window, zone: ZoneInfo, now: datetime
) -> Iterator[str]:
    """Say what may be missing in a period; `names` of the tenants that it is of, by id."""
    for tenant_id, name in names.items():
        for first, until in deleted(known, tenant_id, window, now):
            days = known.days_at(tenant_id, first)
            yield (
                f"Events of {name} from {moment_text(first, zone)} until {moment_text(until, zone)} may be "
                f"deleted already: the plan of that time keeps {days:,} days."
            )
