"""What the tail cannot know. Each is a known limit of `docs/tailing.md`, and fails when it is one no more."""

from pathlib import Path

from tests.support.tailing import Reading, append, line, lines, numbers


def test_what_is_changed_before_the_position_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 2000))
    reading = Reading(tmp_path)
    reading.poll()
    with path.open("r+b") as file:
        file.seek(len(lines(0, 100)))
        file.write(line(100, "y"))
    append(path, line(2000))
    assert numbers(reading.poll()) == [2000]


def test_a_file_that_is_replaced_by_the_same_bytes_is_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 3))
    reading = Reading(tmp_path)
    assert numbers(reading.poll()) == [0, 1, 2]
    path.unlink()
    append(path, lines(0, 3))
    assert reading.poll() == []


def test_a_file_without_a_complete_line_is_none_yet(tmp_path: Path) -> None:
    append(tmp_path / "a.clef", b'{"@t":"2026-11-23T06:26:35.3631115Z"')
    reading = Reading(tmp_path)
    assert reading.poll(after_secs=3600) == []
    assert reading.tail.streams == []


def test_a_hard_link_is_the_same_file(tmp_path: Path) -> None:
    append(tmp_path / "a.clef", lines(0, 3))
    (tmp_path / "b.clef").hardlink_to(tmp_path / "a.clef")
    assert numbers(Reading(tmp_path).poll()) == [0, 1, 2]
