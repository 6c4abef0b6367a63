"""A local OpenSearch node on 127.0.0.1, for laptops, demos and tests: start, stop, status."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import filelock
import psutil

from indexer import launch
from indexer.distribution import cache_folder, opensearch_home
from indexer.launch import Folders
from indexer.node_errors import NodeNotRunningError, NodeSetupError, NodeStartError
from indexer.runtime import find_java
from indexer.unprivileged import Account, node_account, run_as

HOST = "127.0.0.1"
DEFAULT_PORT = 9200
DEFAULT_HEAP = "512m"
DEFAULT_START_SECS = 120.0
STOP_SECS = 60.0
POLL_SECS = 0.1
ANSWER_SECS = 10.0
# Above the flood-stage watermark, where OpenSearch stops writing.
NEEDED_BYTES = 1 << 30
# The clock may be corrected between two looks at the same process's start time.
SAME_START_SECS = 2.0


@dataclass(frozen=True)
class Running:
    """A node that was started: which process it is, and where it answers."""

    pid: int
    started: float
    """When the process began, seconds since the epoch: a pid alone may be another program by now."""
    port: int
    data: str

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def process(self) -> psutil.Process | None:
        """Return the very process that was started, or None if it is no more."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < SAME_START_SECS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def start(
    data: Path,
    port: int = DEFAULT_PORT,
    heap: str = DEFAULT_HEAP,
    timeout_secs: float = DEFAULT_START_SECS,
) -> Running:
    """Start a node and return once it answers; port 0 takes a free one. The node outlives its starter."""
    account = node_account()
    command = run_as(account)
    folders = Folders(data.resolve())
    with _held(folders):
        _require_idle(folders)
        _require_open(folders, account)
        _require_disk(folders)
        _require_port(port)
        java = find_java(account)
        home = opensearch_home(with_languages=java.has_thai)
        launch.write(folders, port)
        _hand_over(folders, account)
        command += launch.java_arguments(java, heap, home, folders)
        with folders.console.open("wb") as console:
            process = subprocess.Popen(
                command,
                cwd=folders.logs,
                env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                # The terminal's Ctrl-C is meant for whoever sits there, not for the node.
                start_new_session=True,
            )
        try:
            return _when_it_answers(folders, process, port, timeout_secs)
        except BaseException:
            process.kill()
            process.wait()
            folders.record.unlink(missing_ok=True)
            raise


def stop(data: Path) -> Running | None:
    """End exactly the process that `start` left in `data` and wait for it; None if there was none."""
    folders = Folders(data.resolve())
    if not folders.root.is_dir():
        return None
    with _held(folders):
        running = _recorded(folders)
        process = running.process() if running else None
        if process is not None:
            try:
                _end(process)
            except psutil.AccessDenied:
                raise NodeSetupError(
                    f"the node in {folders.root} (pid {process.pid}) is another user's: stop it as that user"
                ) from None
        folders.record.unlink(missing_ok=True)
        return running if process is not None else None


def status(data: Path) -> Running:
    """Return the node that runs in `data`; NodeNotRunningError if none does."""
    folders = Folders(data.resolve())
    running = _recorded(folders)
    if running is None or running.process() is None:
        raise NodeNotRunningError(folders.root)
    return running


def usable_folder(preferred: Path) -> Path:
    """Return `preferred`, or one in the cache if root prefers a place closed to the node's account.

    A checkout below /root is such a place. The same preference always gives the same folder.
    """
    account = node_account()
    if account is None or account.can_enter(preferred):
        return preferred
    return cache_folder() / "nodes" / preferred.resolve().as_posix().strip("/").replace("/", "-")


def ask(running: Running, path: str) -> dict[str, object]:
    """GET a path of the node and return its JSON object; OSError or HTTPException if it does not answer."""
    connection = http.client.HTTPConnection(HOST, running.port, timeout=ANSWER_SECS)
    try:
        connection.request("GET", path)
        answer: object = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise http.client.HTTPException(answer)
    return answer


# -- before the start --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _held(folders: Folders) -> Iterator[None]:
    try:
        folders.root.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folders.lock, timeout=0):
            yield
    except filelock.Timeout:
        raise NodeSetupError(
            f"another start or stop is at work in {folders.root}: wait for it, or choose another --data"
        ) from None
    except PermissionError as error:
        raise NodeSetupError(
            f"{error.filename} is not yours to write: choose another --data, or run this as its owner"
        ) from error


def _require_idle(folders: Folders) -> None:
    running = _recorded(folders)
    if running is not None and running.process() is not None:
        raise NodeSetupError(
            f"a node is running in {folders.root} already ({running.url}, pid {running.pid}): use it, "
            f"or end it with `audit-indexer node stop --data {folders.root}`"
        )
    strangers = sorted(place.name for place in folders.root.iterdir() if place != folders.lock)
    if strangers and not folders.is_node():
        raise NodeSetupError(
            f"{folders.root} holds other files ({', '.join(strangers[:3])}): "
            "choose an empty or a new folder for --data"
        )


def _require_open(folders: Folders, account: Account | None) -> None:
    if account is not None and not account.can_enter(folders.root):
        raise NodeSetupError(
            f"{folders.root} is in a folder closed to {account.name}, as whom a node of root runs: "
            f"choose a --data folder that everybody may enter, such as {usable_folder(folders.root)}"
        )


