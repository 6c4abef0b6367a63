"""The store that tests are lent."""

import requests

from tests.support.store import ANSWER_SECS, Store, lent


def test_is_a_live_opensearch(store: Store) -> None:
    root = store.get("")
    assert isinstance(root, dict)
    assert root["version"]["distribution"] == "opensearch"


def test_is_empty_at_first_and_emptied_afterwards(node_url: str) -> None:
    with lent(node_url) as own:
        assert own.index_names() == []
        for number in range(3):
            requests.put(f"{own.url}/{own.prefix}-app-{number}", timeout=ANSWER_SECS).raise_for_status()
        assert len(own.index_names()) == 3
    assert own.index_names() == []


def test_belongs_to_one_test(store: Store, node_url: str) -> None:
    with lent(node_url) as other:
        assert other.prefix != store.prefix


def test_never_makes_an_index_by_a_write(store: Store) -> None:
    answer = requests.put(
        f"{store.url}/{store.prefix}-audit-business-2026.11.23/_create/1", json={}, timeout=ANSWER_SECS
    )
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "index_not_found_exception"
