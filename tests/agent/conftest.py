"""A store that is ready for an agent, and an agent that works on it."""

from pathlib import Path

import pytest

from tests.support.shipping import Shipping, prepare
from tests.support.store import Store


@pytest.fixture
def shipping(tmp_path: Path, store: Store) -> Shipping:
    prepare(store)
    return Shipping(tmp_path, store)
