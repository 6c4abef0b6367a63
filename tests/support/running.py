"""A whole agent in this process, following files on a fake store: quick to start, and to be looked into."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import requests

from agent import settings
from agent.daemon import Agent
from agent.state import state_lock
from indexer.client import Client
from indexer.settings import StoreSettings
from tests.support.fake_store import FakeStore
from tests.support.shipping import PROGRAM

PATIENCE_SECS = 60.0
ANSWER_SECS = 10.0


class Running:
    """An agent in a thread, on `folder/agent.toml`."""

    def __init__(
        self, folder: Path, fake: FakeStore, config: str, store: StoreSettings | None = None
    ) -> None:
        self.folder = folder
        self.fake = fake
        self.logs = folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self.config = folder / "agent.toml"
        self.config.write_text(config)
        loaded = settings.load(self.config)
        self.state = loaded.state_dir
        self._client = Client(store or fake.settings)
        self.agent = Agent(loaded, fake.settings, self._client, lambda: settings.load(self.config))
        self._failed: list[BaseException] = []
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="agent")

    def _follow(self) -> None:
        try:
            with state_lock(self.state):
                self._begun.set()
                self.agent.follow()
        except BaseException as error:  # noqa: BLE001 - the test raises it again
            self._failed.append(error)
        finally:
            self._begun.set()

    def start(self) -> None:
        """Let the agent begin; back as soon as it has its state directory, which a test may look into."""
        self._thread.start()
        assert self._begun.wait(PATIENCE_SECS)

    def stop(self) -> float:
        """Let the agent end; the seconds that took."""
        since = time.monotonic()
        self.agent.stop()
        self._thread.join(PATIENCE_SECS)
        assert not self._thread.is_alive()
        self._client.close()
        if self._failed:
            raise self._failed[0]
        return time.monotonic() - since

    def until(self, what: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECS
        while not what():
            assert not self._failed, self._failed
            assert time.monotonic() < deadline, (self.agent.counts, self.reasons())
            time.sleep(0.02)

    def stored(self) -> int:
        """Events of SmartWMS's logs in the store."""
        return sum(each["log"]["source"] != "audit-agent" for each in self.events())

    def events(self) -> list[dict[str, dict[str, str]]]:
        return [orjson.loads(body) for body in list(self.fake.documents.values())]

    def told(self) -> list[str]:
        """The actions of the events that the agent told of itself."""
        return [each["event"]["action"] for each in self.events() if each["log"]["source"] == "audit-agent"]

    def ask(self, path: str) -> requests.Response:
        assert self.agent.endpoint is not None
        return requests.get(f"http://127.0.0.1:{self.agent.endpoint.port}{path}", timeout=ANSWER_SECS)

    def reasons(self) -> list[str]:
        """What /health says against the agent; none: 200."""
        if self.agent.endpoint is None:
            return []
        answer = self.ask("/health")
        reasons: list[str] = answer.json()["reasons"]
        assert answer.status_code == (503 if reasons else 200)
        return reasons


CONFIG = """\
state_dir = "state"
host = "app-1"
[http]
listen = "127.0.0.1:0"
[delivery]
retry_secs_max = 0.5
request_secs = 5
[[sources]]
name = "app"
paths = ["logs/*.clef"]
format = "clef"
changes_logged = true
"""


@contextlib.contextmanager
def running(
    folder: Path, fake: FakeStore, config: str = CONFIG, store: StoreSettings | None = None
) -> Iterator[Running]:
    """An agent that follows for as long as the block lasts."""
    made = Running(folder, fake, config, store)
    made.start()
    try:
        yield made
    finally:
        if made._thread.is_alive():
            made.stop()


@contextlib.contextmanager
def started(
    folder: Path, fake: FakeStore, config: str = CONFIG, limits: str = ""
) -> Iterator["subprocess.Popen[bytes]"]:
    """An agent as a process of its own, under the shell's `ulimit`s, for as long as the block lasts."""
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "agent.toml").write_text(config)
    command = f'{limits} exec "$0" run --config "$1"'
    process = subprocess.Popen(
        ["bash", "-c", command, PROGRAM, folder / "agent.toml"],
        env={**os.environ, "AUDIT_OPENSEARCH_URL": fake.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
        process.terminate()
        process.wait(PATIENCE_SECS)
    finally:
        process.kill()
        process.wait()


def originals(fake: FakeStore) -> list[bytes]:
    return [orjson.loads(body)["event"]["original"].encode() for body in list(fake.documents.values())]


def until(what: Callable[[], object], agent: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while not what():
        assert agent.poll() is None, "the agent ended"
        assert time.monotonic() < deadline
        time.sleep(0.05)
