"""JSON with 200 that is not the store's: something stands in for it for a moment, and delivery goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent import plans
from indexer import indices, tenants
from indexer.client import Client
from indexer.errors import GarbledError
from tests.support.fake_store import FakeStore
from tests.support.running import running
from tests.support.shipping import Writer
from tests.support.tailing import append

ODD = {
    "an object": b'{"status":"maintenance"}',
    "a list": b"[]",
    "null": b"null",
    "an empty document": b'{"_source":{},"_seq_no":0,"_primary_term":1}',
    "a list of classes": b'{"_source":{"classes":[],"revisions":{}},"_seq_no":0,"_primary_term":1}',
    "html": b"<html>",
}
odd = pytest.mark.parametrize("answer", ODD.values(), ids=ODD)


def answers(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch, to: Callable[[str], bool], answer: bytes
) -> None:
    """Let every GET of these paths be answered so."""
    get = fake.get
    monkeypatch.setattr(fake, "get", lambda path: (200, answer) if to(path) else get(path))


def is_directory(path: str) -> bool:
    return path.endswith("/_doc/directory")


@odd
def test_to_a_read_of_the_tenants_is_asked_again(
    tmp_path: Path, fake: FakeStore, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(plans, "TENANTS_SECS", 0.05)
    monkeypatch.setattr(plans, "TENANTS_RETRY_SECS", 0.05)
    with running(tmp_path, fake) as agent:
        copy = agent.agent._tenants
        agent.until(lambda: copy.current)
        with monkeypatch.context() as patched:
            answers(fake, patched, is_directory, answer)
            agent.until(lambda: copy.problem)
        agent.until(lambda: copy.problem is None)


def test_an_error_that_nobody_foresaw_does_not_end_the_reading_of_the_tenants(
    tmp_path: Path, fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "TENANTS_SECS", 0.05)
    monkeypatch.setattr(plans, "TENANTS_RETRY_SECS", 0.05)

    def failing(*_: object, **__: object) -> None:
        raise KeyError("plans")

    with running(tmp_path, fake) as agent:
        copy = agent.agent._tenants
        agent.until(lambda: copy.current)
        with monkeypatch.context() as patched:
            patched.setattr(tenants, "load", failing)
            agent.until(lambda: copy.problem)
            assert str(copy.problem) == "KeyError: 'plans'"
        agent.until(lambda: copy.problem is None)


@odd
def test_to_a_look_at_a_partition_is_asked_again(
    tmp_path: Path, fake: FakeStore, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    with running(tmp_path, fake) as agent:
        with monkeypatch.context() as patched:
            patched.setattr(indices, "create", lambda *_, **__: False)
            answers(fake, patched, lambda path: "-audit-" in path, answer)
            append(agent.logs / "a.clef", Writer().lines(2))
            agent.until(lambda: agent.agent.counts.retried)
        agent.until(lambda: agent.stored() == 2)


@odd
def test_is_never_taken_for_the_tenants(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    answers(fake, monkeypatch, is_directory, answer)
    client = Client(fake.settings)
    with pytest.raises(GarbledError):
        tenants.recorded_classes(client, "smartwms")
    client.close()


def test_of_an_empty_list_of_indices_is_garbled_where_one_was_named(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(fake, monkeypatch, lambda _: True, b"{}")
    client = Client(fake.settings)
    assert indices.look(client, "smartwms-audit-*") == []
    with pytest.raises(GarbledError, match="which is none"):
        indices.look(client, "smartwms-audit-starter-2026.11.23")
    client.close()
