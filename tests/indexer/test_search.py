"""Searching in a real OpenSearch, with the real template."""

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from indexer.client import Client, connect
from indexer.partitions import alias
from indexer.query import (
    OPERATOR,
    ActivityFilter,
    Choice,
    Scope,
    ScopedQuery,
    Window,
    event_query,
    request_query,
    within_tenant,
)
from indexer.search import MAX_NAMES_BYTES, EventSearch, StoredEvent, targets
from tests.support import events
from tests.support.events import KEN, NORD, TEST, document
from tests.support.store import Store

UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture(scope="module")
def client(module_store: Store) -> Iterator[Client]:
    client = connect(module_store.settings)
    events.load(client, module_store.prefix, [*events.sample(), *events.sample(NORD, events.MARTA)])
    yield client
    client.close()


@pytest.fixture
def search(client: Client, module_store: Store) -> EventSearch:
    return EventSearch(client, module_store.prefix)


def scoped(asked: ActivityFilter, tenant: str | None = TEST) -> ScopedQuery:
    return within_tenant(Scope(tenant) if tenant else OPERATOR, asked.query())


def found(search: EventSearch, asked: ActivityFilter, tenant: str | None = TEST) -> list[StoredEvent]:
    page = search.page(scoped(asked, tenant), position=None, direction="older", size=100)
    return list(page.events)


def actions(search: EventSearch, asked: ActivityFilter) -> list[str]:
    return [event.text("event.action") for event in reversed(found(search, asked))]


def open_points(store: Store) -> list[bytes]:
    """The points in time that are open on partitions of this test: their ids hold the names."""
    listed = cast("dict[str, Any]", store.get("_search/point_in_time/_all"))
    ids = [base64.urlsafe_b64decode(each["pit_id"]) for each in listed["pits"]]
    return [each for each in ids if store.prefix.encode() in each]


class TestFilter:
    """Each condition finds what its sentence says."""

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            (ActivityFilter(category=Choice(("authentication",))), ["login", "login_failed"]),
            (ActivityFilter(action=Choice(("deleted",))), ["deleted"]),
            (ActivityFilter(outcome=Choice(("failure",))), ["login_failed", "deleted"]),
            (ActivityFilter(entity_type=Choice(("SalesOrder",))), ["created", "status_changed"]),
            (ActivityFilter(entity=Choice(("so-20261123-0121",))), ["created", "status_changed"]),
            (
                ActivityFilter(entity=Choice(("211bcda3-9c96-494f-8a80-38e6a8de09ba",))),
                ["created", "status_changed"],
            ),
            (ActivityFilter(entity=Choice(("adj-*",))), ["adjusted"]),
            (ActivityFilter(address=Choice(("198.51.100.0/24",))), ["login_failed"]),
            (ActivityFilter(user=Choice(("SOFIA*",)), category=Choice(("inventory",))), ["adjusted"]),
            (ActivityFilter(text="confirmed", text_field="new_value"), ["status_changed"]),
            (ActivityFilter(text="ПРОВЕРКА", text_field="old_value"), ["deleted"]),
            (ActivityFilter(text="-8", text_field="new_value"), ["adjusted"]),
            (ActivityFilter(text='"sales order" status'), ["status_changed"]),
            (ActivityFilter(text="/products/13390E88", text_field="path"), ["read"]),
            (ActivityFilter(text="SO-20261123-0121"), ["created", "status_changed"]),
            (ActivityFilter(text="stat", text_field="changed_field"), ["created", "status_changed"]),
            (ActivityFilter(text='" * ((( \\ -'), []),
        ],
        ids=lambda value: value.sentence(UTC_ZONE) if isinstance(value, ActivityFilter) else "",
    )
    def test_finds(self, search: EventSearch, asked: ActivityFilter, expected: list[str]) -> None:
        assert actions(search, asked) == expected

    def test_bookkeeping_comes_when_asked_for(self, search: EventSearch) -> None:
        assert (
            len(found(search, ActivityFilter(bookkeeping=True))) == len(found(search, ActivityFilter())) + 1
        )

    def test_excluded_values_are_left_out(self, search: EventSearch) -> None:
        without = ActivityFilter(
            action=Choice(without=("created", "read")), user=Choice(without=("sofia user",))
        )
        assert actions(search, without) == ["login_failed"]


