"""Works the deliveries off: takes what is due, makes the attempt, writes down what was answered.

1. Take the delivery that is due first; that an attempt begins is stored before it does. 2. Look at its
channel as it is now. 3. Make the attempt, in a thread of a small pool, one at a time for a channel. 4. Store
how it ended: delivered, or due again. 5. When the last attempt failed, raise an alert and switch the channel
off; what it has not told waits until somebody switches it on.

Whoever is told to stop ends its attempts first. Whoever is killed in the middle of one leaves a lease that
ends, and the message is sent again with the same id: it may have arrived, and an alert is rather told twice
than never.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Final, Protocol

from indexer.errors import ConflictError, RetryableError
from webui.notification.channel import EVERY_TENANT, Channel, Kind, Off
from webui.notification.channels import Channels
from webui.notification.deliveries import Deliveries, Held, LostError
from webui.notification.delivery import Attempt, Delivery, State
from webui.notification.message import TEST_TYPE, Message
from webui.notification.sending import Outcome, Sender

_log = logging.getLogger(__name__)

AT_ONCE_COUNT: Final = 4
"""How many channels are told at the same time: one that does not answer must not keep all others waiting."""
HELD_FOR: Final = timedelta(days=7)
"""How long a message waits for a channel that fails."""
SWEEP: Final = timedelta(minutes=1)
_WAIT_SECS: Final = 1.0
_TRIES_COUNT: Final = 3


class Alarm(Protocol):
    """Tells that a channel is switched off, once for the same `failed_count` however often it is called."""

    def __call__(self, channel: Channel, now: datetime) -> None:
        """Raise the alert; `channel` as it will be."""


class Courier:
    """One worker. `work` is called again and again; it raises RetryableError when the store is away."""

    def __init__(
        self,
        name: str,
        deliveries: Deliveries,
        channels: Channels,
        senders: Mapping[Kind, Sender],
        alarm: Alarm,
        now: Callable[[], datetime],
        stopping: Event,
    ) -> None:
        """`name` tells workers apart; `now`: an aware time."""
        self._name = name
        self._deliveries = deliveries
        self._channels = channels
        self._senders = senders
        self._alarm = alarm
        self._now = now
        self._stopping = stopping
        self._pool = ThreadPoolExecutor(AT_ONCE_COUNT, thread_name_prefix="courier")
        self._in_flight: dict[Future[None], str] = {}
        self._swept: datetime | None = None

    def work(self) -> bool:
        """Begin what is due and there is room for; whether anything is under way. Takes seconds at most."""
        self._reap()
        began = False
        failing = self._channels.failing()
        self._sweep_if_due(failing)
        while len(self._in_flight) < AT_ONCE_COUNT and not self._stopping.is_set():
            busy = set(self._in_flight.values())
            held = self._deliveries.take(self._name, self._now(), busy=busy, failing=failing)
            if held is None:
                break
            self._in_flight[self._pool.submit(self._deliver, held)] = held.delivery.channel
            began = True
        if self._in_flight and not began:
            wait(self._in_flight, timeout=_WAIT_SECS, return_when=FIRST_COMPLETED)
        return bool(self._in_flight)

    def close(self) -> None:
        """Wait for the attempts that are under way."""
        self._pool.shutdown()
        self._reap()

    def _reap(self) -> None:
        for future in [each for each in self._in_flight if each.done()]:
            del self._in_flight[future]
            future.result()

    def _deliver(self, held: Held) -> None:
        try:
            ended = self._ended(held)
        except LostError:
            return
        self._settle(held, ended)

    def _ended(self, held: Held) -> Delivery:
        """Make the attempt, if it is to be made; the delivery as it is afterwards."""
        delivery = held.delivery
        found = self._channels.get(delivery.channel)
        # Whose message it is decides here, whoever asked for it: a channel of another tenant is none. What
        # operators may see they may be told.
        if found is None or found[0].tenant not in {delivery.message.tenant, EVERY_TENANT}:
            return self._dropped(delivery, "There is no such channel.")
        channel, _ = found
        test = delivery.message.type == TEST_TYPE
        if channel.off is Off.PERSON and not test:
            return self._dropped(delivery, "Its channel was switched off.")
        if channel.off is Off.FAILING and not test:
            return replace(delivery, state=State.WAITING, lease=None, attempts=delivery.attempts[:-1])
        began, at = time.monotonic(), self._now()
        outcome = self._attempt(channel, delivery.message)
        attempt = Attempt(
            at, round(time.monotonic() - began, 3), outcome.status, outcome.answer, outcome.problem
        )
        level = logging.WARNING if outcome.problem else logging.INFO
        _log.log(level, "delivery %s: %s", delivery.id, outcome.problem or "delivered")
        ended = delivery.ended(attempt, self._now())
        if test and outcome.problem:
            return replace(ended, state=State.DROPPED, finished=self._now())
        if ended.exhausted:
            self._switch_off(channel, ended)
            return replace(ended, tries_count=0)
        return ended

    def _attempt(self, channel: Channel, message: Message) -> Outcome:
        try:
            return self._senders[channel.kind].send(channel, message)
        except Exception as error:  # noqa: BLE001
            # A message that cannot be made into a mail must not keep the others from being sent; it counts
            # as an attempt, so that it ends in an alert and not in a loop.
            _log.exception("message %s cannot be sent", message.id)
            return Outcome(problem=f"It cannot be sent: {type(error).__name__}.")

    def _switch_off(self, channel: Channel, ended: Delivery) -> None:
        """Raise the alert, then switch the channel off: whoever dies in between does it again, once."""
        now = self._now()
        for _ in range(_TRIES_COUNT):
            found = self._channels.get(channel.id)
            if found is None or not found[0].on:
                return
            off = replace(
                found[0],
                off=Off.FAILING,
                off_since=now,
                off_why=ended.problem,
                failed_count=found[0].failed_count + 1,
            )
            self._alarm(off, now)
            try:
                self._channels.replace(found[1], off)
            except ConflictError:
                continue
            _log.error("channel %s was switched off: %s", channel.id, ended.problem)
            return

    def _settle(self, held: Held, ended: Delivery) -> None:
        """Store how an attempt ended, however long the store is away: else it would be made again."""
        while True:
            try:
                self._deliveries.write(held, ended)
                return
            except LostError:
                _log.warning("delivery %s was taken by another worker", ended.id)
                return
            except RetryableError as error:
                if self._stopping.is_set():
                    _log.warning("delivery %s ended, but the store is away: %s", ended.id, error)
                    return
                self._stopping.wait(_WAIT_SECS)

    def _dropped(self, delivery: Delivery, why: str) -> Delivery:
        return replace(
            delivery,
            state=State.DROPPED,
            lease=None,
            attempts=delivery.attempts[:-1],
            finished=self._now(),
            problem=why,
        )

    def _sweep_if_due(self, failing: Sequence[str]) -> None:
        now = self._now()
        if self._swept is not None and now - self._swept < SWEEP:
            return
        self._swept = now
        try:
            self._deliveries.forget(now)
            self._deliveries.give_up(failing, now - HELD_FOR, now)
        except (ConflictError, LostError):
            _log.info("another worker sweeps old deliveries too")
