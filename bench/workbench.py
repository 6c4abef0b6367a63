"""What the benchmarks share: a node of their own, an agent, what a process costs, what is in the store."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import psutil

from indexer import bootstrap, indices, node, partitions
from indexer.classes import ClassSettings
from indexer.client import Client, connect
from indexer.settings import StoreSettings

SCRIPTS: Final = Path(sys.executable).parent
ANSWER_SECS: Final = 600
PAGE_COUNT: Final = 5000
LOOK_SECS: Final = 0.1
CONFIG: Final = """\
state_dir = "state"
host = "bench"
# Every event in the store is to be one of the lines that were written.
report_secs = 0

[[sources]]
name = "bench"
paths = ["{paths}"]
format = "clef"
changes_logged = true
"""


class Node:
    """A local OpenSearch that can be stopped, killed and started again at the same address."""

    def __init__(self, data: Path, heap: str) -> None:
        self._data = data
        self._heap = heap
        self._port = 0
        self.url = ""

    def start(self) -> None:
        patience = ("--timeout", str(ANSWER_SECS))
        self._indexer("start", "--port", str(self._port), "--heap", self._heap, *patience)
        running = node.status(self._data)
        self.url = running.url
        self._port = running.port

    def stop(self) -> None:
        self._indexer("stop")

    def kill(self) -> None:
        """End it as a power cut does."""
        process = node.status(self._data).process()
        if process is not None:
            process.kill()
            process.wait(ANSWER_SECS)

    def _indexer(self, command: str, *arguments: str) -> None:
        subprocess.run(
            [SCRIPTS / "audit-indexer", "node", command, "--data", self._data, *arguments],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip


@contextmanager
def running_node(heap: str) -> Iterator[Node]:
    """A local node of our own in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="smartwms-audit-bench-"))
    folder.chmod(0o755)
    made = Node(folder / "node", heap)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def client_of(url: str, prefix: str) -> Client:
    return connect(StoreSettings(opensearch_url=url, index_prefix=prefix))


def prepared(url: str, prefix: str) -> None:
    """Templates and application indices, as `audit-indexer apply` makes them."""
    client = client_of(url, prefix)
    bootstrap.apply(client, prefix, bootstrap.plan(client, prefix, ClassSettings()))


def dropped(url: str, prefix: str) -> None:
    """Delete the partitions of a prefix, so that each round starts alike."""
    client = client_of(url, prefix)
    for index in indices.look(client, partitions.pattern(prefix)):
        client.request("DELETE", f"/{index.name}", timeout_secs=ANSWER_SECS)


def count(client: Client, index: str) -> int:
    """How many documents a search of the index sees now."""
    client.request("POST", f"/{index}/_refresh", timeout_secs=ANSWER_SECS)
    answer: Any = client.request("GET", f"/{index}/_count", timeout_secs=ANSWER_SECS).json
    return int(answer["count"])


def documents(client: Client, index: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    """These fields of every document of the index, in no order."""
    client.request("POST", f"/{index}/_refresh", timeout_secs=ANSWER_SECS)
    body = {"size": PAGE_COUNT, "sort": ["_doc"], "_source": list(fields)}
    page: Any = client.request(
        "POST", f"/{index}/_search", params={"scroll": "5m"}, body=body, timeout_secs=ANSWER_SECS
    ).json
    while page["hits"]["hits"]:
        yield from (hit["_source"] for hit in page["hits"]["hits"])
        more = {"scroll": "5m", "scroll_id": page["_scroll_id"]}
        page = client.request("POST", "/_search/scroll", body=more, timeout_secs=ANSWER_SECS).json
    ended = {"scroll_id": page["_scroll_id"]}
    client.request("DELETE", "/_search/scroll", body=ended, timeout_secs=ANSWER_SECS)


def configured(home: Path, paths: str) -> Path:
    """The agent's file in `home`, for these files, with no state from before."""
    shutil.rmtree(home / "state", ignore_errors=True)
    config = home / "agent.toml"
    config.write_text(CONFIG.format(paths=paths), encoding="utf-8")
    return config


@dataclass
class Cost:
    """What a process has cost until now."""

    cpu_secs: float = 0.0
    peak_mb: float = 0.0


class Meter:
    """Looks at a process until it ends. The peak that wait() tells counts the parent's memory, too."""

    def __init__(self, pid: int) -> None:
        self.cost = Cost()
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
        self._thread.start()

    def stop(self) -> Cost:
        self._done.set()
        self._thread.join()
        return self.cost

    def _run(self) -> None:
        try:
            process = psutil.Process(self._pid)
            while not self._done.wait(LOOK_SECS):
                times = process.cpu_times()
                self.cost.cpu_secs = times.user + times.system
                self.cost.peak_mb = max(self.cost.peak_mb, _peak_mb(self._pid, process))
        except (psutil.Error, FileNotFoundError, ProcessLookupError):
            return


class Process:
    """A program that is metered from its start to its end."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, piped: bool = False, environment: Mapping[str, str]
    ) -> None:
        """Start it; what it says is added to `log`, but for its standard output where that is piped."""
        with log.open("ab") as said:
            self.popen = subprocess.Popen(
                list(command),
                env={**os.environ, **environment}, stdout=subprocess.PIPE if piped else said, stderr=said,
            )  # fmt: skip
        self._meter = Meter(self.popen.pid)

    def end(self, signal_number: int | None = None) -> Cost:
        """Send it a signal, if any, and wait for its end; exactly what CPU it took, and its peak memory."""
        if signal_number is not None:
            os.kill(self.popen.pid, signal_number)
        _, status, usage = os.wait4(self.popen.pid, 0)
        self.popen.returncode = os.waitstatus_to_exitcode(status)
        return Cost(usage.ru_utime + usage.ru_stime, self._meter.stop().peak_mb)

    def require_running(self) -> None:
        """ClickException when it has ended by itself: nothing more is to be waited for."""
        if psutil.Process(self.popen.pid).status() == psutil.STATUS_ZOMBIE:
            raise click.ClickException(f"{self.popen.args!r} has ended by itself")

    def output(self) -> bytes:
        """What it prints on a piped standard output, until it closes that."""
        return self.popen.stdout.read() if self.popen.stdout else b""


def agent(config: Path, url: str, prefix: str, *arguments: str, piped: bool = False) -> Process:
    """Start `audit-agent run` with this file; what it logs is added to `agent.log` beside it."""
    return Process(
        [SCRIPTS / "audit-agent", "run", "--config", config, *arguments],
        config.with_name("agent.log"),
        piped=piped,
        environment={"AUDIT_OPENSEARCH_URL": url, "AUDIT_INDEX_PREFIX": prefix},
    )


def _peak_mb(pid: int, process: psutil.Process) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
        return int(status.partition(b"VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        return float(process.memory_info().rss) / 1024**2


def say(text: str) -> None:
    """A line of progress on a terminal, nothing in a pipe: the result is what stands on standard output."""
    if sys.stderr.isatty():
        click.echo(text, err=True)
