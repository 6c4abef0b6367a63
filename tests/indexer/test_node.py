"""A local node on the real OpenSearch: started, asked, stopped; and what it says when it cannot start."""

import os
import re
import socket
from pathlib import Path

import psutil
import pytest
import requests
import yaml
from click.testing import CliRunner, Result

from indexer import launch, node
from indexer.launch import Folders
from indexer.node import Running
from indexer.unprivileged import Account

ANSWER_SECS = 30
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+) pid (\d+)")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(node.node, [str(word) for word in words])


def processes_in(folder: Path) -> list[psutil.Process]:
    """Every process that was started with this folder in its words: the truth, past our own record."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and any(str(folder) in word for word in _words(process))
    ]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def remember(folder: Path, text: str) -> None:
    (folder / "node.json").write_text(text, encoding="utf-8")


class TestLife:
    """One node through its whole life; each step needs the one before, so this is one test."""

    def test_starts_answers_keeps_its_data_and_stops(self, node_folder: Path) -> None:
        data = node_folder / "a node"
        first = self.starts(data)
        self.is_alone_and_unprivileged(first)
        requests.put(f"{first.url}/kept", timeout=ANSWER_SECS).raise_for_status()
        self.is_told_by_status(data, first)
        self.refuses_a_second_start(data, first)
        self.stops(data)

        # The port of before, by its number: it is free again at once.
        again = self.starts(data, "--port", str(first.port))
        assert again.port == first.port
        assert requests.head(f"{again.url}/kept", timeout=ANSWER_SECS).status_code == 200
        self.stops(data)

    def starts(self, data: Path, *words: str) -> Running:
        result = run("start", "--data", data, "--heap", "256m", *(words or ("--port", "0")))
        assert result.exit_code == 0, result.output
        told = ADDRESS.fullmatch(result.stdout.strip())
        assert told, result.stdout
        running = node.status(data)
        assert (running.url, str(running.pid)) == told.groups()
        assert [process.pid for process in processes_in(data)] == [running.pid]
        return running

    def is_alone_and_unprivileged(self, running: Running) -> None:
        process = running.process()
        assert process is not None
        if os.name == "posix":
            assert 0 not in process.uids()
            assert 0 not in process.gids()
        listening = {c.laddr.ip for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN}
        assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}

    def is_told_by_status(self, data: Path, running: Running) -> None:
        result = run("status", "--data", data)
        assert result.exit_code == 0
        assert re.fullmatch(rf"{running.url} pid {running.pid} (green|yellow)\n", result.stdout)

    def refuses_a_second_start(self, data: Path, running: Running) -> None:
        result = run("start", "--data", data, "--port", "0")
        assert result.exit_code == 2
        assert f"a node is running in {data} already ({running.url}, pid {running.pid})" in result.stderr
        assert "node stop --data" in result.stderr

    def stops(self, data: Path) -> None:
        result = run("stop", "--data", data)
        assert result.exit_code == 0
        assert result.stdout.startswith("stopped pid ")
        assert processes_in(data) == []
        assert run("status", "--data", data).exit_code == 3


class TestStart:
    """What keeps a node from starting is one sentence with the way out."""

    def test_names_a_taken_port(self, node_folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            result = run("start", "--data", node_folder / "node", "--port", port)
        assert result.exit_code == 2
        assert f"port {port} of 127.0.0.1 is not to be had" in result.stderr
        assert "choose another --port" in result.stderr

    def test_names_the_files_of_somebody_else(self, node_folder: Path) -> None:
        (node_folder / "thesis.txt").touch()
        result = run("start", "--data", node_folder, "--port", "0")
        assert result.exit_code == 2
        assert f"{node_folder} holds other files (thesis.txt)" in result.stderr
        assert "choose an empty or a new folder" in result.stderr

    def test_names_a_full_disk(self, node_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(node, "NEEDED_BYTES", 1 << 60)
        result = run("start", "--data", node_folder, "--port", "0")
        assert result.exit_code == 2
        assert re.search(rf"{node_folder} has \d+ MB free and a node needs \d+ MB", result.stderr)
        assert "make room" in result.stderr

    def test_names_another_start_at_work(self, node_folder: Path) -> None:
        with node._held(Folders(node_folder)):
            result = run("start", "--data", node_folder, "--port", "0")
        assert result.exit_code == 2
        assert f"another start or stop is at work in {node_folder}" in result.stderr

    def test_names_a_folder_closed_to_the_nodes_account(
        self, node_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = Account("nobody", 65534, 65534)
        monkeypatch.setattr(node, "node_account", lambda: account)
        monkeypatch.setattr(node, "run_as", lambda _: [])
        node_folder.chmod(0o700)
        result = run("start", "--data", node_folder / "node", "--port", "0")
        assert result.exit_code == 2
        assert "is in a folder closed to nobody" in result.stderr
        assert account.can_enter(node.usable_folder(node_folder / "node"))

    def test_shows_the_last_words_of_a_node_that_dies(self, node_folder: Path) -> None:
        (node_folder / "config").mkdir()
        (node_folder / "config" / "opensearch.yml").touch()
        # The node wants a folder of this name.
        (node_folder / "data").mkdir()
        (node_folder / "data" / "nodes").touch()
        result = run("start", "--data", node_folder, "--port", "0", "--heap", "256m")
        assert result.exit_code == 3
        assert "the node died while starting (exit code 1)" in result.stderr
        assert f"the last lines of {Folders(node_folder).log}" in result.stderr
        assert str(node_folder / "data" / "nodes") in result.stderr
        assert processes_in(node_folder) == []
        assert run("status", "--data", node_folder).exit_code == 3

    def test_shows_the_last_words_of_a_runtime_that_dies(self, node_folder: Path) -> None:
        result = run("start", "--data", node_folder, "--port", "0", "--heap", "1m")
        assert result.exit_code == 3
        assert "Too small maximum heap" in result.stderr

    def test_ends_a_node_that_takes_too_long(self, node_folder: Path) -> None:
        result = run("start", "--data", node_folder, "--port", "0", "--timeout", "0.3")
        assert result.exit_code == 3
        assert "did not answer within 0.3 s and was ended" in result.stderr
        assert "--timeout" in result.stderr
        assert processes_in(node_folder) == []

    @pytest.mark.parametrize("size", ["", "512", "m", "1t", "-1g", "1.5g"])
    def test_names_a_heap_that_is_no_size(self, node_folder: Path, size: str) -> None:
        result = run("start", "--data", node_folder, "--heap", size)
        assert result.exit_code == 2
        assert f"{size!r} is no size: write it like 512m or 2g" in result.stderr


class TestStop:
    """Only the process that was started is ever ended."""

    def test_of_nothing_is_done_at_once(self, node_folder: Path) -> None:
        result = run("stop", "--data", node_folder / "never")
        assert result.exit_code == 0
        assert "no node was running" in result.stdout
        assert not (node_folder / "never").exists()

    def test_leaves_a_stranger_with_the_same_pid_alone(self, node_folder: Path) -> None:
        remember(node_folder, f'{{"pid": {os.getpid()}, "started": 1.0, "port": 1, "data": ""}}')
        result = run("stop", "--data", node_folder)
        assert result.exit_code == 0
        assert "no node was running" in result.stdout
        assert not (node_folder / "node.json").exists()

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', "null"])
    @pytest.mark.parametrize("command", ["stop", "status"])
    def test_names_a_record_that_is_none(self, node_folder: Path, text: str, command: str) -> None:
        remember(node_folder, text)
        result = run(command, "--data", node_folder)
        assert result.exit_code == 2
        assert f"{node_folder / 'node.json'} is no record of a node: delete it" in result.stderr
        (node_folder / "node.json").unlink()


class TestStatus:
    """It tells what is there, without touching it."""

    def test_says_how_to_start_one(self, node_folder: Path) -> None:
        result = run("status", "--data", node_folder)
        assert result.exit_code == 3
        assert f"no node is running in {node_folder}" in result.stderr
        assert "audit-indexer node start" in result.stderr

    def test_says_that_a_node_does_not_answer(self, node_folder: Path) -> None:
        started = psutil.Process().create_time()
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        remember(node_folder, f'{{"pid": {os.getpid()}, "started": {started}, "port": {port}, "data": "x"}}')
        result = run("status", "--data", node_folder)
        (node_folder / "node.json").unlink()
        assert result.exit_code == 3
        assert f"runs and does not answer at http://127.0.0.1:{port}" in result.stderr


def test_settings_survive_a_path_with_blanks_and_quotes() -> None:

    folders = Folders(Path('/a "b" c\\d'))
    assert yaml.safe_load(launch.settings(folders, 9200))["path.data"] == str(folders.data)
