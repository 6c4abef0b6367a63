"""A store whose monitors are evaluated."""

from collections.abc import Iterator

import pytest

from tests.support.alerting import Watched, watched
from tests.support.store import Store


@pytest.fixture
def watch(store: Store) -> Iterator[Watched]:
    made = watched(store)
    yield made
    made.client.close()
