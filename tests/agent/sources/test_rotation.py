"""Files that are renamed, copied, truncated, replaced: every line that can be read is read once."""

import os
import shutil
from pathlib import Path

import pytest

from agent.sources.tail import GONE_SECS
from tests.support.tailing import Reading, append, line, lines, numbers


def copytruncate(path: Path, copy: Path) -> None:
    shutil.copyfile(path, copy)
    os.truncate(path, 0)


def test_1_the_day_rolls_while_the_old_file_still_gets_lines(tmp_path: Path) -> None:
    old, new = tmp_path / "smartwms-20261123.clef", tmp_path / "smartwms-20261124.clef"
    append(old, lines(0, 2))
    reading = Reading(tmp_path)
    reading.poll()
    append(new, line(10))
    append(old, line(2))
    assert sorted(numbers(reading.poll())) == [2, 10]
    append(old, line(3))
    append(new, line(11))
    assert sorted(numbers(reading.poll())) == [3, 11]


def test_3_size_rolls_are_files_of_their_own(tmp_path: Path) -> None:
    reading = Reading(tmp_path)
    for number, name in enumerate(["s-20261123.clef", "s-20261123_001.clef", "s-20261123_002.clef"]):
        append(tmp_path / name, line(number))
        assert numbers(reading.poll()) == [number]


def test_4_rename_and_create_with_a_late_writer_on_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 2))
    reading = Reading(tmp_path)
    reading.poll()
    with path.open("ab") as late:
        path.rename(tmp_path / "a.1.clef")
        append(path, line(10))
        late.write(line(2))
        late.flush()
        assert sorted(numbers(reading.poll())) == [2, 10]
        late.write(line(3))
    append(path, line(11))
    assert sorted(numbers(reading.poll())) == [3, 11]


def test_5_three_renames_within_one_poll(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0))
    reading = Reading(tmp_path)
    reading.poll()
    for number in range(1, 4):
        append(path, line(number * 10))
        for old in (3, 2, 1):
            if (tmp_path / f"a.{old}.clef").exists():
                (tmp_path / f"a.{old}.clef").rename(tmp_path / f"a.{old + 1}.clef")
        path.rename(tmp_path / "a.1.clef")
        append(path, line(number))
    assert sorted(numbers(reading.poll())) == [1, 2, 3, 10, 20, 30]
    assert reading.poll() == []


def test_6_renamed_out_of_the_glob_with_an_unread_tail(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0))
    reading = Reading(tmp_path)
    reading.poll()
    append(path, line(1))
    path.rename(tmp_path / "a.old")
    assert numbers(reading.poll()) == [1]
    append(tmp_path / "a.old", line(2))
    assert numbers(reading.poll(after_secs=1)) == [2]


def test_6_what_is_out_of_the_glob_and_silent_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0) + line(1)[:-1])
    reading = Reading(tmp_path)
    reading.poll()
    path.rename(tmp_path / "a.old")
    reading.poll()
    assert numbers(reading.poll(after_secs=GONE_SECS)) == [1]
    assert reading.tail.streams == []
    reading.finish()
    assert reading.tail.troubles.lost_bytes == 0


def test_6_renamed_out_of_the_glob_while_down_is_not_found_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0))
    first = Reading(tmp_path)
    first.poll()
    first.finish()
    append(path, line(1))
    path.rename(tmp_path / "a.old")
    second = first.restarted()
    assert second.poll() == []
    (tmp_path / "a.old").rename(tmp_path / "b.clef")
    assert numbers(second.poll()) == [1]


def test_7_renamed_inside_the_glob_nothing_is_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0))
    reading = Reading(tmp_path)
    reading.poll()
    path.rename(tmp_path / "b.clef")
    assert reading.poll() == []
    append(tmp_path / "b.clef", line(1))
    assert numbers(reading.poll()) == [1]


