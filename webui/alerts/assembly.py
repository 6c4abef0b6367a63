"""Puts the parts of the alerts together, for the pages and for the evaluator."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event

from indexer.arrivals import Arrivals
from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.errors import NotPreparedError
from indexer.search import EventSearch
from indexer.settings import StoreSettings, load
from webui import jobs
from webui.alerts import book, monitors
from webui.alerts.book import Book
from webui.alerts.desk import Choice, Desk
from webui.alerts.evaluator import Evaluator, Parts
from webui.alerts.evidence import Evidence
from webui.alerts.findings import Findings
from webui.alerts.lease import Lease
from webui.alerts.lookout import Lookout
from webui.alerts.monitors import Monitors
from webui.alerts.progress import Ledger
from webui.alerts.raising import Raising
from webui.alerts.service import Alerts
from webui.alerts.tally import Tally
from webui.alerts.telling import Telling
from webui.alerts.watchdog import Watchdog
from webui.notification import assembly as notification
from webui.notification.assembly import make_channels, make_deliveries
from webui.notification.channel import Channel
from webui.notification.courier import Alarm
from webui.tenancy import Reader, Tenancy

EVALUATOR = "evaluator"


def make_alerts(client: Client, index_prefix: str, tenancy: Tenancy, now: Callable[[], datetime]) -> Alerts:
    """Make the inbox; also what raises alerts of other features."""
    documents = Book(Documents(client, index_prefix, book.KIND))
    return Alerts(documents, make_raising(client, index_prefix), tenancy, now)


def make_desk(client: Client, index_prefix: str, tenancy: Tenancy, now: Callable[[], datetime]) -> Desk:
    """Make what the pages of monitors ask."""
    channels = make_channels(client, index_prefix)

    def offered(owner: str) -> list[Choice]:
        try:
            found = channels.of(owner)
        except NotPreparedError:
            return []
        return [Choice(each.id, each.name, each.target if each.on else "switched off") for each in found]

    return Desk(
        Monitors(Documents(client, index_prefix, monitors.KIND)),
        Ledger(Documents(client, index_prefix, EVALUATOR)),
        Tally(EventSearch(client, index_prefix)),
        tenancy,
        now,
        offered,
    )


def make_evidence(
    client: Client,
    index_prefix: str,
    now: Callable[[], datetime],
    people: Callable[[Reader, str], Sequence[Choice]],
) -> Evidence:
    """Make what shows the events of an alert."""
    return Evidence(Tally(EventSearch(client, index_prefix)), now, people)


def make_raising(client: Client, index_prefix: str) -> Raising:
    """Make what raises alerts that are no monitor's."""
    documents = Book(Documents(client, index_prefix, book.KIND))
    return Raising(documents, Telling(documents, make_deliveries(client, index_prefix)))


def raise_switched_off(client: Client, index_prefix: str) -> Alarm:
    """Give what raises an alert when a channel is switched off; it tells the other channels itself."""
    raising = make_raising(client, index_prefix)

    def alarm(channel: Channel, now: datetime) -> None:
        raising.raise_(
            "channel",
            channel.tenant,
            f"{channel.id}:{channel.failed_count}",
            f"The channel “{channel.name}” was switched off",
            channel.off_why,
            "",
            (),
            now,
        )

    return alarm


def switched_off() -> Alarm:
    """Give the same for `audit-webui jobs run`; settings from the environment."""
    store = load(StoreSettings)
    return raise_switched_off(connect(store), store.index_prefix)


def evaluator(stopping: Event) -> tuple[Evaluator, Lease]:
    """Give what `audit-webui alerts run` works with; settings from the environment."""
    store = load(StoreSettings)
    return make_evaluator(connect(store), store.index_prefix, stopping)


def alarm() -> Alarm:
    """Give what raises an alert when a channel is switched off; settings from the environment."""
    store = load(StoreSettings)
    return raise_switched_off(connect(store), store.index_prefix)


def chores() -> Sequence[Callable[[], bool]]:
    """Give what `audit-webui jobs run` does for alerts: monitors are evaluated, and agents live."""
    store = load(StoreSettings)
    client = connect(store)
    watching = Monitors(Documents(client, store.index_prefix, monitors.KIND))
    ledger = Ledger(Documents(client, store.index_prefix, EVALUATOR))
    raising = make_raising(client, store.index_prefix)
    search = EventSearch(client, store.index_prefix)

    def now() -> datetime:
        return datetime.now(UTC)

    return [
        Watchdog(watching, ledger, raising, now).work,
        Lookout(search, watching, raising, now).work,
    ]


def work_off(stopping: Event, *, once: bool = False) -> None:
    """Send what waits for channels, as `audit-webui jobs run` does, too."""
    jobs.run(notification.chores(stopping, alarm()), stopping, once=once)


def make_evaluator(
    client: Client,
    index_prefix: str,
    stopping: Event,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[Evaluator, Lease]:
    """Make one evaluator and its lease, which wants a thread that beats; their indices are made, too."""
    state = Documents(client, index_prefix, EVALUATOR)
    alerts = Book(Documents(client, index_prefix, book.KIND))
    watching = Monitors(Documents(client, index_prefix, monitors.KIND))
    deliveries = make_deliveries(client, index_prefix)
    for each in (state, alerts, watching, deliveries):
        each.prepare()
    tenancy = Tenancy(client, index_prefix, now)
    tally = Tally(EventSearch(client, index_prefix))
    telling = Telling(alerts, deliveries)
    name = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
    lease = Lease(state, name)
    parts = Parts(
        lease=lease,
        ledger=Ledger(state),
        arrivals=Arrivals(client, index_prefix),
        monitors=watching,
        tally=tally,
        findings=Findings(alerts, tally, tenancy),
        tenancy=tenancy,
        telling=telling,
        raising=Raising(alerts, telling),
    )
    return Evaluator(name, parts, now, stopping), lease
