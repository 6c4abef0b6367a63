"""Snapshot and restore, as docs/runbook.md has them: what a second node gets back is as it was sealed."""

import shutil
from pathlib import Path

import orjson
import pytest
import requests
from click.testing import CliRunner

from indexer import node
from indexer.cli import main
from indexer.launch import Folders
from tests.support.shipping import CHANGES_LOGGED, Shipping, Writer
from tests.support.store import Store

ANSWER_SECS = 120
START_SECS = 150
ALL = {"indices": "smartwms-*", "include_global_state": False}


def ask(url: str, method: str, path: str, body: object = None) -> dict[str, object]:
    answer = requests.request(method, f"{url}/{path}", json=body, timeout=ANSWER_SECS)
    answer.raise_for_status()
    found: dict[str, object] = answer.json()
    return found


def indexer(monkeypatch: pytest.MonkeyPatch, store: Store, *arguments: str) -> str:
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.soak  # two nodes one after the other: by `make soak`
@pytest.mark.timeout(600)
def test_a_restored_node_verifies(node_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Store(node.start(node_folder / "first", 0, timeout_secs=START_SECS).url, "smartwms")
    indexer(monkeypatch, first, "apply")
    shipping, writer = Shipping(tmp_path, first, CHANGES_LOGGED), Writer()
    (shipping.logs / "app.clef").write_bytes(writer.lines(50))
    assert shipping.once()["stored"] == 50
    ask(first.url, "PUT", "_snapshot/audit", {"type": "fs", "settings": {"location": "audit"}})
    ask(first.url, "PUT", "_snapshot/audit/audit-1?wait_for_completion=true", ALL)
    node.stop(node_folder / "first")

    second = Store(node.start(node_folder / "second", 0, timeout_secs=START_SECS).url, "smartwms")
    kept, there = Folders(node_folder / "first").snapshots, Folders(node_folder / "second").snapshots
    shutil.copytree(kept, there, dirs_exist_ok=True)
    owner = there.stat()
    for path in there.rglob("*"):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    ask(second.url, "PUT", "_snapshot/audit", {"type": "fs", "settings": {"location": "audit"}})
    ask(second.url, "POST", "_snapshot/audit/audit-1/_restore?wait_for_completion=true", ALL)
    applied = indexer(monkeypatch, second, "apply")
    assert {
        line.split(":")[1].split()[1] for line in applied.splitlines() if line.startswith("put right")
    } == {"template"}
    assert "nothing to do" in indexer(monkeypatch, second, "plan")
    found = orjson.loads(indexer(monkeypatch, second, "verify", "--json"))
    assert (found["totals"], found["roots"]) == ({"verified": 50}, 1)

    # Everything that is on disk still, sent again: nothing is twice, and what came since is there.
    with (shipping.logs / "app.clef").open("ab") as log:
        log.write(writer.lines(10))
    (shipping.state / "checkpoint.json").unlink()
    shutil.rmtree(shipping.state / "seals")
    again = Shipping(tmp_path, second, CHANGES_LOGGED)
    assert again.once() == {"read": 60, "stored": 10, "duplicate": 50, "rejected": 0, "expired": 0}
    found = orjson.loads(indexer(monkeypatch, second, "verify", "--json"))
    assert found["totals"] == {"verified": again.count()}
