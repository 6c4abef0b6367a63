"""`audit-webui run`, as it is started in production."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.store import Store

STOP_SECS = 20


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def start(store: Store, folder: Path, port: int) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        **store.environment,
        "AUDIT_WEBUI_SECRET_KEY_FILE": str(folder / "secret.key"),
        "AUDIT_WEBUI_TRAIL_FILE": str(folder / "trail.log"),
    }
    command = [sys.executable, "-c", "from webui.cli import main; main()", "run", "--port", str(port)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def running(store: Store, tmp_path: Path) -> Iterator[int]:
    """The port of a UI that says it is there."""
    port = free_port()
    with start(store, tmp_path, port) as process:
        assert process.stderr
        assert process.stderr.readline() == f"SmartWMS Audit on http://127.0.0.1:{port}\n"
        yield port
        process.terminate()
        process.wait(STOP_SECS)


def test_serves_on_an_empty_store(running: int, tmp_path: Path) -> None:
    page = requests.get(f"http://127.0.0.1:{running}/", timeout=STOP_SECS)
    assert page.status_code == 200
    assert "Sign in" in page.text
    assert "Server" not in page.headers
    assert (tmp_path / "secret.key").exists()


def test_a_taken_port_is_a_sentence_and_code_2(running: int, store: Store, tmp_path: Path) -> None:
    with start(store, tmp_path, running) as second:
        _, said = second.communicate(timeout=60)
    assert second.returncode == 2
    assert said.startswith(f"audit-webui: cannot listen on 127.0.0.1:{running}")
