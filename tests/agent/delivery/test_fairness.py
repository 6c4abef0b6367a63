"""What was refused for a moment is sent again, however much else there is to send."""

from pathlib import Path

import pytest

from tests.support.delivering import LIMITS, WAIT_SECS, Delivering, documents
from tests.support.fake_store import FakeStore


@pytest.mark.parametrize("in_flight", [1, 2])
def test_a_lane_has_its_turn_though_the_main_flow_never_pauses(
    tmp_path: Path, fake: FakeStore, in_flight: int
) -> None:
    fake.item = lambda _partition, id_, attempt: 429 if id_ == "id-00000003" and attempt == 1 else 201
    limits = LIMITS.model_copy(update={"in_flight": in_flight})
    with Delivering(fake.settings, tmp_path, limits) as delivering:
        for first in range(0, 30, 10):
            delivering.add(documents(first, 10)[0])
        for first in range(30, 230, 10):
            # As a reader does that always finds more: a batch is ready whenever there is a place.
            delivering.add(documents(first, 10)[0])
            delivering.now += 1.0
            delivering.lanes.turn(delivering.now)
            assert delivering._answered.wait(WAIT_SECS)
            delivering._answered.clear()
        assert fake.attempts["id-00000003"] == 2
        assert fake.attempts["id-00000150"] == 1
        delivering.drain()
