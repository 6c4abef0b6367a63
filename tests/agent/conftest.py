"""A store that is ready for an agent, and an agent that works on it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.support.fake_store import FakeStore, fake_store
from tests.support.shipping import Shipping, prepare
from tests.support.store import Store


@pytest.fixture
def shipping(tmp_path: Path, store: Store) -> Shipping:
    prepare(store)
    return Shipping(tmp_path, store)


@pytest.fixture
def fake() -> Iterator[FakeStore]:
    with fake_store() as store:
        yield store


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, not only who runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command run in this process turns the log to its stderr; the next test has the usual one again."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