def test_8_renamed_while_down_and_both_appended(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 2))
    first = Reading(tmp_path)
    first.poll()
    first.finish()
    path.rename(tmp_path / "b.clef")
    append(tmp_path / "b.clef", line(2))
    append(path, line(10))
    assert sorted(numbers(first.restarted().poll())) == [2, 10]


def test_9_copytruncate_with_the_copy_inside_the_glob(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 2))
    reading = Reading(tmp_path)
    reading.poll()
    append(path, line(2))
    copytruncate(path, tmp_path / "a.1.clef")
    append(path, line(10))
    assert sorted(numbers(reading.poll() + reading.poll() + reading.poll())) == [2, 10]


def test_9_a_copy_that_is_seen_before_the_truncation_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 2))
    reading = Reading(tmp_path)
    reading.poll()
    shutil.copyfile(path, tmp_path / "a.1.clef")
    assert reading.poll() == []
    append(path, line(2))
    assert numbers(reading.poll()) == [2]
    shutil.copyfile(path, tmp_path / "a.1.clef")
    os.truncate(path, 0)
    append(path, line(10))
    assert sorted(numbers(reading.poll() + reading.poll() + reading.poll())) == [10]


def test_10_copytruncate_with_the_copy_outside_what_is_lost_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0))
    reading = Reading(tmp_path)
    reading.poll()
    append(path, line(1))
    reading.tail.poll(reading.now)  # the line was noticed, and is truncated away before it is read
    copytruncate(path, tmp_path / "a.copy")
    append(path, line(10))
    assert numbers(reading.poll() + reading.poll()) == [10]
    reading.poll(after_secs=GONE_SECS)
    assert reading.tail.troubles.lost_bytes == len(line(1))


def test_11_the_hole_of_a_stale_writer_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    with path.open("wb") as stale:
        stale.write(lines(0, 2))
        stale.flush()
        reading = Reading(tmp_path)
        reading.poll()
        os.truncate(path, 0)
        stale.write(line(2))
        stale.flush()
        assert numbers(reading.poll() + reading.poll()) == [2]


def test_12_copytruncate_while_down(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 2))
    first = Reading(tmp_path)
    first.poll()
    first.finish()
    append(path, line(2))
    copytruncate(path, tmp_path / "a.1.clef")
    append(path, line(10))
    assert sorted(numbers(first.restarted().poll())) == [2, 10]


def test_13_truncated_and_regrown_past_the_old_position_between_two_polls(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 2))
    reading = Reading(tmp_path)
    reading.poll()
    path.write_bytes(lines(10, 5))
    assert numbers(reading.poll() + reading.poll()) == [10, 11, 12, 13, 14]


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed meanwhile"])
@pytest.mark.parametrize("is_resumed", [True, False], ids=["after a restart", "as it was read"])
def test_13_written_anew_in_place_with_the_same_first_line(
    tmp_path: Path, *, is_open: bool, is_resumed: bool
) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 50))
    reading = Reading(tmp_path)
    reading.poll()
    if is_resumed:
        reading.finish()
        reading = reading.restarted()
        assert reading.poll() == []
    if not is_open:
        reading.tail.streams[0].close()
    with path.open("r+b") as file:
        file.write(line(0) + lines(100, 70))
    assert numbers(reading.poll() + reading.poll()) == [0, *range(100, 170)]
    reading.poll(after_secs=60.0)
    assert (reading.tail.troubles.lost_bytes, len(reading.tail.streams)) == (0, 1)


def test_15_truncated_and_regrown_while_down(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 2))
    first = Reading(tmp_path)
    first.poll()
    first.finish()
    path.write_bytes(lines(10, 5))
    assert numbers(first.restarted().poll()) == [10, 11, 12, 13, 14]


def test_18_two_files_with_the_same_first_line(tmp_path: Path) -> None:
    reading = Reading(tmp_path)
    append(tmp_path / "a.clef", line(0))
    append(tmp_path / "b.clef", line(0))
    assert numbers(reading.poll()) == [0]
    append(tmp_path / "a.clef", line(1))
    append(tmp_path / "b.clef", line(2))
    read = numbers(reading.poll() + reading.poll())
    assert {1, 2} <= set(read)
    append(tmp_path / "a.clef", line(3))
    append(tmp_path / "b.clef", line(4))
    assert sorted(numbers(reading.poll())) == [3, 4]


