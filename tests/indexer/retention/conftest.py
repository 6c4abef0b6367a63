"""A prepared store, clean for each test."""

from collections.abc import Iterator

import pytest

from tests.support.keeping import Keeping
from tests.support.store import Store


@pytest.fixture(scope="module")
def prepared(module_store: Store) -> Iterator[Keeping]:
    made = Keeping(module_store)
    yield made
    made.client.close()


@pytest.fixture
def keeping(prepared: Keeping) -> Keeping:
    prepared.clean()
    return prepared