class TestTenants:
    """Nobody sees what is another's."""

    def test_a_tenant_finds_its_own_only(self, search: EventSearch) -> None:
        assert {event.text("tenant.id") for event in found(search, ActivityFilter(), NORD)} == {NORD}

    def test_an_operator_finds_all(self, search: EventSearch) -> None:
        assert {event.text("tenant.id") for event in found(search, ActivityFilter(), None)} == {TEST, NORD}

    def test_another_tenants_event_is_not_there(self, search: EventSearch) -> None:
        theirs = found(search, ActivityFilter(), NORD)[0]
        assert search.event(within_tenant(Scope(NORD), event_query(theirs.id))) is not None
        assert search.event(within_tenant(Scope(TEST), event_query(theirs.id))) is None

    def test_an_unscoped_query_is_not_searched(self, search: EventSearch) -> None:
        with pytest.raises(TypeError, match="only a ScopedQuery"):
            search.event(event_query("x"))  # type: ignore[arg-type]


class TestOneEvent:
    """An event and its request."""

    def test_has_all_its_fields(self, search: EventSearch) -> None:
        newest = found(search, ActivityFilter())[0]
        event = search.event(within_tenant(Scope(TEST), event_query(newest.id)))
        assert event is not None
        assert event.text("event.original").startswith("{")
        assert not newest.text("event.original"), "rows do not carry the record"

    def test_the_records_of_its_request_are_in_their_order(self, search: EventSearch) -> None:
        asked = request_query(
            request_id="0HNQ95ATOEJKV:00000001", source="app", host="vm", around=events.MORNING
        )
        same = search.request_events(within_tenant(Scope(TEST), asked))
        assert [event.text("entity.type") for event in same] == ["SalesOrder", "SalesOrderLine"]


class TestCounts:
    """Histogram and facets."""

    def test_agree_with_the_rows(self, search: EventSearch) -> None:
        rows = found(search, ActivityFilter())
        counts = search.counts(scoped(ActivityFilter()), UTC_ZONE)
        assert counts.total == len(rows) == sum(bar.count for bar in counts.bars)
        assert sum(bar.failures for bar in counts.bars) == 2
        facets = {facet.dimension: dict(facet.values) for facet in counts.facets}
        assert facets["outcome"] == {"success": len(rows) - 2, "failure": 2}
        assert facets["user"] == {"sofia User": len(rows) - 2}

    def test_bars_cover_the_range_without_gaps(self, search: EventSearch) -> None:
        window = Window(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC))
        bars = search.counts(scoped(ActivityFilter(window)), ZoneInfo("Europe/Stockholm")).bars
        assert all(before.end == after.start for before, after in pairwise(bars))
        assert bars[0].start <= datetime(2026, 11, 20, tzinfo=UTC)
        assert bars[-1].end >= datetime(2026, 11, 27, tzinfo=UTC)

    @pytest.mark.parametrize("days", [1 / 24 / 60, 1 / 24, 1, 7, 90, 366, 3660])
    def test_bars_are_never_too_many(self, search: EventSearch, days: float) -> None:
        end = events.MORNING + timedelta(hours=1)
        asked = ActivityFilter(Window(end - timedelta(days=days), end))
        assert len(search.counts(scoped(asked), UTC_ZONE).bars) <= 64

    def test_nothing_found_is_no_bars(self, search: EventSearch) -> None:
        assert search.counts(scoped(ActivityFilter(text="nosuchword")), UTC_ZONE).bars == ()


