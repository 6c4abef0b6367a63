"""What the store knows of the agents: their own reports, and else the events they sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from indexer import agents
from indexer.agents import Agent, State
from indexer.client import Client, connect
from indexer.query import OPERATOR, Scope
from indexer.search import EventSearch
from tests.support import events, reporting
from tests.support.events import TEST, document
from tests.support.store import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
REPORT_LINE = (
    b'{"@t":"2026-11-23T11:59:00Z","Action":"reported","Outcome":"success","Message":"m","Version":"9"}'
)


@pytest.fixture
def client(store: Store) -> Iterator[Client]:
    made = connect(store.settings)
    yield made
    made.close()


def found(client: Client, store: Store, now: datetime = NOW, scope: Scope = OPERATOR) -> list[Agent]:
    return list(agents.known(EventSearch(client, store.prefix), scope, now))


def reports(client: Client, store: Store, host: str, *, minutes_ago: float) -> None:
    reporting.report(client, store.prefix, host, NOW - timedelta(minutes=minutes_ago))


def events_of(client: Client, store: Store, host: str, at: datetime) -> None:
    written = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    fields = {"@timestamp": written, "event.ingested": written, "host.name": host}
    events.load(client, store.prefix, [document(int(at.timestamp()) % 9999, fields)])


def test_there_are_none_in_an_empty_store(client: Client, store: Store) -> None:
    assert found(client, store) == []


def test_the_newest_report_of_each_is_read_back(client: Client, store: Store) -> None:
    reports(client, store, "app-2", minutes_ago=1)
    late = reporting.state(
        "it is late",
        "it is old",
        sources=[reporting.source("app", 900, 3.0), reporting.source("nginx", silent=True)],
        stored=77,
    )
    reporting.report(client, store.prefix, "app-1", NOW - timedelta(minutes=6))
    reporting.report(client, store.prefix, "app-1", NOW - timedelta(minutes=1), late)
    first, second = found(client, store)
    assert (first.host, second.host) == ("app-1", "app-2")
    assert first.reported == NOW - timedelta(minutes=1)
    assert first.seen == NOW - timedelta(minutes=1)
    assert first.report is not None
    assert (first.report.stored, first.report.lag_bytes, first.report.lag_secs) == (77, 900, 3.0)
    assert [(each.name, each.silent) for each in first.report.sources] == [("app", False), ("nginx", True)]
    assert first.reasons == ("it is late", "it is old")
    assert (first.state(NOW), second.state(NOW)) == (State.UNHEALTHY, State.HEALTHY)


def test_one_that_reports_no_more_is_silent_after_three_of_its_intervals(
    client: Client, store: Store
) -> None:
    reports(client, store, "app-1", minutes_ago=0)
    [agent] = found(client, store)
    assert agent.state(NOW + timedelta(minutes=15)) is State.HEALTHY
    assert agent.state(NOW + timedelta(minutes=15, seconds=1)) is State.SILENT


def test_its_own_interval_counts(client: Client, store: Store) -> None:
    reporting.report(client, store.prefix, "app-1", NOW, every_secs=3600.0)
    [agent] = found(client, store)
    assert agent.state(NOW + timedelta(hours=3)) is State.HEALTHY
    assert agent.state(NOW + timedelta(hours=4)) is State.SILENT


def test_a_silent_one_is_forgotten_after_thirty_days(client: Client, store: Store) -> None:
    reports(client, store, "app-1", minutes_ago=0)
    [agent] = found(client, store, NOW + timedelta(days=29))
    assert agent.state(NOW + timedelta(days=29)) is State.SILENT
    assert found(client, store, NOW + timedelta(days=31)) == []


def test_one_that_never_reported_is_known_by_its_events(client: Client, store: Store) -> None:
    events_of(client, store, "app-9", NOW - timedelta(hours=2))
    events_of(client, store, "app-9", NOW - timedelta(hours=1))
    [agent] = found(client, store)
    assert (agent.host, agent.report, agent.reported) == ("app-9", None, None)
    assert agent.seen == NOW - timedelta(hours=1)
    assert agent.state(NOW) is State.UNREPORTED
    assert found(client, store, NOW + timedelta(hours=30)) == []


def test_of_a_silent_one_it_is_said_whether_events_go_on(client: Client, store: Store) -> None:
    reports(client, store, "app-1", minutes_ago=100)
    events_of(client, store, "app-1", NOW - timedelta(minutes=1))
    [agent] = found(client, store)
    assert agent.state(NOW) is State.SILENT
    assert agent.seen == NOW - timedelta(minutes=1)


def test_a_report_that_cannot_be_read_speaks_against_its_agent(client: Client, store: Store) -> None:
    reporting.ship(client, store.prefix, "app-1", NOW, REPORT_LINE)
    [agent] = found(client, store)
    assert agent.report is None
    assert agent.reasons == ("its last report cannot be read by this version",)
    assert agent.state(NOW) is State.UNHEALTHY
    assert agent.state(NOW + timedelta(hours=1)) is State.SILENT


def test_a_report_in_another_source_is_none(client: Client, store: Store) -> None:
    """Whoever can write a line into some log of a server does not become its agent."""
    fields = {
        "@timestamp": "2026-11-23T11:59:00.000Z",
        "event.category": "audit",
        "event.action": "reported",
        "tenant.id": "-",
        "host.name": "app-1",
    }
    events.load(client, store.prefix, [document(1, fields)])
    [agent] = found(client, store)
    assert agent.state(NOW) is State.UNREPORTED


def test_a_tenant_finds_no_report(client: Client, store: Store) -> None:
    reports(client, store, "app-1", minutes_ago=1)
    assert found(client, store, scope=Scope(TEST)) == []