def _require_disk(folders: Folders) -> None:
    free_bytes = shutil.disk_usage(folders.root).free
    if free_bytes < NEEDED_BYTES:
        raise NodeSetupError(
            f"{folders.root} has {free_bytes >> 20} MB free and a node needs {NEEDED_BYTES >> 20} MB: "
            "make room, or choose a --data folder on another disk"
        )


def _require_port(port: int) -> None:
    with socket.socket() as probe:
        if sys.platform != "win32":
            # Elsewhere, a port just given up by a stopped node would look taken for a minute.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise NodeSetupError(
                f"port {port} of {HOST} is not to be had ({error.strerror}): "
                "choose another --port (0 takes a free one), or stop what listens there"
            ) from None


def _hand_over(folders: Folders, account: Account | None) -> None:
    """Close the node's rooms to everybody but the node, and give them to its account."""
    for folder in folders.own:
        folder.chmod(0o700)
        if account is None:
            continue
        for place in (folder, *folder.rglob("*")):
            if place.stat().st_uid != account.uid:
                os.chown(place, account.uid, account.gid)


# -- the process -------------------------------------------------------------------------------------------


def _when_it_answers(
    folders: Folders, process: subprocess.Popen[bytes], port: int, timeout_secs: float
) -> Running:
    started = psutil.Process(process.pid).create_time()
    running = Running(process.pid, started, port, str(folders.root))
    # At once: if the starter is killed while it waits, `stop` still knows what to end.
    _remember(folders, running)
    deadline = time.monotonic() + timeout_secs
    while time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(POLL_SECS)
            raise NodeStartError(
                f"the node died while starting (exit code {code}): mend what it names and start it again",
                launch.own_words(folders),
            )
        if (bound_port := _bound_port(folders)) is None:
            continue
        running = Running(process.pid, started, bound_port, str(folders.root))
        if _is_ready(running):
            _remember(folders, running)
            # It is to outlive this process; without this, Popen warns about leaving it behind.
            process.returncode = 0
            return running
    raise NodeStartError(
        f"the node did not answer within {timeout_secs:g} s and was ended: give it longer with --timeout, or "
        f"a less busy machine",
        launch.own_words(folders),
    )


def _bound_port(folders: Folders) -> int | None:
    """Return the port the node says it listens on: its word, so that no other server is taken for it."""
    try:
        first_line = folders.http_ports.read_text(encoding="ascii").partition("\n")[0]
        return int(first_line.rpartition(":")[2])
    except (FileNotFoundError, ValueError):
        return None


def _is_ready(running: Running) -> bool:
    try:
        answer = ask(running, "/_cluster/health?wait_for_status=yellow&timeout=1s")
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return answer.get("timed_out") is False


def _end(process: psutil.Process) -> None:
    try:
        process.terminate()
        process.wait(STOP_SECS)
    except psutil.TimeoutExpired:
        # Everything acknowledged is in the translog: a kill loses nothing.
        process.kill()
        process.wait(STOP_SECS)
    except psutil.NoSuchProcess:
        pass


def _remember(folders: Folders, running: Running) -> None:
    temporary = folders.record.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(running)), encoding="utf-8")
    temporary.replace(folders.record)


def _recorded(folders: Folders) -> Running | None:
    try:
        return Running(**json.loads(folders.record.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise NodeSetupError(
            f"{folders.record} is no record of a node: delete it, once no OpenSearch runs in that folder"
        ) from None


# -- the command -------------------------------------------------------------------------------------------


def _heap(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        launch.heap_bytes(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no size: write it like 512m or 2g") from None
    return value


_data_option = click.option(
    "--data",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the node's settings, data and logs.",
)


@click.group()
def node() -> None:
    """Run a local OpenSearch node on 127.0.0.1."""


@node.command("start")
@_data_option
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: a free one."
)
@click.option(
    "--heap", default=DEFAULT_HEAP, show_default=True, callback=_heap, help="Java heap, like 512m or 2g."
)
@click.option(
    "--timeout", "timeout_secs", default=DEFAULT_START_SECS, show_default=True, help="Seconds to wait."
)
def start_command(data: Path, port: int, heap: str, timeout_secs: float) -> None:
    """Start a node; returns when it answers."""
    if sys.stderr.isatty():
        click.echo("starting OpenSearch, which takes 10 to 30 seconds", err=True)
    click.echo(_told(start(data, port, heap, timeout_secs)))


@node.command("stop")
@_data_option
def stop_command(data: Path) -> None:
    """Stop the node and wait until it is gone."""
    stopped = stop(data)
    click.echo(f"stopped pid {stopped.pid}" if stopped else f"no node was running in {data}")


@node.command("status")
@_data_option
def status_command(data: Path) -> None:
    """Tell whether a node runs, and where."""
    running = status(data)
    try:
        health = ask(running, "/_cluster/health")["status"]
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NodeStartError(
            f"the node in {data} (pid {running.pid}) runs and does not answer at {running.url} ({error}): "
            "wait if it is starting, else stop it and start it again",
            launch.own_words(Folders(data.resolve())),
        ) from error
    click.echo(f"{_told(running)} {health}")


def _told(running: Running) -> str:
    return f"{running.url} pid {running.pid}"


if __name__ == "__main__":
    node()
