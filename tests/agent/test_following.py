"""`audit-agent run`: it follows what is written, survives what happens to it, and repeats nothing."""

import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.support.scale import SCALE
from tests.support.shipping import Shipping, Writer
from tests.support.tailing import append

PATIENCE_SECS = 60.0


def eventually(what: Callable[[], bool], saying: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while not what():
        assert time.monotonic() < deadline, saying()
        time.sleep(0.1)


def has_started(shipping: Shipping, times: int) -> bool:
    return shipping.log().count('"started"') == times


@contextmanager
def running(shipping: Shipping) -> Iterator[subprocess.Popen[str]]:
    """An agent that follows; stopped in good order at the end, with exit code 0."""
    agent = shipping.start()
    try:
        yield agent
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(PATIENCE_SECS) == 0, shipping.log()
    finally:
        agent.kill()
        agent.wait()


def test_follows_a_growing_file_and_a_daily_roll(shipping: Shipping) -> None:
    writer = Writer()
    today, tomorrow = shipping.logs / "smartwms-20261123.clef", shipping.logs / "smartwms-20261124.clef"
    append(today, writer.lines(10))
    with running(shipping):
        eventually(lambda: shipping.count() == 10, shipping.log)
        append(today, writer.lines(11))  # the last request's end is on the other side of midnight
        append(tomorrow, writer.lines(5))
        append(today, writer.lines(4))
        eventually(lambda: shipping.count() == 30, shipping.log)
        append(tomorrow, writer.lines(2))
        eventually(lambda: shipping.count() == 32, shipping.log)
    shipping.assert_shipped(writer)


def test_9_follows_through_copytruncate(shipping: Shipping) -> None:
    writer = Writer()
    path = shipping.logs / "a.clef"
    with running(shipping):
        for number in range(3):
            append(path, writer.lines(100))
            shutil.copyfile(path, shipping.logs / f"a.{number}.clef")
            path.write_bytes(b"")
            append(path, writer.lines(20))
        eventually(lambda: shipping.count() == 360, shipping.log)
    shipping.assert_shipped(writer)


def test_52_a_partition_that_is_read_only_is_waited_for(shipping: Shipping) -> None:
    writer = Writer()
    path = shipping.logs / "a.clef"
    append(path, writer.lines(2))
    with running(shipping):
        eventually(lambda: shipping.count() == 2, shipping.log)
        [partition] = [name for name in shipping.store.index_names() if "-audit-" in name]
        url = f"{shipping.store.url}/{partition}/_settings"
        requests.put(url, json={"index.blocks.write": True}, timeout=30).raise_for_status()
        append(path, writer.lines(10))
        eventually(lambda: '"retrying"' in shipping.log(), shipping.log)
        requests.put(url, json={"index.blocks.write": None}, timeout=30).raise_for_status()
        eventually(lambda: shipping.count() == 12, shipping.log)
    shipping.assert_shipped(writer)


def test_43_a_store_that_is_down_at_the_start_is_waited_for(shipping: Shipping) -> None:
    url = shipping.environment["AUDIT_OPENSEARCH_URL"]
    shipping.environment["AUDIT_OPENSEARCH_URL"] = "http://127.0.0.1:9"
    append(shipping.logs / "a.clef", Writer().lines(10))
    with running(shipping):
        eventually(lambda: '"waiting_for_the_store"' in shipping.log(), shipping.log)
    shipping.environment["AUDIT_OPENSEARCH_URL"] = url
    assert shipping.once()["stored"] == 10


def test_59_a_second_agent_on_the_same_state_refuses(shipping: Shipping) -> None:
    append(shipping.logs / "a.clef", Writer().lines(1))
    with running(shipping):
        eventually(lambda: '"started"' in shipping.log(), shipping.log)
        for arguments in (["run"], ["run", "--once"]):
            second = shipping.agent(*arguments)
            assert second.returncode == 2
            assert f"state_dir {shipping.state} is in use by another agent" in second.stderr


def test_65_stopped_in_the_middle_it_goes_on_exactly_there(shipping: Shipping) -> None:
    writer = Writer()
    path = shipping.logs / "a.clef"
    for starts in (1, 2, 3):
        append(path, writer.lines(3000))
        with running(shipping):
            eventually(partial(has_started, shipping, starts), shipping.log)
    stored = shipping.count()
    account = shipping.once()
    assert account["stored"] == 9000 - stored
    assert account["duplicate"] == 0
    shipping.assert_shipped(writer)


class Appending(threading.Thread):
    """Appends lines at a rate, in pieces that end anywhere, and rolls to the next file now and then."""

    def __init__(self, folder: Path, writer: Writer, lines_per_sec: int) -> None:
        super().__init__(name="writer")
        self.done = threading.Event()
        self._folder = folder
        self._writer = writer
        self._lines_per_sec = lines_per_sec

    def run(self) -> None:
        day, pause_secs = 0, 0.05
        while not self.done.wait(pause_secs):
            day += random.random() < 0.05
            with (self._folder / f"smartwms-{day:08}.clef").open("ab", buffering=0) as file:
                data = self._writer.lines(int(self._lines_per_sec * pause_secs))
                middle = random.randrange(len(data))
                file.write(data[:middle])
                time.sleep(0.001)
                file.write(data[middle:])


@pytest.mark.timeout(60 + 60 * SCALE)
def test_61_killed_at_random_moments_under_load(shipping: Shipping) -> None:
    writer = Writer()
    appending = Appending(shipping.logs, writer, lines_per_sec=2000)
    appending.start()
    try:
        for _ in range(10 * SCALE):
            agent = shipping.start()
            time.sleep(random.uniform(0.5, 2.0))
            agent.kill()
            agent.wait()
    finally:
        appending.done.set()
        appending.join()
    account = shipping.once()
    assert account["read"] == account["stored"] + account["duplicate"]
    assert shipping.once()["read"] == 0
    shipping.assert_shipped(writer)
