"""`audit-webui alerts run`, as it is started in production: one is active, and another takes over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.documents import Documents
from tests.support.alerting import Watched, failed
from tests.support.events import TEST
from webui.alerts.lease import ID
from webui.notification.assembly import make_channels
from webui.notification.channel import Channel, Kind

WAIT_SECS = 90
# What the issue asks for, and what starting a round costs on a busy machine.
TAKEOVER_SECS = 30
CHANNEL = "c0ffee"


@pytest.fixture
def start(watch: Watched, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start evaluators as processes of their own."""
    running = []

    def started(*options: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from webui.cli import main; main()", "alerts", "run", *options],
            env={
                **os.environ,
                **watch.store.environment,
                "AUDIT_WEBUI_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
            },
            stderr=subprocess.DEVNULL,
        )
        running.append(process)
        return process

    yield started
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def within(secs: float) -> Iterator[Callable[[], None]]:
    """Fail when it takes longer."""
    deadline = time.monotonic() + secs

    def tick() -> None:
        assert time.monotonic() < deadline
        time.sleep(0.2)

    yield tick


def holder(watch: Watched) -> int:
    """The process that holds the lease; 0: nobody."""
    stored = Documents(watch.client, watch.store.prefix, "evaluator").get(ID)
    if stored is None or stored.source["released"]:
        return 0
    return int(stored.source["holder"].split("/")[1])


def deliveries(watch: Watched) -> list[str]:
    found = Documents(watch.client, watch.store.prefix, "deliveries").find()
    return sorted(stored.source["message"]["id"] for stored in found)


def test_another_takes_over_from_one_that_is_killed_and_each_alert_is_told_once(
    watch: Watched, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    watch.now = datetime.now(UTC)
    channels = make_channels(watch.client, watch.store.prefix)
    channels.prepare()
    # Nobody listens there: what matters here is what is queued.
    target = Channel(
        id=CHANNEL, tenant=TEST, name="x", kind=Kind.WEBHOOK, url="https://127.0.0.1:9/", created=watch.now
    )
    channels.add(target)
    watch.monitor(channels=(CHANNEL,))
    processes = {process.pid: process for process in (start(), start())}
    with within(WAIT_SECS) as tick:
        while holder(watch) not in processes:
            tick()
    watch.happen(*[failed("192.0.2.1")] * 5, at=datetime.now(UTC))
    with within(WAIT_SECS) as tick:
        while len(watch.alerts()) < 1:
            tick()
    first = holder(watch)
    processes[first].send_signal(signal.SIGKILL)
    killed = time.monotonic()
    # What happens while nobody is active.
    watch.happen(*[failed("192.0.2.2")] * 5, at=datetime.now(UTC))
    with within(WAIT_SECS) as tick:
        while holder(watch) == first:
            tick()
    assert time.monotonic() - killed < TAKEOVER_SECS
    with within(WAIT_SECS) as tick:
        while len(watch.alerts()) < 2:
            tick()
    # The one that was killed comes back, and looks at everything again.
    assert start("--once").wait(WAIT_SECS) == 0
    with within(WAIT_SECS) as tick:
        while len(deliveries(watch)) < 2:
            tick()
    alerts = watch.alerts()
    assert [alert.number for alert in alerts] == [1, 1]
    assert deliveries(watch) == sorted(alert.message_id for alert in alerts)
    second = holder(watch)
    processes[second].send_signal(signal.SIGTERM)
    assert processes[second].wait(WAIT_SECS) == 0
    assert holder(watch) == 0


def test_once_looks_at_what_has_arrived_and_stops(
    watch: Watched, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    watch.now = datetime.now(UTC)
    watch.monitor()
    watch.happen(*[failed()] * 5, at=datetime.now(UTC))
    assert start("--once").wait(WAIT_SECS) == 0
    assert len(watch.alerts()) == 1
    assert holder(watch) == 0
