"""`audit-webui jobs run` as it is started in production: it takes what is left, and stops when told to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.webui.exports.conftest import ANNA, Desk
from webui.exports import manifest
from webui.exports.job import Job, State

WAIT_SECS = 60
COMMAND = [sys.executable, "-c", "from webui.cli import main; main()", "jobs", "run"]


@pytest.fixture
def abandoned(own_desk: Desk) -> Job:
    """A job whose worker died long ago, by anybody's clock."""
    job = own_desk.ask()
    now = own_desk.site.clock()
    dead = own_desk.queue.take("dead", now)
    assert dead
    own_desk.queue._write(dead, replace(dead.job, lease=now - timedelta(days=30)))
    return job


@pytest.fixture
def running(own_desk: Desk, abandoned: Job) -> Iterator[subprocess.Popen[str]]:
    site = own_desk.site
    assert own_desk.now(abandoned).state is State.RUNNING
    environment = {
        **os.environ,
        **site.store.environment,
        "AUDIT_WEBUI_EXPORT_DIR": str(site.settings.export_dir),
        "AUDIT_WEBUI_SECRET_KEY_FILE": str(site.settings.secret_key_file),
    }
    with subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert process.stderr.readline() == "SmartWMS Audit: jobs are worked on\n"
        yield process
        if process.poll() is None:
            process.kill()


def test_takes_the_job_of_a_worker_that_died_and_stops_on_sigterm(
    own_desk: Desk, abandoned: Job, running: subprocess.Popen[str]
) -> None:
    deadline = time.monotonic() + WAIT_SECS
    while own_desk.now(abandoned).state is not State.DONE:
        assert time.monotonic() < deadline, own_desk.now(abandoned)
        time.sleep(0.1)
    _, path = own_desk.exports.file(ANNA, abandoned.id)
    assert manifest.read(manifest.beside(path))["complete"] is True
    running.send_signal(signal.SIGTERM)
    assert running.wait(WAIT_SECS) == 0
