"""A log that was compressed is the same log: what was read of it is not read again, the rest is."""

import gzip
import os
import shutil
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources import archive
from agent.sources.archive import CUT_SECS, OPEN_MAX, PIECE_BYTES, Archive
from agent.sources.fingerprint import read_at
from agent.sources.tail import GONE_SECS
from tests.support.tailing import Reading, append, line, lines, numbers


def pack(path: Path, keep: int | None = None) -> bytes:
    """Compress beside, as logrotate does, but only the first `keep` bytes of the outcome; all of it."""
    packed = gzip.compress(path.read_bytes())
    path.with_suffix(".clef.gz").write_bytes(packed[:keep])
    return packed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.clef"
    append(path, lines(0, 3))
    return path


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(tmp_path, "*.clef*")


def test_23_the_archive_of_a_shipped_file_is_nothing_new(path: Path, reading: Reading) -> None:
    reading.poll()
    pack(path)
    assert reading.poll() == []
    path.unlink()
    assert reading.poll(after_secs=1) == []
    assert reading.poll(after_secs=GONE_SECS + 1) == []
    assert reading.tail.troubles.lost_bytes == 0


def test_23_nor_is_it_after_a_restart(path: Path, reading: Reading) -> None:
    reading.poll()
    reading.finish()
    pack(path)
    path.unlink()
    assert reading.restarted().poll() == []


def test_23_the_tail_that_was_not_read_before_it_was_compressed_is_read(path: Path, reading: Reading) -> None:
    reading.poll()
    reading.finish()
    append(path, lines(3, 4))
    pack(path)
    path.unlink()
    assert numbers(reading.restarted().poll()) == [3, 4, 5, 6]


def test_23_an_archive_that_was_never_read_as_a_file_is_read_at_the_same_positions(
    path: Path, reading: Reading, tmp_path: Path
) -> None:
    plain = Reading(tmp_path, "a.clef")
    plain.poll()
    pack(path)
    path.unlink()
    assert numbers(reading.poll()) == [0, 1, 2]
    [of_archive], [of_file] = reading.chunks, plain.chunks
    assert of_archive.records == of_file.records
    assert of_archive.stream.head.identity == of_file.stream.head.identity


def test_23_its_last_line_needs_no_end(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "b.clef.gz").write_bytes(gzip.compress(line(0) + line(1)[:-1]))
    assert numbers(reading.poll() + reading.poll()) == [0, 1]
    (tmp_path / "c.clef.gz").write_bytes(gzip.compress(line(2)[:-1]))
    assert numbers(reading.poll() + reading.poll()) == [2]


def test_23_one_that_is_larger_than_a_look_unpacks_is_read_whole(tmp_path: Path, reading: Reading) -> None:
    count = 120_000
    (tmp_path / "b.clef.gz").write_bytes(gzip.compress(lines(0, count), 1))
    read: list[bytes] = []
    for _ in range(10):
        read += reading.poll()
    assert numbers(read) == list(range(count))


def test_23_renamed_and_compressed_between_two_looks_is_no_loss(path: Path, reading: Reading) -> None:
    read = reading.poll()
    reading.finish()
    append(path, lines(3, 4))
    first, second = path.with_name("1.clef"), path.with_name("2.clef")
    path.rename(second)
    pack(second)
    second.unlink()
    # As the watch tells it.
    reading.tail.announce([
        (str(path), str(first)), (str(first), str(second)),
        ("", str(second.with_suffix(".clef.gz"))), (str(second), ""),
    ])  # fmt: skip
    read += reading.poll(after_secs=1)
    read += reading.poll(after_secs=GONE_SECS + 1)
    assert numbers(read) == list(range(7))
    assert reading.tail.troubles.notices == []