def test_18_two_files_with_the_same_first_line_across_a_restart(tmp_path: Path) -> None:
    append(tmp_path / "a.clef", line(0) + line(1))
    append(tmp_path / "b.clef", line(0) + line(2))
    first = Reading(tmp_path)
    first.poll()
    first.finish()
    append(tmp_path / "a.clef", line(3))
    append(tmp_path / "b.clef", line(4))
    assert sorted(numbers(first.restarted().poll())) == [3, 4]


def test_22_a_symlink_beside_its_file_is_the_same_file(tmp_path: Path) -> None:
    append(tmp_path / "b.clef", line(0))
    (tmp_path / "a.clef").symlink_to(tmp_path / "b.clef")
    reading = Reading(tmp_path)
    assert numbers(reading.poll()) == [0]
    assert [Path(stream.path).name for stream in reading.tail.streams] == ["b.clef"]


def test_22_a_symlink_is_retargeted(tmp_path: Path) -> None:
    append(tmp_path / "1.log", line(0))
    append(tmp_path / "2.log", line(1))
    link = tmp_path / "now.clef"
    link.symlink_to(tmp_path / "1.log")
    reading = Reading(tmp_path)
    assert numbers(reading.poll()) == [0]
    append(tmp_path / "1.log", line(2))
    link.unlink()
    link.symlink_to(tmp_path / "2.log")
    assert sorted(numbers(reading.poll())) == [1, 2]


def test_25_deleted_with_an_unread_tail(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0))
    reading = Reading(tmp_path)
    reading.poll()
    append(path, line(1) + line(2)[:-1])
    path.unlink()
    assert numbers(reading.poll()) == [1]
    assert numbers(reading.poll(after_secs=GONE_SECS)) == [2]
    assert reading.tail.troubles.lost_bytes == 0


def test_28_a_folder_that_is_made_later(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "later")
    assert reading.poll() == []
    (tmp_path / "later").mkdir()
    append(tmp_path / "later" / "a.clef", line(0))
    assert numbers(reading.poll()) == [0]


def test_what_came_back_from_a_backup_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, lines(0, 3))
    reading = Reading(tmp_path)
    reading.poll()
    backup = path.read_bytes()
    path.unlink()
    reading.poll(after_secs=1)
    reading.poll(after_secs=GONE_SECS)
    reading.finish()
    append(path, backup + line(3))
    assert numbers(reading.poll()) == [3]


def test_9_a_copy_gives_what_was_not_read_of_a_truncated_file(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.clef", tmp_path / "a.1.clef"
    append(path, lines(0, 10_000))
    reading = Reading(tmp_path)
    reading.tail.look(reading.now)
    reading.tail.poll(reading.now)
    first = reading.tail.read(reading.now)
    assert first is not None
    shutil.copyfile(path, copy)
    reading.tail.look(reading.now)
    os.truncate(path, 0)
    append(path, line(10_000))
    read = [record for _, record in first.records] + reading.poll() + reading.poll() + reading.poll()
    assert sorted(numbers(read)) == list(range(10_001))


def test_10_what_is_lost_is_counted_when_the_file_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0))
    reading = Reading(tmp_path)
    reading.poll()
    append(path, line(1))
    reading.tail.poll(reading.now)
    os.truncate(path, 0)
    reading.poll()
    reading.poll(after_secs=GONE_SECS)
    assert reading.tail.troubles.lost_bytes == len(line(1))


def test_10_half_a_line_that_is_truncated_away_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.clef"
    append(path, line(0) + line(1)[:10])
    reading = Reading(tmp_path)
    reading.poll()
    os.truncate(path, 0)
    reading.poll()
    reading.poll(after_secs=GONE_SECS)
    assert reading.tail.troubles.lost_bytes == 10
