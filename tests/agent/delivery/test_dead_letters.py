"""Rejected events: on disk before their position moves, each once, whatever breaks in between."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from agent.delivery.batches import Stored
from agent.delivery.dead_letters import DeadLetter, DeadLetters
from agent.delivery.replay import replay
from indexer import partitions
from indexer.client import Client
from tests.support.events import document
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


def test_replayed_after_a_fix_are_stored_each_once(store: Store, letters: DeadLetters) -> None:
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
        first = replay(letters, client, took)
        assert (first.stored, first.duplicate, first.rejected, first.waiting) == (3, 0, 1, 0)
        assert [each.id for each in letters.read()] == ["bad"]
        letters.bury(
            [
                DeadLetter(
                    good[0]["event"]["id"], partition, "again", "2026-11-23T06:00:00Z", orjson.dumps(good[0])
                )
            ]
        )
        assert replay(letters, client, took).duplicate == 1
        assert told == [(3, False), (1, True)]
    finally:
        client.close()
