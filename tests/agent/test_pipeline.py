"""The stages together, in one process: what is read, what it waits for, and when a position moves."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from agent import settings
from agent.compose import compose
from agent.pipeline import CONTEXT_FILES, Pipeline
from agent.telemetry import Counts
from indexer import tenants
from indexer.client import Client
from indexer.plans import CACHE_SECS
from tests.support.shipping import Shipping, Writer
from tests.support.tailing import append

PATIENCE_SECS = 30.0


class Running:
    """A pipeline and what it needs, polled by the test."""

    def __init__(self, shipping: Shipping) -> None:
        self.answered = threading.Event()
        self.counts = Counts()
        self.client = Client(shipping.store.settings)
        loaded = settings.load(shipping.config)
        loaded.state_dir.mkdir(exist_ok=True)
        copy = tenants.load(self.client, shipping.store.prefix, now=datetime.now(UTC))
        self.pipeline: Pipeline = compose(
            loaded, shipping.store.settings, self.client, copy, self.counts, self.answered.set
        )

    def poll(self, *, may_read: bool = True) -> None:
        self.pipeline.poll(time.monotonic(), may_read=may_read)

    def poll_until_final(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECS
        while self.counts.final < count:
            assert time.monotonic() < deadline, self.counts
            self.answered.clear()
            self.poll()
            self.answered.wait(0.05)
        self.poll()

    def positions(self) -> dict[str, int]:
        return {Path(entry.path).name: entry.position for entry in self.pipeline.entries()}


@pytest.fixture
def running(shipping: Shipping) -> Iterator[Running]:
    running = Running(shipping)
    yield running
    running.pipeline.close(time.monotonic())
    running.client.close()


def test_nothing_is_read_while_the_tenants_are_too_old(shipping: Shipping, running: Running) -> None:
    append(shipping.logs / "a.clef", Writer().lines(10))
    for _ in range(3):
        running.poll(may_read=False)
    assert running.counts.read == 0
    running.poll_until_final(10)
    assert running.counts.stored == 10


def test_a_copy_of_the_tenants_becomes_too_old(running: Running, shipping: Shipping) -> None:
    now = datetime.now(UTC)
    copy = tenants.load(running.client, shipping.store.prefix, now=now)
    assert not copy.is_stale(now + timedelta(seconds=CACHE_SECS - 1))
    assert copy.is_stale(now + timedelta(seconds=CACHE_SECS))


def test_the_position_stays_before_a_record_whose_request_is_open(
    shipping: Shipping, running: Running
) -> None:
    path = shipping.logs / "a.clef"
    writer = Writer()
    append(path, writer.lines(10))
    running.poll_until_final(10)
    settled = path.stat().st_size
    append(path, writer.lines(1))  # the line that ends this request comes later
    for _ in range(5):
        running.poll()
    assert running.counts.read == 10
    assert running.positions() == {"a.clef": settled}
    append(path, writer.lines(1))
    running.poll_until_final(12)
    assert running.positions() == {"a.clef": path.stat().st_size}


def test_a_record_without_a_time_takes_the_same_one_after_a_restart(shipping: Shipping) -> None:
    paths = [shipping.logs / f"{number}.clef" for number in range(CONTEXT_FILES + 2)]
    for number, path in enumerate(paths):
        append(path, timed(f"2026-11-23T06:26:39.000000{number}Z"))
    for lines in (1, 2):
        running = Running(shipping)
        running.poll_until_final(len(paths))
        running.pipeline.close(time.monotonic())
        running.client.close()
        for path in paths if lines == 1 else ():
            append(path, timed("never"))
    times = sorted(event["@timestamp"] for event in shipping.events())
    assert times == sorted(2 * [f"2026-11-23T06:26:39.000000{number}00Z" for number in range(len(paths))])


def test_only_what_is_further_ahead_than_the_settings_allow_is_an_alarm(
    shipping: Shipping, running: Running
) -> None:
    with capture_logs() as said:
        for number, ahead in enumerate((timedelta(hours=3), timedelta(days=3))):
            soon = datetime.now(UTC) + ahead
            append(shipping.logs / "a.clef", timed(f"{soon:%Y-%m-%dT%H:%M:%S}.0000000Z"))
            running.pipeline.must_look = True
            running.poll()
            assert running.pipeline.ahead_count == number + 1
            assert sum(each["event"] == "ahead_of_clock" for each in said) == number


def timed(printed: str) -> bytes:
    return orjson.dumps({"@t": printed, "@mt": "Something"}) + b"\n"


def test_a_request_across_the_midnight_roll_is_one_request(shipping: Shipping, running: Running) -> None:
    old, new = shipping.logs / "smartwms-20261123.clef", shipping.logs / "smartwms-20261124.clef"
    writer = Writer()
    append(old, writer.lines(11))
    append(new, writer.lines(1))
    running.poll_until_final(12)
    assert running.positions() == {old.name: old.stat().st_size, new.name: new.stat().st_size}
    flags = [event["event"].get("flags", []) for event in shipping.events()]
    assert not any("incomplete_request" in each for each in flags)
