"""Files that grow: every line once, whole, with its position."""

import os
from pathlib import Path

from agent.sources.stream import CONTEXT_BYTES
from tests.support.scale import SCALE
from tests.support.tailing import Reading, append, line, lines, numbers

TEXT = b"2026-11-23 06:26:35.363 +00:00 [INF] %s {}\n"


def test_what_is_there_is_read_at_the_first_poll(tmp_path: Path) -> None:
    (tmp_path / "a.clef").write_bytes(lines(0, 3))
    assert numbers(Reading(tmp_path).poll()) == [0, 1, 2]


def test_20_one_short_line_is_read_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.clef").write_bytes(b"{}\n")
    assert Reading(tmp_path).poll() == [b"{}"]


def test_what_is_appended_is_read_by_the_next_poll(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 3))
    reading = Reading(tmp_path)
    reading.poll()
    append(path, lines(3, 2))
    assert numbers(reading.poll()) == [3, 4]
    assert reading.poll() == []


def test_a_record_comes_with_the_position_of_its_first_byte(tmp_path: Path) -> None:
    data = line(0) + b"\n\n" + line(1)
    (tmp_path / "a.clef").write_bytes(data)
    reading = Reading(tmp_path)
    reading.poll()
    assert [position for position, _ in reading.chunks[0].records] == [0, data.index(line(1))]


def test_a_file_larger_than_a_chunk_is_read_whole(tmp_path: Path) -> None:
    count = 20_000
    (tmp_path / "a.clef").write_bytes(lines(0, count))
    reading = Reading(tmp_path)
    assert numbers(reading.poll()) == list(range(count))
    assert len(reading.chunks) > 1


def test_files_are_read_oldest_change_first(tmp_path: Path) -> None:
    for number, name in enumerate(["c.clef", "a.clef", "b.clef"]):
        (tmp_path / name).write_bytes(line(number))
        os.utime(tmp_path / name, (number, number))
    assert numbers(Reading(tmp_path).poll()) == [0, 1, 2]


def test_31_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0) + line(1)[:10])
    reading = Reading(tmp_path)
    assert numbers(reading.poll()) == [0]
    assert reading.poll(after_secs=600) == []
    append(path, line(1)[10:])
    assert numbers(reading.poll()) == [1]


def test_31_a_line_waits_for_its_end_across_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0) + line(1)[:10])
    first = Reading(tmp_path)
    first.poll()
    first.finish()
    second = first.restarted()
    assert second.poll() == []
    append(path, line(1)[10:])
    assert numbers(second.poll()) == [1]


def test_32_writes_split_inside_characters_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    whole = '{"n":"größer"}\r\n{"n":"ł"}\r\n'.encode()
    reading = Reading(tmp_path)
    read: list[bytes] = []
    for at in range(len(whole)):
        append(path, whole[at : at + 1])
        read += reading.poll()
    assert read == ['{"n":"größer"}'.encode(), '{"n":"ł"}'.encode()]


def test_34_a_last_record_of_text_is_read_after_quiet(tmp_path: Path) -> None:
    append(tmp_path / "a.log", TEXT % b"failed" + b"System.Exception: x\n\n   at Y\n")
    reading = Reading(tmp_path, "*.log", "serilog-text")
    assert reading.poll() == []
    assert reading.poll(after_secs=0.4) == []
    assert len(reading.poll(after_secs=0.2)) == 1


def test_a_record_of_text_is_not_ended_by_quiet_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    append(path, TEXT % b"failed" + b"System.Exception: x\n   at ")
    reading = Reading(tmp_path, "*.log", "serilog-text")
    assert reading.poll() == []
    assert reading.poll(after_secs=60) == []
    append(path, b"Y\n")
    assert reading.poll() == []
    [record] = reading.poll(after_secs=1)
    assert record.endswith(b"   at Y")


def test_33_a_record_of_text_that_was_not_final_is_whole_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    append(path, TEXT % b"one" + TEXT % b"two" + b"System.Exception: x\n")
    first = Reading(tmp_path, "*.log", "serilog-text")
    assert len(first.poll()) == 1
    first.finish()
    second = first.restarted()
    append(path, b"   at Y\n" + TEXT % b"three")
    [record] = second.poll()
    assert record.endswith(b"System.Exception: x\n   at Y")


def test_40_empty_lines_move_the_position_and_are_no_records(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0) + b"\n\r\n\n")
    reading = Reading(tmp_path)
    assert numbers(reading.poll()) == [0]
    reading.finish()
    assert reading.tail.entries()[0].position == path.stat().st_size


