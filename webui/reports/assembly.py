"""Puts the parts of the reports together, for the pages and for the workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from indexer.client import Client, connect
from indexer.search import EventSearch
from indexer.settings import StoreSettings, load
from webui.commission import Maker
from webui.reports import paper
from webui.reports.service import Reports
from webui.tenancy import Tenancy


def make_reports(client: Client, index_prefix: str, tenancy: Tenancy, now: Callable[[], datetime]) -> Reports:
    """Make what the pages ask."""
    return Reports(EventSearch(client, index_prefix), tenancy, now)


def makers(
    client: Client, index_prefix: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Mapping[str, Maker]:
    """Give what makes reports for the exports' workers."""
    reports = make_reports(client, index_prefix, Tenancy(client, index_prefix, now), now)
    return {paper.MAKER: paper.maker(reports)}


def own_makers() -> Mapping[str, Maker]:
    """Give the same; settings from the environment."""
    store = load(StoreSettings)
    return makers(connect(store), store.index_prefix)
