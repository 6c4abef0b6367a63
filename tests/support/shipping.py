"""A whole agent, as its users start it, on a store of the test's own; and the oracle of what it must ship.

A generator writes records with a run, a growing number and a hash; afterwards every number must be in the
store once, with the record's own bytes.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import requests

from indexer import bootstrap
from indexer.classes import ClassSettings
from indexer.client import Client
from tests.support.store import ANSWER_SECS, Store

PROGRAM = Path(sys.executable).with_name("audit-agent")
RUN_SECS = 120
CHANGES_LOGGED = """\
state_dir = "state"
host = "app-1"

[[sources]]
name = "app"
paths = ["logs/*.clef"]
format = "clef"
changes_logged = true
"""

_DYING = """\
import importlib, os, signal
from operator import attrgetter
from agent.cli import main
module, _, path = {step!r}.partition(":")
owner, name = importlib.import_module(module), path
if "." in path:
    folder, _, name = path.rpartition(".")
    owner = attrgetter(folder)(owner)
step = getattr(owner, name)
def dying(*given):
    if not {before}:
        step(*given)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, dying)
main()
"""


def prepare(store: Store) -> None:
    """What an operator does once: templates, tenants' directory, classes."""
    client = Client(store.settings)
    bootstrap.apply(client, store.prefix, bootstrap.plan(client, store.prefix, ClassSettings()))
    client.close()


class Writer:
    """Writes requests as SmartWMS does: a line inside the request, then the line that ends it."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self.run = f"{self.started:%H%M%S%f}"
        self.written: dict[int, bytes] = {}

    def lines(self, count: int) -> bytes:
        """The next `count` lines, each under its number."""
        return b"".join(self._line(len(self.written)) for _ in range(count))

    def _line(self, number: int) -> bytes:
        moment = self.started + timedelta(milliseconds=number)
        record: dict[str, Any] = {
            "@t": f"{moment:%Y-%m-%dT%H:%M:%S.%f}7Z",
            "RequestId": f"{self.run}:{number // 2:08}",
            "Number": number,
            "Hash": hashlib.sha256(f"{self.run} {number}".encode()).hexdigest(),
        }
        if number % 2:
            record |= {
                "@mt": "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms",
                "RequestMethod": "GET",
                "RequestPath": "/api/v1/products",
                "StatusCode": 200,
                "Elapsed": 1.5,
                "SourceContext": "Serilog.AspNetCore.RequestLoggingMiddleware",
            }
        else:
            record |= {"@mt": "Something was looked up", "SourceContext": "SmartWMS.API.Lookup"}
        self.written[number] = orjson.dumps(record)
        return self.written[number] + b"\n"


class Shipping:
    """A folder with settings, logs and state, and the agent that works in it."""

    def __init__(self, folder: Path, store: Store, settings: str = CHANGES_LOGGED) -> None:
        self.folder = folder
        self.store = store
        self.logs = folder / "logs"
        self.state = folder / "state"
        self.config = folder / "agent.toml"
        self.config.write_text(settings)
        self.logs.mkdir(exist_ok=True)
        self.environment = {**os.environ, **store.environment}

    def agent(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `audit-agent` with these arguments to its end."""
        return subprocess.run(
            [PROGRAM, *arguments, "--config", self.config],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=RUN_SECS,
            check=False,
        )

    def once(self) -> dict[str, int]:
        """Ship what is there; the account."""
        done = self.agent("run", "--once")
        assert done.returncode == 0, done.stderr
        account: dict[str, int] = json.loads(done.stdout)
        return account

    def start(self) -> subprocess.Popen[str]:
        """An agent that follows, until it is killed or told to stop."""
        with (self.folder / "agent.log").open("ab") as log:
            return subprocess.Popen(
                [PROGRAM, "run", "--config", self.config],
                env=self.environment,
                stdout=log,
                stderr=log,
                text=True,
            )

    def dying(self, step: str, moment: str) -> int:
        """Run the agent once; it is killed before or after this step (`module:name`). Its exit code."""
        program = _DYING.format(step=step, before=moment == "before")
        done = subprocess.run(
            [sys.executable, "-c", program, "run", "--once", "--config", self.config],
            env=self.environment,
            capture_output=True,
            timeout=RUN_SECS,
            check=False,
        )
        return done.returncode

    def log(self) -> str:
        path = self.folder / "agent.log"
        return path.read_text() if path.exists() else ""

    def own_events(self) -> list[dict[str, Any]]:
        """What the agent told of itself."""
        return [event for event in self.all_events() if event["log"]["source"] == "audit-agent"]

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event in the store that came from a log of SmartWMS's."""
        return (event for event in self.all_events() if event["log"]["source"] != "audit-agent")

    def all_events(self) -> Iterator[dict[str, Any]]:
        """Every event in the store."""
        url, alias = self.store.url, f"{self.store.prefix}-audit"
        requests.post(f"{url}/{alias}/_refresh", timeout=ANSWER_SECS)
        query = {"size": 5000, "sort": ["_doc"]}
        page = requests.post(f"{url}/{alias}/_search?scroll=1m", json=query, timeout=ANSWER_SECS).json()
        while page.get("hits", {}).get("hits"):
            yield from (hit["_source"] for hit in page["hits"]["hits"])
            page = requests.post(
                f"{url}/_search/scroll",
                json={"scroll": "1m", "scroll_id": page["_scroll_id"]},
                timeout=ANSWER_SECS,
            ).json()
        if "_scroll_id" in page:
            requests.delete(
                f"{url}/_search/scroll", json={"scroll_id": page["_scroll_id"]}, timeout=ANSWER_SECS
            )

    def count(self) -> int:
        url, alias = self.store.url, f"{self.store.prefix}-audit"
        requests.post(f"{url}/{alias}/_refresh", timeout=ANSWER_SECS)
        answer = requests.get(f"{url}/{alias}/_count", timeout=ANSWER_SECS)
        return int(answer.json().get("count", 0))

    def assert_shipped(self, writer: Writer) -> None:
        """Every number that was written is in the store, once, with the bytes that were written."""
        originals = [event["event"]["original"].encode() for event in self.events()]
        seen = Counter(orjson.loads(original)["Number"] for original in originals)
        missing = writer.written.keys() - seen.keys()
        assert not missing, f"{len(missing)} lost: {sorted(missing)[:10]}"
        repeated = [number for number, count in seen.items() if count > 1]
        assert not repeated, f"{len(repeated)} stored twice: {sorted(repeated)[:10]}"
        assert set(originals) == set(writer.written.values())
