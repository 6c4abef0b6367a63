"""A store that is ready for an agent, and an agent that works on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.support.shipping import Shipping, prepare
from tests.support.store import Store


@pytest.fixture
def shipping(tmp_path: Path, store: Store) -> Shipping:
    prepare(store)
    return Shipping(tmp_path, store)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command run in this process turns the log to its stderr; the next test has the usual one again."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
