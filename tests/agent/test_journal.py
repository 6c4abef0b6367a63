"""What the agent tells of itself: on disk before it is shipped, whatever the disk does."""

import resource
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from agent.journal import FOLDER, KEPT_DAYS, Journal


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Journal:
    return Journal(tmp_path, clock)


def lines(folder: Path) -> list[str]:
    """The sentences on disk, oldest first."""
    return [
        orjson.loads(line)["Message"]
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_bytes().split(b"\n")
        if line.startswith(b"{") and line.endswith(b"}")
    ]


def test_64_what_finds_no_place_on_disk_is_kept_and_written_later(
    tmp_path: Path, journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    journal.tell("lost", "one", {})
    journal.tell("lost", "two", {})
    assert str(tmp_path / FOLDER) in journal.problem
    assert capsys.readouterr().out.count("journal_not_written") == 1
    (tmp_path / FOLDER).unlink()
    journal.write()
    assert lines(tmp_path / FOLDER) == ["one", "two"]
    assert journal.problem == ""


def test_half_a_line_of_a_crash_swallows_none(tmp_path: Path, journal: Journal) -> None:
    journal.tell("lost", "one", {})
    [path] = (tmp_path / FOLDER).iterdir()
    path.write_bytes(path.read_bytes() + b'{"@t":"2026')
    journal.tell("lost", "two", {})
    assert lines(tmp_path / FOLDER) == ["one", "two"]


def test_what_a_full_disk_took_half_of_stands_there_once(tmp_path: Path, journal: Journal) -> None:
    journal.tell("lost", "one", {})
    [path] = (tmp_path / FOLDER).iterdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room_bytes in (10, 0, path.stat().st_size + 50):
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room_bytes, hard))
        journal.tell("lost", "more", {})
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert journal.problem
    journal.write()
    assert path.read_bytes().count(b"\n") == 4
    assert lines(tmp_path / FOLDER) == ["one", "more", "more", "more"]


def test_a_day_has_a_file_and_old_ones_go(tmp_path: Path, journal: Journal, clock: Clock) -> None:
    for _ in range(KEPT_DAYS + 5):
        journal.tell("lost", f"{clock.now:%m-%d}", {})
        clock.now += timedelta(days=1)
    names = sorted(path.name for path in (tmp_path / FOLDER).iterdir())
    assert len(names) == KEPT_DAYS + 1
    assert names[-1] == f"agent-{clock.now - timedelta(days=1):%Y%m%d}.jsonl"


def test_a_folder_that_was_deleted_is_made_again(tmp_path: Path, journal: Journal) -> None:
    journal.tell("lost", "one", {})
    shutil.rmtree(tmp_path / FOLDER)
    journal.tell("lost", "two", {})
    assert lines(tmp_path / FOLDER) == ["two"]
