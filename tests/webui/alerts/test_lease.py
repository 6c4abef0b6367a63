"""Of any number of evaluators, one is active; nobody's clock is compared with another's."""

from dataclasses import dataclass

import pytest

from indexer.documents import Documents
from tests.support.alerting import Watched
from webui.alerts.lease import LEASE_SECS, Lease
from webui.alerts.progress import FencedError, Ledger, Progress


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def state(watch: Watched) -> Documents:
    return Documents(watch.client, watch.store.prefix, "evaluator")


def test_the_second_waits_for_a_silence_and_takes_it_then(state: Documents) -> None:
    mine, yours = Clock(), Clock(1000.0)
    first, second = Lease(state, "first", mine), Lease(state, "second", yours)
    assert first.take()
    assert not second.take()
    yours.now += LEASE_SECS - 1
    first.beat()
    assert not second.take()
    yours.now += LEASE_SECS - 1
    assert not second.take()
    yours.now += 2
    assert second.take()
    assert (first.token, second.token) == (1, 2)
    assert second.other == "first"


def test_who_was_thought_dead_learns_it_at_the_next_beat(state: Documents) -> None:
    mine, yours = Clock(), Clock()
    first, second = Lease(state, "first", mine), Lease(state, "second", yours)
    assert first.take()
    assert not second.take()
    yours.now += LEASE_SECS
    assert second.take()
    mine.now += LEASE_SECS
    assert not first.confirm()
    assert not first.take()


def test_of_two_who_take_it_at_the_same_moment_one_does(state: Documents) -> None:
    clocks = [Clock(), Clock()]
    dead = Lease(state, "dead")
    assert dead.take()
    leases = [Lease(state, f"{number}", clock) for number, clock in enumerate(clocks)]
    for lease in leases:
        assert not lease.take()
    for clock in clocks:
        clock.now += LEASE_SECS
    assert [lease.take() for lease in leases] == [True, False]


def test_one_that_is_given_back_is_taken_at_once(state: Documents) -> None:
    first, second = Lease(state, "first"), Lease(state, "second")
    assert first.take()
    first.release()
    assert second.take()


def test_what_an_older_token_writes_is_refused(watch: Watched, state: Documents) -> None:
    def progress(token: int) -> Progress:
        return Progress(token, str(token), watch.now, watch.now, {})

    old, new = Ledger(state), Ledger(state)
    assert old.open(1) is None
    old.write(progress(1))
    assert new.open(2) == progress(1)
    new.write(progress(2))
    with pytest.raises(FencedError):
        old.write(progress(1))
    with pytest.raises(FencedError):
        Ledger(state).open(1)
