"""Rejected events: on disk before their position moves, each once, whatever breaks in between."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from agent.delivery.batches import Stored
from agent.delivery.dead_letters import DeadLetter, DeadLetters
from agent.delivery.replay import replay
from indexer import partitions
from indexer.classes import DEFAULTS
from indexer.client import Client
from indexer.plans import Tenant
from tests.support.events import TEST, document
from tests.support.fake_store import FakeStore
from tests.support.read_only import NOBODY, as_nobody
from tests.support.shipping import prepare
from tests.support.store import Store


def letter(number: int, body: bytes = b'{"message":"x"}') -> DeadLetter:
    return DeadLetter(
        f"id-{number}", "smartwms-audit-business-2026.11.23", "400: no", "2026-11-23T06:00:00Z", body
    )


@pytest.fixture
def letters(tmp_path: Path) -> DeadLetters:
    return DeadLetters(tmp_path / "dead-letters.jsonl")


def test_come_back_as_they_were_written(letters: DeadLetters) -> None:
    letters.bury([letter(1), letter(2)])
    assert list(letters.read()) == [letter(1), letter(2)]


def test_are_written_once_also_by_the_next_process(letters: DeadLetters) -> None:
    letters.bury([letter(1)])
    letters.bury([letter(1), letter(2)])
    DeadLetters(letters.path).bury([letter(1), letter(2), letter(3)])
    assert [each.id for each in letters.read()] == ["id-1", "id-2", "id-3"]


def test_half_a_line_of_a_crash_is_none_and_spoils_none(letters: DeadLetters) -> None:
    letters.bury([letter(1), letter(2)])
    whole = letters.path.read_bytes()
    letters.path.write_bytes(whole[:-10])
    again = DeadLetters(letters.path)
    assert [each.id for each in again.read()] == ["id-1"]
    again.bury([letter(2)])
    assert letters.path.read_bytes() == whole


def test_what_was_removed_meanwhile_may_be_buried_again(letters: DeadLetters) -> None:
    letters.bury([letter(1), letter(2)])
    DeadLetters(letters.path).remove({"id-1"})
    letters.bury([letter(1)])
    assert [each.id for each in letters.read()] == ["id-2", "id-1"]


@pytest.mark.parametrize("damage", [b"\0" * 64 + b"\n", b"{}\n", b"\n", b"[]\n", b'{"id":"id-9"}\n'])
def test_a_damaged_line_is_set_aside_and_spoils_none(letters: DeadLetters, damage: bytes) -> None:
    letters.bury([letter(1)])
    with letters.path.open("ab") as file:
        file.write(damage)
    assert [each.id for each in letters.read()] == ["id-1"]
    with capture_logs() as said:
        DeadLetters(letters.path).bury([letter(1), letter(2)])
        letters.remove({"id-1"})
    assert [each.id for each in letters.read()] == ["id-2"]
    assert letters.damaged_path.read_bytes() == damage
    assert [each["event"] for each in said] == ["dead_letters_damaged"]


def test_a_damaged_line_is_set_aside_by_a_replay_too(letters: DeadLetters) -> None:
    letters.bury([letter(1), letter(2)])
    letters.path.write_bytes(b"\n" + letters.path.read_bytes())
    letters.remove({"id-1"})
    assert [each.id for each in letters.read()] == ["id-2"]
    assert letters.damaged_path.read_bytes() == b"\n"


def test_a_replay_by_root_leaves_them_to_the_agent(open_folder: Path) -> None:
    if not os.geteuid():
        os.chown(open_folder, NOBODY, NOBODY)
    path = open_folder / "dead-letters.jsonl"
    with as_nobody():
        DeadLetters(path).bury([letter(1), letter(2)])
        path.chmod(0o640)
    before = path.stat()
    DeadLetters(path).remove({"id-1"})
    after = path.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    with as_nobody():
        DeadLetters(path).bury([letter(3)])
    assert [each.id for each in DeadLetters(path).read()] == ["id-2", "id-3"]


def test_of_a_tenant_that_was_erased_meanwhile_are_not_replayed(
    letters: DeadLetters, fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    erased = Tenant(TEST, "Test", "UTC", "00:00-24:00", (), 2, now - timedelta(days=3))
    sources = {
        "directory": {"classes": DEFAULTS.to_source(), "revisions": {TEST: 2}},
        TEST: erased.to_source(now),
    }

    def get(path: str) -> tuple[int, bytes]:
        source = sources[path.rpartition("/")[2]]
        return 200, orjson.dumps({"_source": source, "_seq_no": 0, "_primary_term": 1})

    monkeypatch.setattr(fake, "get", get)
    letters.bury([letter(1, orjson.dumps(document(1)))])
    client = Client(fake.settings)
    replayed = replay(letters, client, "smartwms", lambda _documents, *, seen: None)  # noqa: ARG005
    client.close()
    assert (replayed.expired, replayed.stored, replayed.waiting) == (1, 0, 0)
    assert fake.documents == {}
    assert list(letters.read()) == []


def test_replayed_after_a_fix_are_stored_each_once(store: Store, letters: DeadLetters) -> None:
    prepare(store)
    partition = partitions.partition_name(store.prefix, "business", "2026-11-23", partitions.DAY)
    good = [document(number) for number in range(3)]
    bad = orjson.dumps({**document(9), "no_such_field": 1})
    letters.bury(
        DeadLetter(
            each["event"]["id"], partition, "400: the mapping", "2026-11-23T06:00:00Z", orjson.dumps(each)
        )
        for each in good
    )
    letters.bury([DeadLetter("bad", partition, "400: strict", "2026-11-23T06:00:00Z", bad)])
    told: list[tuple[int, bool]] = []

    def took(documents: Sequence[Stored], *, seen: bool) -> None:
        told.extend([(len(documents), seen)] if documents else [])

    client = Client(store.settings)
    try:
        first = replay(letters, client, store.prefix, took)
        assert (first.stored, first.duplicate, first.rejected, first.waiting) == (3, 0, 1, 0)
        assert [each.id for each in letters.read()] == ["bad"]
        letters.bury(
            [
                DeadLetter(
                    good[0]["event"]["id"], partition, "again", "2026-11-23T06:00:00Z", orjson.dumps(good[0])
                )
            ]
        )
        assert replay(letters, client, store.prefix, took).duplicate == 1
        assert told == [(3, False), (1, True)]
    finally:
        client.close()
