"""`audit-webui jobs run` as it is started in production: stopped and killed in the middle of telling."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.client import connect
from tests.support.receiver import Receiver
from tests.support.store import Store
from tests.support.web import KEY
from tests.webui.notification.conftest import TOLD, webhook
from webui.notification.assembly import make_channels, make_deliveries
from webui.notification.deliveries import Deliveries
from webui.notification.delivery import State
from webui.silence import LONG_AGO

WAIT_SECS = 100
COMMAND = [sys.executable, "-c", "from webui.cli import main; main()", "jobs", "run"]


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def environment(store: Store, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "secret.key").write_bytes(KEY)
    return {
        **os.environ,
        **store.environment,
        "AUDIT_WEBUI_EXPORT_DIR": str(tmp_path / "exports"),
        "AUDIT_WEBUI_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
        "AUDIT_WEBHOOK_NETWORKS": "127.0.0.1/32",
    }


@pytest.fixture
def deliveries(store: Store, receiver: Receiver) -> Deliveries:
    """A message that waits for a receiver who takes two seconds to answer."""
    client = connect(store.settings)
    channels, made = make_channels(client, store.prefix), make_deliveries(client, store.prefix)
    channels.prepare()
    channels.add(webhook(receiver.url("/wait")))
    made.prepare()
    made.enqueue(TOLD, ["hook"], datetime.now(UTC))
    return made


def stopped_by(number: int, receiver: Receiver, environment: dict[str, str]) -> int:
    """Start a worker, and end it by a signal while the receiver thinks about the first message."""
    with subprocess.Popen(COMMAND, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            until(receiver.requests)
            process.send_signal(number)
            return process.wait(WAIT_SECS)
        finally:
            process.kill()


def work(environment: dict[str, str]) -> None:
    subprocess.run([*COMMAND, "--once"], env=environment, check=True, capture_output=True, timeout=WAIT_SECS)


def test_a_restart_sends_nothing_twice(
    deliveries: Deliveries, receiver: Receiver, environment: dict[str, str]
) -> None:
    assert stopped_by(signal.SIGTERM, receiver, environment) == 0
    [told] = deliveries.of("hook")
    assert told.state is State.DELIVERED, "it ends its attempts first"
    work(environment)
    assert receiver.ids() == [TOLD.id]


def test_what_was_being_sent_by_one_that_was_killed_is_sent_again_under_its_id(
    deliveries: Deliveries, receiver: Receiver, environment: dict[str, str]
) -> None:
    assert stopped_by(signal.SIGKILL, receiver, environment) == -signal.SIGKILL
    held = deliveries.get(f"{TOLD.id}@hook")
    assert held
    assert (held.delivery.state, held.delivery.attempts[-1].over) == (State.SENDING, False)
    work(environment)
    assert len(receiver.ids()) == 1, "its lease has not ended"
    deliveries.write(held, replace(held.delivery, lease=datetime.now(UTC) - LONG_AGO))
    work(environment)
    assert receiver.ids() == [TOLD.id, TOLD.id]
    [told] = deliveries.of("hook")
    assert [each.problem for each in told.attempts] == ["Its worker died; it may have arrived.", ""]
