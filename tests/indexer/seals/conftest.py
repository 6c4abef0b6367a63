from collections.abc import Iterator

import pytest

from indexer.client import Client, connect
from tests.support.sealing import Site
from tests.support.store import Store


@pytest.fixture
def client(store: Store) -> Iterator[Client]:
    client = connect(store.settings)
    yield client
    client.close()


@pytest.fixture
def site(store: Store, client: Client) -> Site:
    return Site(store, client)