class TestPosition:
    """It stands at the end of the leading stretches that are final."""

    def test_stays_while_a_record_is_open(self, tmp_path: Path) -> None:
        (tmp_path / "a.clef").write_bytes(lines(0, 3))
        reading = Reading(tmp_path)
        reading.poll()
        reading.tail.settle()
        assert reading.tail.entries()[0].position == 0

    def test_does_not_pass_an_open_stretch_when_a_later_one_is_final(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        reading = Reading(tmp_path)
        for number in range(3):
            append(path, line(number))
            reading.poll()
        reading.chunks[1].span.open_count = 0
        reading.chunks[2].span.open_count = 0
        assert not reading.tail.settle()
        reading.chunks[0].span.open_count = 0
        assert reading.tail.settle()
        assert reading.tail.entries()[0].position == path.stat().st_size

    def test_what_was_not_final_is_read_again(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        first = Reading(tmp_path)
        append(path, lines(0, 2))
        first.poll()
        first.finish()
        append(path, lines(2, 2))
        first.poll()
        assert numbers(first.restarted().poll()) == [2, 3]


class TestContext:
    """After a restart a bounded stretch before the position is given again, for what it tells."""

    def test_ends_at_the_position(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        first = Reading(tmp_path)
        append(path, lines(0, 5))
        first.poll()
        first.finish()
        append(path, lines(5, 5))
        second = first.restarted()
        second.tail.look(second.now)
        [stream] = second.tail.take_resumed()
        told = [record for records in stream.context() for _, record in records]
        assert numbers(told) == [0, 1, 2, 3, 4]
        assert numbers(second.poll()) == [5, 6, 7, 8, 9]

    def test_is_bounded_and_begins_with_a_whole_record(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        first = Reading(tmp_path)
        count = 0
        while not path.exists() or path.stat().st_size < 4 * CONTEXT_BYTES:
            append(path, lines(count, 500))
            count += 500
            first.poll()
            first.finish()
        second = first.restarted()
        second.tail.look(second.now)
        [stream] = second.tail.take_resumed()
        told = [record for records in stream.context() for _, record in records]
        assert numbers(told) == list(range(numbers(told)[0], count))
        assert CONTEXT_BYTES <= sum(map(len, told)) + len(told) < 2 * CONTEXT_BYTES


def test_29_more_files_than_may_be_open(tmp_path: Path) -> None:
    count = 150 * SCALE
    reading = Reading(tmp_path)
    for number in range(count):
        append(tmp_path / f"{number:05}.clef", line(number))
    assert sorted(numbers(reading.poll())) == list(range(count))
    reading.poll()
    assert sum(stream.is_open for stream in reading.tail.streams) <= 64
    for number in range(count):
        append(tmp_path / f"{number:05}.clef", line(count + number))
    assert sorted(numbers(reading.poll())) == list(range(count, 2 * count))


def test_36_megabytes_without_a_line_end_are_one_cut_record_and_spoil_no_neighbour(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    reading = Reading(tmp_path)
    append(path, line(0))
    read = reading.poll()
    for _ in range(5 * SCALE):
        append(path, b"x" * 1024 * 1024)
        read += reading.poll()
    append(path, b"\n" + line(1))
    read += reading.poll()
    assert [len(record) for record in read] == [len(line(0)) - 1, 1024 * 1024, len(line(1)) - 1]
    assert numbers([read[0], read[2]]) == [0, 1]
    reading.finish()
    assert reading.tail.entries()[0].position == path.stat().st_size


class TestEnding:
    """A run that follows nothing reads to the ends that it found."""

    def test_leaves_what_is_written_later(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        append(path, lines(0, 3))
        reading = Reading(tmp_path)
        reading.tail.look(reading.now)
        reading.tail.stop_at_present_ends()
        append(path, lines(3, 3))
        assert numbers(reading.poll()) == [0, 1, 2]
        assert reading.tail.is_at_end

    def test_waits_for_the_quiet_that_ends_a_record_of_text(self, tmp_path: Path) -> None:
        append(tmp_path / "a.log", TEXT % b"one")
        reading = Reading(tmp_path, "*.log", "serilog-text")
        reading.tail.look(reading.now)
        reading.tail.stop_at_present_ends()
        assert reading.poll() == []
        assert not reading.tail.is_at_end
        assert len(reading.poll(after_secs=1)) == 1
        reading.poll()
        assert reading.tail.is_at_end
