"""Around every test of the tail."""

from collections.abc import Iterator

import pytest

from tests.support.tailing import Reading


@pytest.fixture(autouse=True)
def _files_are_closed() -> Iterator[None]:
    yield
    while Reading.alive:
        Reading.alive.pop().tail.close()
