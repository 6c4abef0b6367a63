"""Nobody waits for somebody else's backlog, nor for a partition that takes nothing."""

import os
from pathlib import Path

import pytest

from agent.sources.stream import CHUNK_BYTES
from agent.sources.tail import TURN_CHUNKS
from tests.support.tailing import Reading, append, line, lines, numbers

BACKLOG_COUNT = 4 * TURN_CHUNKS * CHUNK_BYTES // len(line(100_000))


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    for age in (3, 2):
        old = tmp_path / f"old-{age}.clef"
        append(old, lines(age * 1_000_000, BACKLOG_COUNT))
        os.utime(old, (1_000_000_000 - age, 1_000_000_000 - age))
    append(tmp_path / "today.clef", lines(0, 3))
    return Reading(tmp_path)


def read_until(reading: Reading, number: int) -> int:
    """How many chunks are read until the one with this number comes."""
    reading.tail.look(reading.now)
    for count in range(1, 1000):
        reading.tail.poll(reading.now)
        chunk = reading.tail.read(reading.now)
        assert chunk is not None
        if number in numbers([record for _, record in chunk.records]):
            return count
    raise AssertionError("it never came")


def test_72_todays_file_does_not_wait_for_the_backlog(reading: Reading) -> None:
    assert read_until(reading, 0) == TURN_CHUNKS + 1


def test_72_nor_does_what_is_written_to_it_meanwhile(reading: Reading, tmp_path: Path) -> None:
    read_until(reading, 0)
    for number in range(3, 6):
        append(tmp_path / "today.clef", line(number))
        assert read_until(reading, number) <= TURN_CHUNKS + 1


def test_72_the_backlog_is_read_whole_and_each_file_in_its_order(reading: Reading) -> None:
    read = numbers(reading.poll())
    for age in (3, 2):
        first = age * 1_000_000
        assert [number for number in read if first <= number < first + 1_000_000] == list(
            range(first, first + BACKLOG_COUNT)
        )


def test_72_small_files_are_read_in_the_order_of_their_age(tmp_path: Path) -> None:
    for age in range(6):
        path = tmp_path / f"{age}.clef"
        append(path, line(9 - age))
        os.utime(path, (1_000_000_000 - age, 1_000_000_000 - age))
    assert numbers(Reading(tmp_path).poll()) == [4, 5, 6, 7, 8, 9]


def test_55_a_stream_that_waits_for_a_partition_is_left_and_the_others_are_read(tmp_path: Path) -> None:
    append(tmp_path / "a.clef", line(0))
    append(tmp_path / "b.clef", line(1))
    reading = Reading(tmp_path)
    reading.poll()
    stuck = next(stream for stream in reading.tail.streams if stream.path.endswith("a.clef"))
    stuck.waits_for = "smartwms-audit-business-2026.11.23"
    append(tmp_path / "a.clef", line(2))
    append(tmp_path / "b.clef", line(3))
    assert numbers(reading.poll()) == [3]
    assert not reading.tail.is_at_end
    stuck.waits_for = ""
    assert numbers(reading.poll()) == [2]
