"""`audit-webui keys`, from the command line."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from indexer.client import connect
from tests.support.events import TEST
from tests.support.store import Store
from webui import cli
from webui.api.assembly import _utc_now, make_keys

Run = Callable[..., Result]


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Run:
    environment = store.environment | {"AUDIT_WEBUI_TRAIL_FILE": str(tmp_path / "trail.log")}

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli.cli, ["keys", *arguments], env=environment)

    return invoke


def test_a_key_is_made_shown_once_listed_and_revoked(run: Run, store: Store, tmp_path: Path) -> None:
    made = run("add", "nightly report", "--role", "auditor", "--tenant", TEST, "--days", "30")
    assert made.exit_code == 0, made.output
    key_id, text = made.stdout.partition(":")[0], made.stdout.split()[-1]
    keys = make_keys(connect(store.settings), store.prefix, _utc_now)
    assert keys.open(text)
    listed = run("list").stdout
    assert listed.split("\t")[:4] == [key_id, "nightly report", "auditor", TEST]
    assert text not in listed
    assert run("revoke", key_id).stdout == f"{key_id}: revoked\n"
    assert keys.open(text) is None
    assert "revoked" in run("list").stdout
    lines = [orjson.loads(line) for line in (tmp_path / "trail.log").read_bytes().splitlines()]
    assert [line["Action"] for line in lines] == ["configured", "configured"]
    assert {line["EntityId"] for line in lines} == {key_id}
    assert text not in str(lines)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("add", "a/b", "--role", "viewer", "--tenant", TEST), "NAME"),
        (("add", "a", "--role", "viewer", "--tenant", "nosuch"), "--tenant"),
        (("add", "a", "--role", "viewer", "--tenant", "*"), "--tenant"),
        (("add", "a", "--role", "viewer", "--tenant", TEST, "--days", "366"), "--days"),
        (("revoke", "nosuch"), "ID"),
    ],
    ids=["name", "tenant", "every tenant", "days", "id"],
)
def test_a_wrong_argument_is_named(run: Run, arguments: tuple[str, ...], named: str) -> None:
    run("add", "first", "--role", "viewer", "--tenant", TEST)
    answer = run(*arguments)
    assert answer.exit_code == 2
    assert named in answer.stderr