class TestPaging:
    """Older and newer, without a wall, while events arrive."""

    def test_every_event_comes_once_whatever_arrives_meanwhile(self, store: Store) -> None:
        client = connect(store.settings)
        # Many of one moment, so that ids decide, and two days, so that partitions are crossed.
        same_moment = "2026-11-23T00:00:00.0000001Z"
        old = [
            document(number, {"@timestamp": same_moment} if 40 < number < 70 else {"user": dict(KEN)})
            for number in random.Random(4).sample(range(100), 100)
        ]
        events.load(client, store.prefix, old)
        search = EventSearch(client, store.prefix)
        query = scoped(ActivityFilter())
        seen: list[str] = []
        page = search.page(query, position=None, direction="older", size=7)
        first = page
        while True:
            seen += [event.id for event in page.events]
            if not page.older:
                break
            events.load(client, store.prefix, [document(1000 + len(seen))])
            page = search.page(query, position=page.events[-1].position, direction="older", size=7)
        assert len(seen) == len(set(seen)) == 100
        back = list(reversed(seen))[len(page.events) :]
        while page.newer and len(back) > 7:
            page = search.page(query, position=page.events[0].position, direction="newer", size=7)
            assert [event.id for event in reversed(page.events)] == back[:7]
            back = back[7:]
        assert first.newer is False
        client.close()

    def test_a_walk_sees_one_state(self, store: Store) -> None:
        client = connect(store.settings)
        events.load(client, store.prefix, [document(number) for number in range(25)])
        walk = EventSearch(client, store.prefix).walk(scoped(ActivityFilter()), batch=10)
        first = next(walk)
        assert len(open_points(store)) == 1
        events.load(client, store.prefix, [document(number) for number in range(100, 110)])
        assert len([first, *walk]) == 25
        assert open_points(store) == []
        client.close()

    def test_a_store_without_events_is_an_empty_page(self, store: Store) -> None:
        client = connect(store.settings)
        search = EventSearch(client, store.prefix)
        assert found(search, ActivityFilter()) == []
        assert found(search, ActivityFilter(Window(start=events.MORNING))) == []
        assert search.counts(scoped(ActivityFilter()), UTC_ZONE).total == 0
        for window in (Window(), Window(start=events.MORNING)):
            assert list(search.walk(scoped(ActivityFilter(window)))) == []
        client.close()


class TestTargets:
    """Only partitions that can hold the range are asked."""

    NAMES = (
        "x-audit-starter-2026.11.22",
        "x-audit-starter-2026.11.23",
        "x-audit-enterprise-2026.11",
        "x-audit-odd",
    )

    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            ((2026, 11, 23), None, (1, 2, 3)),
            ((2026, 11, 22), (2026, 11, 23), (0, 2, 3)),
            ((2026, 12, 1), None, (3,)),
            (None, (2026, 11, 1), (3,)),
        ],
    )
    def test_are_members_of_the_alias_that_overlap(
        self, start: tuple[int, int, int] | None, end: tuple[int, int, int] | None, expected: tuple[int, ...]
    ) -> None:
        window = Window(*(datetime(*each, tzinfo=UTC) if each else None for each in (start, end)))
        assert targets(self.NAMES, "x-audit", window) == ",".join(
            sorted(self.NAMES[each] for each in expected)
        )

    def test_are_the_alias_when_all_overlap(self) -> None:
        assert targets(self.NAMES, "x-audit", Window(datetime(2026, 1, 1, tzinfo=UTC))) == "x-audit"

    def test_are_the_alias_when_the_names_would_be_too_long(self) -> None:
        names = [
            f"x-audit-starter-2026.{month:02d}.{day:02d}" for month in range(1, 13) for day in range(1, 29)
        ]
        assert len(",".join(names)) > MAX_NAMES_BYTES
        assert targets(names, "x-audit", Window(datetime(2026, 1, 2, tzinfo=UTC))) == "x-audit"

    def test_a_copy_outside_the_alias_is_not_read(self, store: Store) -> None:
        client = connect(store.settings)
        events.load(client, store.prefix, [document(1)])
        (name,) = [each for each in store.index_names() if "audit" in each]
        client.request(
            "POST", "/_aliases", body={"actions": [{"remove": {"index": name, "alias": alias(store.prefix)}}]}
        )
        search = EventSearch(client, store.prefix)
        assert found(search, ActivityFilter(Window(start=events.MORNING - timedelta(days=1)))) == []
        client.close()
