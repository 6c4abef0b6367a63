"""Puts the parts of the reports together, for the pages and for the workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.search import EventSearch
from indexer.settings import StoreSettings, load
from webui.commission import Maker
from webui.notification.assembly import make_channels, make_deliveries
from webui.reports import paper
from webui.reports import schedules as schedules_module
from webui.reports.planning import MayReport, Planner, Press
from webui.reports.schedules import Schedules
from webui.reports.service import Reports
from webui.settings import WebSettings
from webui.tenancy import Tenancy
from webui.trail import Trail


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


def make_schedules(
    client: Client, index_prefix: str, tenancy: Tenancy, now: Callable[[], datetime]
) -> Schedules:
    """Make what the pages of schedules ask."""
    documents = Documents(client, index_prefix, schedules_module.KIND)
    return Schedules(documents, make_channels(client, index_prefix), tenancy, now)


def make_planner(
    client: Client,
    index_prefix: str,
    trail: Trail,
    press: Press,
    may_report: MayReport,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Planner:
    """Make one worker's part in the schedules."""
    tenancy = Tenancy(client, index_prefix, now)
    return Planner(
        make_schedules(client, index_prefix, tenancy, now),
        make_reports(client, index_prefix, tenancy, now),
        press,
        make_deliveries(client, index_prefix),
        trail,
        may_report,
        now,
    )


def chores(
    make_press: Callable[[Client, str], Press],
    make_may_report: Callable[[WebSettings, Client, str], MayReport],
) -> Sequence[Callable[[], bool]]:
    """Give what `audit-webui jobs run` does for reports; settings from the environment."""
    settings, store = load(WebSettings), load(StoreSettings)
    client = connect(store)
    Documents(client, store.index_prefix, schedules_module.KIND).prepare()
    planner = make_planner(
        client,
        store.index_prefix,
        Trail(settings.trail_file, lambda: datetime.now(UTC)),
        make_press(client, store.index_prefix),
        make_may_report(settings, client, store.index_prefix),
    )
    return [planner.work]
