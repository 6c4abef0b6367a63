"""The courier on the real store, to real receivers; time is moved by the test."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from indexer.client import connect
from tests.support.events import NORD
from tests.support.receiver import Receiver, receiving
from tests.support.store import Store
from tests.support.web import KEY
from tests.webui.notification.conftest import HERE, NOW, TOLD, webhook
from webui.notification.assembly import make_channels, make_courier, make_deliveries, make_senders
from webui.notification.channel import Channel, Kind, Off
from webui.notification.channels import Channels
from webui.notification.courier import HELD_FOR, Courier
from webui.notification.deliveries import LEASE, Deliveries
from webui.notification.delivery import PAUSES, State
from webui.notification.message import TEST_TYPE, Message
from webui.notification.sending import Outcome, Sender
from webui.notification.settings import SmtpSettings, WebhookSettings
from webui.settings import WebSettings

TWICE = replace(TOLD, id="alert:4712:1", title="Another")


@dataclass
class Post:
    """Channels, deliveries and couriers of one store, at a time that the test says."""

    store: Store
    folder: Path
    channels: Channels
    deliveries: Deliveries
    now: datetime = NOW
    alerts: list[tuple[str, int]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def courier(self, senders: dict[Kind, Sender] | None = None) -> Courier:
        if senders is None:
            settings = WebSettings(export_dir=self.folder)
            senders = make_senders(settings, WebhookSettings(networks=HERE), SmtpSettings(), KEY)
        return make_courier(
            connect(self.store.settings), self.store.prefix, senders, self.stopping,
            raise_alert=self.alert, now=lambda: self.now, clock=self.secs,
        )  # fmt: skip

    def secs(self) -> float:
        return self.now.timestamp()

    def alert(self, channel: Channel, now: datetime) -> None:
        assert now == self.now
        self.alerts.append((channel.id, channel.failed_count))

    def work(self, courier: Courier | None = None) -> None:
        """Work until nothing is due."""
        courier = courier or self.courier()
        while courier.work():
            pass
        courier.close()

    def state(self, message: Message = TOLD, channel: str = "hook") -> State:
        held = self.deliveries.get(f"{message.id}@{channel}")
        assert held
        return held.delivery.state

    def channel(self, channel_id: str = "hook") -> Channel:
        found = self.channels.get(channel_id)
        assert found
        return found[0]

    def change(self, change: Callable[[Channel], Channel], channel_id: str = "hook") -> None:
        found = self.channels.get(channel_id)
        assert found
        self.channels.replace(found[1], change(found[0]))

    def fail_to_the_end(self, message: Message = TOLD) -> None:
        self.deliveries.enqueue(message, ["hook"], self.now)
        self.work()
        for pause in PAUSES:
            self.now += pause
            self.work()


@pytest.fixture
def post(store: Store, tmp_path: Path) -> Post:
    client = connect(store.settings)
    made = Post(store, tmp_path, make_channels(client, store.prefix), make_deliveries(client, store.prefix))
    made.channels.prepare()
    made.deliveries.prepare()
    return made


@pytest.fixture
def hook(post: Post, receiver: Receiver) -> Receiver:
    post.channels.add(webhook(receiver.url()))
    return receiver


class TestTelling:
    def test_a_message_arrives_once(self, post: Post, hook: Receiver) -> None:
        post.deliveries.enqueue(TOLD, ["hook"], NOW)
        post.work()
        post.deliveries.enqueue(TOLD, ["hook"], NOW)
        post.work()
        assert hook.ids() == [TOLD.id]
        [told] = post.deliveries.of("hook")
        [attempt] = told.attempts
        assert (told.state, attempt.status, attempt.answer) == (State.DELIVERED, 200, "Thank you.")
        assert attempt.secs > 0

    def test_many_couriers_tell_each_message_once(self, post: Post, hook: Receiver) -> None:
        messages = [replace(TOLD, id=f"alert:{number}") for number in range(12)]
        for message in messages:
            post.deliveries.enqueue(message, ["hook"], NOW)
        threads = [threading.Thread(target=post.work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert sorted(hook.ids()) == sorted(message.id for message in messages)

    @pytest.mark.parametrize("tenant", [NORD, "-"])
    def test_a_channel_of_another_tenant_tells_nothing(self, post: Post, hook: Receiver, tenant: str) -> None:
        post.deliveries.enqueue(replace(TOLD, tenant=tenant), ["hook", "nosuch"], NOW)
        post.work()
        assert hook.requests() == []
        assert post.state() is post.state(channel="nosuch") is State.DROPPED

    def test_a_receiver_that_does_not_answer_keeps_no_other_channel_waiting(
        self, post: Post, hook: Receiver, tmp_path: Path
    ) -> None:
        with receiving(tmp_path / "slow") as slow:
            post.channels.add(webhook(slow.url("/drip"), channel_id="slow"))
            for number in range(6):
                post.deliveries.enqueue(replace(TOLD, id=f"alert:{number}"), ["slow", "hook"], NOW)
            courier = post.courier()
            while len(hook.ids()) < 6:
                assert courier.work()
            assert len(slow.requests()) == 1
            slow.kill()
            post.work(courier)


class TestFailing:
    def test_it_is_tried_at_once_and_after_1_5_30_minutes_and_2_hours_then_switched_off(
        self, post: Post, hook: Receiver
    ) -> None:
        hook.answer(503)
        post.channels.add(replace(webhook(hook.url("/others")), id="other", secret_print=""))
        post.deliveries.enqueue(TOLD, ["hook"], NOW)
        tried = []
        for minute in (0, 0.9, 1, 5.9, 6, 35.9, 36, 155.9, 156, 300):
            post.now = NOW + timedelta(minutes=minute)
            before = len(hook.requests())
            post.work()
            tried += [minute] * (len(hook.requests()) - before)
        assert tried == [0, 1, 6, 36, 156]
        assert post.alerts == [("hook", 1)]
        channel = post.channel()
        assert (channel.off, channel.off_why) == (Off.FAILING, "The receiver answered 503.")
        assert channel.off_since == NOW + timedelta(minutes=156)
        [said] = [each.message for each in post.deliveries.of("other")]
        assert (said.type, said.data["channel"]) == ("channel.switched_off", "hook")

    def test_nothing_is_lost_while_the_receiver_is_down(self, post: Post, hook: Receiver) -> None:
        hook.kill()
        post.fail_to_the_end()
        post.deliveries.enqueue(TWICE, ["hook"], post.now)
        post.work()
        assert {post.state(), post.state(TWICE)} == {State.WAITING}
        with receiving(hook.folder, port=hook.port):
            post.work()
            assert hook.ids() == [], "it is off until somebody switches it on"
            post.change(lambda channel: replace(channel, off=None))
            post.work()
            assert sorted(hook.ids()) == [TOLD.id, TWICE.id]

    def test_a_receiver_that_comes_back_in_time_was_never_off(self, post: Post, hook: Receiver) -> None:
        hook.answer(500)
        post.deliveries.enqueue(TOLD, ["hook"], NOW)
        post.work()
        hook.answer(None)
        post.now += PAUSES[0]
        post.work()
        assert post.state() is State.DELIVERED
        assert hook.ids() == [TOLD.id, TOLD.id]
        assert post.channel().on
        assert post.alerts == []

    def test_switched_on_it_has_all_its_attempts_again(self, post: Post, hook: Receiver) -> None:
        hook.answer(500)
        post.fail_to_the_end()
        post.change(lambda channel: replace(channel, off=None))
        post.work()
        assert post.channel().on
        assert len(hook.requests()) == 6

    def test_what_waited_for_too_long_is_dropped(self, post: Post, hook: Receiver) -> None:
        hook.answer(500)
        post.fail_to_the_end()
        post.now = NOW + HELD_FOR + timedelta(seconds=1)
        post.work()
        assert post.state() is State.DROPPED

    def test_a_sender_with_a_bug_is_a_failed_attempt(self, post: Post, hook: Receiver) -> None:
        class Broken:
            def send(self, _channel: Channel, _message: Message) -> Outcome:
                raise KeyError("nosuch")

        post.deliveries.enqueue(TOLD, ["hook"], NOW)
        post.work(post.courier({Kind.WEBHOOK: Broken()}))
        [told] = post.deliveries.of("hook")
        assert (told.state, told.problem) == (State.WAITING, "It cannot be sent: KeyError.")
        post.now += PAUSES[0]
        post.work()
        assert hook.ids() == [TOLD.id]


class TestOff:
    def test_what_comes_while_a_person_has_it_off_is_dropped(self, post: Post, hook: Receiver) -> None:
        post.change(lambda channel: replace(channel, off=Off.PERSON))
        post.deliveries.enqueue(TOLD, ["hook"], NOW)
        post.work()
        assert post.state() is State.DROPPED
        assert hook.requests() == []

    @pytest.mark.parametrize("off", Off)
    def test_a_test_is_sent_all_the_same(self, post: Post, hook: Receiver, off: Off) -> None:
        post.change(lambda channel: replace(channel, off=off))
        test = replace(TOLD, id="test:1", type=TEST_TYPE)
        post.deliveries.enqueue(test, ["hook"], NOW)
        post.work()
        assert hook.ids() == ["test:1"]
        assert post.channel().off is off

    def test_a_test_that_fails_is_over(self, post: Post, hook: Receiver) -> None:
        hook.answer(500)
        test = replace(TOLD, id="test:1", type=TEST_TYPE)
        post.deliveries.enqueue(test, ["hook"], NOW)
        post.work()
        assert post.state(test) is State.DROPPED
        assert len(hook.requests()) == 1


def test_what_a_dead_worker_had_is_sent_again_with_the_same_id(post: Post, hook: Receiver) -> None:
    post.deliveries.enqueue(TOLD, ["hook"], NOW)
    assert post.deliveries.take("dead", NOW)
    courier = post.courier()
    assert not courier.work()
    post.now += LEASE - timedelta(seconds=1)
    assert not courier.work()
    post.now += timedelta(seconds=1)
    post.work(courier)
    assert hook.ids() == [TOLD.id]
    [told] = post.deliveries.of("hook")
    assert [each.problem for each in told.attempts] == ["Its worker died; it may have arrived.", ""]