class TestHalfWritten:
    """An archive that is being written."""

    def test_24_is_waited_for(self, path: Path, reading: Reading) -> None:
        packed = pack(path, keep=-20)
        path.unlink()
        assert reading.poll() == []
        assert reading.poll(after_secs=1) == []
        path.with_suffix(".clef.gz").write_bytes(packed)
        assert numbers(reading.poll()) == [0, 1, 2]

    def test_24_is_nothing_new_when_its_file_was_shipped(self, path: Path, reading: Reading) -> None:
        reading.poll()
        packed = pack(path, keep=20)
        assert reading.poll() == []
        path.with_suffix(".clef.gz").write_bytes(packed)
        assert reading.poll() == []

    def test_24_that_is_never_completed_is_read_as_far_as_it_goes_and_said(
        self, tmp_path: Path, reading: Reading, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = lines(0, 20_000)
        packed = gzip.compress(data)
        archive = tmp_path / "b.clef.gz"
        archive.write_bytes(packed[: len(packed) // 2])
        assert reading.poll() == []
        read = reading.poll(after_secs=CUT_SECS)
        assert numbers(read[:-1]) == list(range(len(read) - 1))
        assert len(read) > 1_000
        assert "archive_damaged" in capsys.readouterr().out

    def test_24_that_is_completed_after_all_is_read_on(self, tmp_path: Path, reading: Reading) -> None:
        packed = gzip.compress(lines(0, 20_000))
        archive = tmp_path / "b.clef.gz"
        archive.write_bytes(packed[: len(packed) // 2])
        reading.poll()
        read = reading.poll(after_secs=CUT_SECS)
        archive.write_bytes(packed)
        for _ in range(3):
            read += reading.poll(after_secs=1)
        # The line that the first half cut is in two records; nothing is missing and nothing twice.
        assert b"".join(read) == lines(0, 20_000).replace(b"\n", b"")


def test_24_one_whose_checksum_is_wrong_is_read_and_said(
    tmp_path: Path, reading: Reading, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = bytearray(gzip.compress(lines(0, 5)))
    packed[-6] ^= 0xFF
    (tmp_path / "b.clef.gz").write_bytes(packed)
    assert numbers(reading.poll()) == [0, 1, 2, 3, 4]
    assert "archive_damaged" in capsys.readouterr().out
    assert reading.poll() == []
    assert "archive_damaged" not in capsys.readouterr().out


def test_24_what_only_calls_itself_an_archive_spoils_nothing(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "b.clef.gz").write_bytes(b"\x1f\x8b" + os.urandom(50))
    append(tmp_path / "a.clef", lines(0, 2))
    assert numbers(reading.poll()) == [0, 1]


class TestManyAtOnce:
    """A first start on a folder of archives: they are opened a few at a time."""

    COUNT = 4 * OPEN_MAX

    @pytest.fixture
    def archives(self, tmp_path: Path) -> list[Path]:
        paths = [tmp_path / f"{number:03}.clef.gz" for number in range(self.COUNT)]
        for number, path in enumerate(paths):
            path.write_bytes(gzip.compress(lines(10 * number, 10)))
        return paths

    @pytest.mark.usefixtures("archives")
    def test_no_more_are_opened_than_a_look_can_unpack(
        self, reading: Reading, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "LOOK_BYTES", 1000)
        read: list[int] = []
        before = open_files()
        for _ in range(3 * self.COUNT):
            reading.tail.look(reading.now)
            assert open_files() - before <= len(reading.tail.streams) + 1
            read += numbers(reading.poll())
            for stream in reading.tail.streams:
                stream.close()
        assert sorted(read) == list(range(10 * self.COUNT))

    def test_those_that_are_cut_short_are_waited_for_a_few_at_a_time(
        self, archives: list[Path], reading: Reading
    ) -> None:
        for path in archives:
            path.write_bytes(path.read_bytes()[:-8])
        before = open_files()
        read: list[int] = []
        for _ in range(2 * self.COUNT // OPEN_MAX):
            reading.poll()
            assert open_files() - before <= len(reading.tail.streams) + OPEN_MAX
            read += numbers(reading.poll(after_secs=CUT_SECS + 1))
        assert sorted(read) == list(range(10 * self.COUNT))


def open_files() -> int:
    return psutil.Process().num_fds()


class TestReading:
    """Any position, in whatever order."""

    @given(st.lists(st.tuples(st.integers(0, 5 * PIECE_BYTES), st.integers(1, 3_000)), max_size=8))
    def test_gives_what_the_log_has_there(self, looks: list[tuple[int, int]]) -> None:
        archive = Archive(str(PACKED))
        assert archive.measure(1 << 40)
        assert archive.size == len(LOG)
        for position, count in looks:
            assert read_at(archive, position, count) == LOG[position : position + count]
        archive.close()


LOG = b"".join(b"%d\n" % number for number in range(50_000))
PACKED = Path()


@pytest.fixture(autouse=True, scope="module")
def _packed(tmp_path_factory: pytest.TempPathFactory) -> None:
    global PACKED  # noqa: PLW0603 - Hypothesis takes no fixture of a function
    PACKED = tmp_path_factory.mktemp("packed") / "log.gz"
    PACKED.write_bytes(gzip.compress(LOG))


def test_copies_of_archives_are_read_once(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "b.clef.gz").write_bytes(gzip.compress(lines(0, 5)))
    assert numbers(reading.poll()) == [0, 1, 2, 3, 4]
    shutil.copyfile(tmp_path / "b.clef.gz", tmp_path / "c.clef.gz")
    assert reading.poll() == []
