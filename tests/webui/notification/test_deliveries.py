"""The queue of deliveries on the real store."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from indexer.client import connect
from tests.support.events import TEST
from tests.support.store import Store
from webui.notification.assembly import make_deliveries
from webui.notification.deliveries import LEASE, Deliveries, LostError
from webui.notification.delivery import PAUSES, Attempt, State
from webui.notification.message import Attachment, Message
from webui.silence import LONG_AGO

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOLD = Message(
    id="alert:4711:1",
    type="alert.opened",
    tenant=TEST,
    timestamp=NOW,
    title="5 failed logins",
    text="From 192.0.2.10, in 5 minutes.",
    link="/alerts/4711",
    data={"alert": "4711", "count": 5},
    attachments=(Attachment("4711.1.pdf", "report.pdf", "application/pdf", "ab" * 32),),
)


@dataclass
class Watch:
    """Seconds that a test moves."""

    secs: float = 0.0

    def __call__(self) -> float:
        return self.secs


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def deliveries(store: Store, watch: Watch) -> Deliveries:
    made = make_deliveries(connect(store.settings), store.prefix, watch)
    made.prepare()
    return made


class TestEnqueue:
    def test_a_message_is_told_once_through_each_channel(self, deliveries: Deliveries) -> None:
        assert deliveries.enqueue(TOLD, ["hook", "mail"], NOW) == 2
        later = replace(TOLD, title="told again by a worker that was restarted")
        assert deliveries.enqueue(later, ["hook", "mail", "new"], NOW + timedelta(hours=1)) == 1
        [found] = deliveries.of("hook")
        assert found.message == TOLD
        assert (found.state, found.due) == (State.WAITING, NOW)

    def test_no_channel_is_nothing_to_do(self, deliveries: Deliveries) -> None:
        assert deliveries.enqueue(TOLD, [], NOW) == 0
        assert deliveries.take("me", NOW) is None


class TestTake:
    def test_one_delivery_is_one_workers(self, deliveries: Deliveries) -> None:
        deliveries.enqueue(TOLD, ["hook"], NOW)
        held = deliveries.take("me", NOW)
        assert held
        assert held.delivery.attempts == (Attempt(NOW, over=False),)
        assert deliveries.take("another", NOW + LEASE - timedelta(seconds=1)) is None

    def test_that_of_a_dead_worker_is_taken_and_its_attempt_said_to_be_uncertain(
        self, deliveries: Deliveries, watch: Watch
    ) -> None:
        deliveries.enqueue(TOLD, ["hook"], NOW)
        dead = deliveries.take("dead", NOW)
        assert deliveries.take("another", NOW) is None
        watch.secs += LEASE.total_seconds()
        taken = deliveries.take("another", NOW)
        assert dead
        assert taken
        first, second = taken.delivery.attempts
        assert (first.over, first.problem) == (True, "Its worker died; it may have arrived.")
        assert not second.over
        with pytest.raises(LostError):
            deliveries.write(dead, dead.delivery.ended(Attempt(NOW, status=200), NOW))

    def test_nothing_is_taken_from_one_that_is_alive_by_one_whose_clock_is_ahead(
        self, deliveries: Deliveries
    ) -> None:
        deliveries.enqueue(TOLD, ["hook"], NOW)
        assert deliveries.take("one", NOW)
        for _ in range(3):
            assert deliveries.take("another", NOW + timedelta(minutes=30)) is None

    def test_what_another_took_meanwhile_is_watched_anew(self, store: Store, deliveries: Deliveries) -> None:
        one, watch = make_deliveries(connect(store.settings), store.prefix), Watch()
        another = make_deliveries(connect(store.settings), store.prefix, watch)
        deliveries.enqueue(TOLD, ["hook"], NOW)
        held = one.take("one", NOW)
        assert held
        assert another.take("another", NOW) is None
        watch.secs += LEASE.total_seconds()
        one.write(held, held.delivery.begun("one", NOW, LEASE))
        assert another.take("another", NOW) is None
        watch.secs += LEASE.total_seconds() - 1
        assert another.take("another", NOW, busy=["hook"]) is None
        watch.secs += 1
        assert another.take("another", NOW, busy=["hook"]) is None
        assert another.take("another", NOW, failing=["hook"]) is None
        assert another.take("another", NOW)

    def test_what_is_long_over_by_any_clock_is_taken_at_once(self, deliveries: Deliveries) -> None:
        deliveries.enqueue(TOLD, ["hook"], NOW)
        assert deliveries.take("dead", NOW)
        assert deliveries.take("another", NOW + LEASE + LONG_AGO)

    def test_the_first_due_comes_first_and_busy_channels_are_left_alone(self, deliveries: Deliveries) -> None:
        deliveries.enqueue(TOLD, ["late"], NOW + timedelta(seconds=2))
        deliveries.enqueue(TOLD, ["early"], NOW)
        deliveries.enqueue(TOLD, ["busy"], NOW - timedelta(hours=1))
        now = NOW + timedelta(minutes=1)
        taken = [deliveries.take("me", now, busy=["busy"]) for _ in range(3)]
        assert [each and each.delivery.channel for each in taken] == ["early", "late", None]

    def test_what_is_not_due_waits(self, deliveries: Deliveries) -> None:
        deliveries.enqueue(TOLD, ["hook"], NOW)
        now = NOW
        for pause in PAUSES:
            held = deliveries.take("me", now)
            assert held
            deliveries.write(held, held.delivery.ended(Attempt(now, problem="no answer"), now))
            assert deliveries.take("me", now + pause - timedelta(seconds=1)) is None
            now += pause
        last = deliveries.take("me", now)
        assert last
        assert last.delivery.ended(Attempt(now, problem="no answer"), now).exhausted


def test_what_was_over_long_ago_is_forgotten(deliveries: Deliveries) -> None:
    deliveries.enqueue(TOLD, ["hook", "mail"], NOW)
    held = deliveries.take("me", NOW)
    assert held
    deliveries.write(held, held.delivery.ended(Attempt(NOW, status=200), NOW))
    deliveries.forget(NOW + timedelta(days=91))
    left = [deliveries.of(channel) for channel in ("hook", "mail")]
    assert sorted(map(len, left)) == [0, 1], "what was never told is not forgotten"
