"""What cannot be read, or went before it could be, is counted and told."""

import errno
import gzip
import io
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.sources import fingerprint, stream
from agent.sources.fingerprint import Readable
from agent.sources.tail import GONE_SECS
from agent.sources.unbound import OPEN_MAX
from tests.support.read_only import as_nobody
from tests.support.tailing import Reading, append, line, numbers


def test_28_a_file_that_may_not_be_read_is_told_once_and_read_when_it_may(open_folder: Path) -> None:
    path = open_folder / "a.clef"
    append(path, line(0))
    path.chmod(0)
    reading = Reading(open_folder)
    with as_nobody(), capture_logs() as told:
        assert reading.poll() == []
        assert reading.poll() == []
    assert list(reading.tail.troubles.unreadable) == [str(path)]
    assert [line["event"] for line in told].count("unreadable") == 1
    path.chmod(0o644)
    with as_nobody():
        assert numbers(reading.poll()) == [0]
    assert reading.tail.troubles.unreadable == {}


def test_28_a_stream_whose_file_is_closed_to_us_goes_on_where_it_was(open_folder: Path) -> None:
    path = open_folder / "a.clef"
    append(path, line(0))
    path.chmod(0o644)
    reading = Reading(open_folder)
    reading.poll()
    reading.tail.streams[0].close()
    append(path, line(1))
    path.chmod(0)
    with as_nobody():
        assert reading.poll() == []
        assert list(reading.tail.troubles.unreadable) == [str(path)]
    path.chmod(0o644)
    with as_nobody():
        assert numbers(reading.poll()) == [1]
        assert reading.tail.troubles.unreadable == {}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Inodes whose bytes cannot be had for the moment."""
    inodes: set[int] = set()

    def read_at(file: Readable, position: int, count: int) -> bytes:
        if isinstance(file, io.FileIO) and os.fstat(file.fileno()).st_ino in inodes:
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(file, position, count)

    real = fingerprint.read_at
    for module in (fingerprint, stream):
        monkeypatch.setattr(module, "read_at", read_at)
    return inodes


class TestAFileThatCannotBeReadAnyMore:
    """A stale handle of NFS, a bad sector."""

    def test_stops_no_other_and_is_read_on_when_it_can(self, tmp_path: Path, broken: set[int]) -> None:
        bad, good = tmp_path / "a.clef", tmp_path / "b.clef"
        append(bad, line(0))
        reading = Reading(tmp_path)
        reading.poll()
        broken.add(bad.stat().st_ino)
        append(bad, line(1))
        # It begins as the other one does: the two have to be compared.
        append(good, line(0) + line(2))
        for _ in range(8):
            reading.poll(1.0)
        append(good, line(3))
        assert numbers(reading.poll()) == [3]
        assert reading.tail.troubles.unreadable == {str(bad): f"[Errno {errno.ESTALE}] Stale file handle"}
        broken.clear()
        assert numbers(reading.poll()) == [1]
        reading.poll()
        assert reading.tail.troubles.unreadable == {}
        assert reading.tail.troubles.lost_files == 0

    def test_is_waited_for_before_it_was_ever_read(self, tmp_path: Path, broken: set[int]) -> None:
        bad = tmp_path / "a.clef"
        append(bad, line(0))
        append(tmp_path / "b.clef", line(1))
        broken.add(bad.stat().st_ino)
        reading = Reading(tmp_path)
        assert numbers(reading.poll()) == [1]
        assert list(reading.tail.troubles.unreadable) == [str(bad)]
        broken.clear()
        assert numbers(reading.poll()) == [0]
        assert reading.tail.troubles.unreadable == {}

    def test_is_counted_when_it_is_deleted(self, tmp_path: Path, broken: set[int]) -> None:
        bad = tmp_path / "a.clef"
        append(bad, line(0))
        reading = Reading(tmp_path)
        reading.poll()
        append(bad, line(1))
        broken.add(bad.stat().st_ino)
        bad.unlink()
        for _ in range(8):
            assert reading.poll(1.0) == []
        assert (reading.tail.troubles.lost_files, reading.tail.troubles.lost_bytes) == (1, len(line(1)))
        assert reading.tail.streams == []


class TestDeletedBeforeItWasEverOpened:
    """Nobody can read it any more; somebody must know."""

    def test_26_what_was_closed_to_us_is_counted(self, open_folder: Path) -> None:
        path = open_folder / "a.clef"
        append(path, line(0))
        path.chmod(0)
        reading = Reading(open_folder)
        with as_nobody():
            reading.poll()
        path.unlink()
        reading.poll()
        assert reading.tail.troubles.lost_bytes == len(line(0))
        [notice] = reading.tail.troubles.notices
        assert (notice.what, notice.path, notice.facts["Bytes"]) == ("lost", str(path), len(line(0)))

    def test_26_half_a_first_line_is_counted(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        append(path, line(0)[:10])
        reading = Reading(tmp_path)
        reading.poll()
        path.unlink()
        reading.poll()
        assert reading.tail.troubles.lost_bytes == 10

    def test_26_what_was_empty_when_it_was_last_looked_at_is_counted(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        path.touch()
        reading = Reading(tmp_path)
        reading.poll()
        append(path, line(0)[:10])
        path.unlink()
        reading.poll()
        assert reading.tail.troubles.lost_bytes == 10
        assert reading.tail.troubles.lost_files == 1

    def test_26_an_archive_that_went_is_counted_and_not_read_as_a_log(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        path.touch()
        reading = Reading(tmp_path)
        reading.poll()
        data = gzip.compress(line(0)) + b"\n"
        append(path, data)
        path.unlink()
        assert reading.poll() == []
        assert reading.tail.troubles.lost_bytes == len(data)

    def test_26_an_empty_file_that_goes_is_no_loss(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        path.touch()
        reading = Reading(tmp_path)
        reading.poll()
        path.unlink()
        reading.poll()
        assert reading.tail.troubles.notices == []

    def test_26_lines_that_were_written_after_the_last_look_at_it_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        path.touch()
        reading = Reading(tmp_path)
        reading.poll()
        append(path, line(0) + line(1) + b"half")
        path.unlink()
        assert numbers(reading.poll()) == [0, 1]
        assert reading.poll(GONE_SECS + 1.0) == [b"half"]
        assert reading.tail.troubles.notices == []
        assert reading.tail.streams == []

    @pytest.mark.parametrize("count", [1, OPEN_MAX + 2], ids=["one", "more than stay open"])
    def test_26_half_first_lines_of_many_files_are_counted(self, tmp_path: Path, count: int) -> None:
        reading = Reading(tmp_path)
        paths = [tmp_path / f"{number}.clef" for number in range(count)]
        for path in paths:
            append(path, b"half a line")
        reading.poll()
        reading.poll()
        for path in paths:
            path.unlink()
        reading.poll()
        assert (reading.tail.troubles.lost_files, reading.tail.troubles.lost_bytes) == (count, 11 * count)

    def test_26_what_came_and_went_between_two_looks_is_told(self, tmp_path: Path) -> None:
        reading = Reading(tmp_path)
        reading.poll()
        gone = str(tmp_path / "a.clef")
        reading.tail.announce([("", gone), (gone, "")])
        reading.poll()
        assert [notice.path for notice in reading.tail.troubles.notices] == [gone]
        assert reading.tail.troubles.lost_files == 1

    def test_26_what_was_read_before_it_went_is_not(self, tmp_path: Path) -> None:
        path = tmp_path / "a.clef"
        append(path, line(0))
        reading = Reading(tmp_path)
        reading.poll()
        path.unlink()
        reading.tail.announce([("", str(path)), (str(path), "")])
        reading.poll()
        assert reading.tail.troubles.notices == []

    def test_26_nor_what_was_renamed_or_is_no_log_of_ours(self, tmp_path: Path) -> None:
        reading = Reading(tmp_path)
        before, after, other = tmp_path / "a.clef", tmp_path / "b.clef", tmp_path / "x.tmp"
        append(after, line(0))
        reading.tail.announce([("", str(before)), (str(before), str(after)), ("", str(other))])
        assert numbers(reading.poll()) == [0]
        assert reading.tail.troubles.notices == []


def test_16_deleted_and_recreated_with_the_same_inode(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0))
    reading = Reading(tmp_path)
    reading.poll()
    reading.finish()
    [stream] = reading.tail.streams
    stream.close()
    inode = path.stat().st_ino
    # A file system gives the inode away at once, or later: overwritten in place it is the same for certain.
    path.write_bytes(line(10) + line(11))
    assert path.stat().st_ino == inode
    assert numbers(reading.poll() + reading.poll()) == [10, 11]
    identities = {each.head.identity for each in reading.tail.streams}
    assert stream.head.identity not in identities or len(identities) == 2


def test_16_recreated_while_down_with_the_inode_of_a_file_that_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0) + line(1))
    first = Reading(tmp_path)
    first.poll()
    first.finish()
    path.write_bytes(line(10) + line(11) + line(12))
    assert numbers(first.restarted().poll()) == [10, 11, 12]
