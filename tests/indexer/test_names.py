"""What ids stand for, told by the trail of the own tenant alone."""

from collections.abc import Iterator

import pytest

from indexer.client import Client, connect
from indexer.cursors import Position
from indexer.names import ids_of, learned
from indexer.query import OPERATOR, Scope
from indexer.search import EventSearch, StoredEvent
from tests.support import events
from tests.support.events import NORD, TEST, Document, document
from tests.support.store import Store

ROLE = "01a206ff-6e6c-7ef4-a193-2d9f806be96e"
USER = "01a20714-ab25-7562-95b0-7e3082cfa3ae"
FOREIGN = "01a20714-ab25-7562-95b0-7e3082cfa3af"
NOBODY = "b0000001-0001-0001-0004-000000000001"


def about(number: int, kind: str, entity_id: str, name: str | None, tenant: str = TEST) -> Document:
    return document(
        number,
        {
            "tenant.id": tenant,
            "entity": {"type": kind, "id": entity_id, **({"number": name} if name else {})},
        },
    )


@pytest.fixture(scope="module")
def client(module_store: Store) -> Iterator[Client]:
    client = connect(module_store.settings)
    made = [
        about(1, "ApplicationRole", ROLE, "Picker"),
        about(2, "ApplicationRole", ROLE, "Lead picker"),
        about(3, "ApplicationUser", USER, "temp@test001.example"),
        about(4, "ApplicationUser", USER, None),
        about(5, "ApplicationUser", NOBODY, None),
        about(6, "ApplicationUser", FOREIGN, "marta.k@nord01.example", NORD),
    ]
    events.load(client, module_store.prefix, made)
    yield client
    client.close()


@pytest.fixture
def search(client: Client, module_store: Store) -> EventSearch:
    return EventSearch(client, module_store.prefix)


def test_the_newest_name_counts_and_what_nobody_names_is_left_out(search: EventSearch) -> None:
    assert learned(search, Scope(TEST), [ROLE, USER, NOBODY, "SO-1", ""]) == {
        ROLE: "Lead picker",
        USER: "temp@test001.example",
    }


def test_names_of_another_tenant_are_not_told(search: EventSearch) -> None:
    assert learned(search, Scope(TEST), [FOREIGN]) == {}
    assert learned(search, Scope(NORD), [FOREIGN, ROLE]) == {FOREIGN: "marta.k@nord01.example"}
    assert set(learned(search, OPERATOR, [FOREIGN, ROLE])) == {FOREIGN, ROLE}


def test_more_ids_than_one_request_takes_are_all_asked(search: EventSearch) -> None:
    many = [f"{number:08x}-0000-0000-0000-000000000000" for number in range(2500)]
    assert learned(search, Scope(TEST), [*many, ROLE, USER]).keys() == {ROLE, USER}


def test_ids_of_an_event_are_those_that_it_does_not_explain() -> None:
    given = document(
        7,
        {
            "entity": {"type": "ApplicationUser", "id": USER},
            "change.after": {"RoleId": ROLE, "Id": FOREIGN, "TenantId": TEST, "Name": "x", "Count": 3},
            "change.before": {"RoleId": NOBODY},
        },
    )
    named = about(8, "ApplicationRole", ROLE, "Picker")
    seen = [StoredEvent(each, Position(0, each["event"]["id"])) for each in (given, named)]
    assert sorted(filter(None, ids_of(seen))) == sorted([USER, ROLE, NOBODY])
