"""Every REST call that the programs make is one that their role of deploy/opensearch allows.

The programs run here as they are, on a live store, and each call is noted on its way out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main as agent
from indexer.cli import main as indexer
from indexer.client import Client
from tests.support import events
from tests.support.events import NORD
from tests.support.privileges import Spy, refused
from tests.support.shipping import CHANGES_LOGGED, Writer
from tests.support.store import Store


@pytest.fixture
def run(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)

    def invoke(command: object, *arguments: str) -> Result:
        result = CliRunner().invoke(command, arguments)  # type: ignore[arg-type]
        assert result.exit_code in {0, 1}, result.output
        return result

    invoke(indexer, "apply")
    return invoke


@contextmanager
def watched(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spy]:
    spy = Spy(store.prefix)
    with monkeypatch.context() as patch:
        patch.setattr(Client, "send", spy.wrapped(Client.send))
        yield spy


def test_agent_retention_and_verify_ask_for_nothing_that_their_roles_lack(
    store: Store, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    config = tmp_path / "agent.toml"
    config.write_text(CHANGES_LOGGED)
    (tmp_path / "logs" / "app.clef").write_bytes(Writer().lines(20))
    with watched(store, monkeypatch) as spy:
        run(agent, "run", "--once", "--config", str(config))
    assert refused(spy, "audit-agent") == []
    assert any(need.index == "smartwms-seals" for need in spy.needs)

    with watched(store, monkeypatch) as spy:
        run(indexer, "verify", "--no-record")
    assert refused(spy, "audit-verify") == []

    run(indexer, "tenants", "set", NORD, "--name", "Nord", "--plan", "enterprise", "--zone", "UTC",
        "--hours", "07:00-18:00")  # fmt: skip
    client = Client(store.settings)
    old = {"tenant.class": "starter", "@timestamp": "2026-10-01T06:00:00.0000000Z"}
    over = [events.document(1, old), events.document(2, {**old, "tenant.id": NORD})]
    events.load(client, store.prefix, over)
    client.close()
    with watched(store, monkeypatch) as spy:
        run(indexer, "verify")
        done = run(indexer, "retention", "run")
        run(indexer, "retention", "show")
    assert refused(spy, "audit-retention") == []
    assert any(need.action == "indices:data/write/reindex" for need in spy.needs), done.output
    assert any(need.action == "indices:admin/delete" for need in spy.needs), done.output
