"""Files that cannot be listed for a while are not gone."""

import errno
import glob
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.sources import discovery
from tests.support.read_only import as_nobody
from tests.support.tailing import Reading, append, line, lines

AWAY_SECS = 8


@pytest.fixture
def folder(open_folder: Path) -> Path:
    made = open_folder / "logs"
    made.mkdir()
    made.chmod(0o755)
    return made


def _is_closed(folder: Path) -> None:
    folder.chmod(0o700)


def _may_not_be_entered(folder: Path) -> None:
    folder.chmod(0o744)


def _is_away(folder: Path) -> None:
    folder.rename(folder.with_name("away"))


def _is_back(folder: Path) -> None:
    if not folder.exists():
        folder.with_name("away").rename(folder)
    folder.chmod(0o755)


@pytest.mark.parametrize("happens", [_is_closed, _may_not_be_entered, _is_away])
def test_half_a_line_is_no_record_and_its_rest_is_read(folder: Path, happens: Callable[[Path], None]) -> None:
    append(folder / "a.clef", lines(0, 3) + line(3)[:20])
    with as_nobody():
        reading = Reading(folder)
        got = reading.poll()
    reading.finish()
    happens(folder)
    with as_nobody():
        for _ in range(AWAY_SECS):
            got += reading.poll(1.0)
    assert any(str(folder) in path for path in reading.tail.troubles.unreadable)
    _is_back(folder)
    append(folder / "a.clef", line(3)[20:] + lines(4, 2))
    with as_nobody():
        got += reading.poll(1.0)
    assert got == lines(0, 6).splitlines()
    assert reading.tail.troubles.unreadable == {}
    assert reading.tail.troubles.notices == []


def test_it_is_said_once_each_time(folder: Path) -> None:
    append(folder / "a.clef", line(0))
    reading = Reading(folder)
    with capture_logs() as told:
        for happens in (_is_closed, _is_back, _is_closed, _is_back):
            happens(folder)
            with as_nobody():
                reading.poll(1.0)
                reading.poll(1.0)
    assert [each["path"] for each in told if each["event"] == "unreadable"] == [str(folder)] * 2


def test_a_folder_that_was_always_closed_is_said(folder: Path) -> None:
    _is_closed(folder)
    with as_nobody():
        reading = Reading(folder)
        reading.poll()
    assert list(reading.tail.troubles.unreadable) == [str(folder)]


def test_a_folder_that_only_a_wildcard_leads_to_may_be_closed(folder: Path) -> None:
    (folder / "private").mkdir(mode=0o700)
    with as_nobody():
        reading = Reading(folder, "*/*.clef")
        reading.poll()
    assert reading.tail.troubles.unreadable == {}


def test_a_folder_that_is_made_later_is_no_trouble(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "later")
    reading.poll()
    assert reading.tail.troubles.unreadable == {}


def test_nothing_is_lost_for_want_of_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(tmp_path)
    append(tmp_path / "a.clef", b'{"half')
    reading.poll()

    def refused(*_: object) -> object:
        raise OSError(errno.EMFILE, "Too many open files")

    reading.tail.announce([("", str(tmp_path / "b.clef"))])
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refused)
        reading.poll(1.0)
    assert reading.tail.troubles.notices == []


@pytest.mark.parametrize(
    "pattern",
    [
        "*.clef",
        "a.clef",
        "**/*.clef",
        "**",
        "*/*.clef",
        "b/**/c/*.clef",
        "?/[c]/.*",
        ".h/*",
        "none/*",
        "[!a]/**",
    ],
)
def test_the_globs_are_those_of_python(tmp_path: Path, pattern: str) -> None:
    for name in (
        "a.clef",
        "b/a.clef",
        "b/c/a.clef",
        "b/c/.hidden",
        "b/d/c/x.clef",
        ".h/a.clef",
        "d/.h/a.clef",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "loop").symlink_to("loop")
    (tmp_path / "z").symlink_to("b")
    whole = str(tmp_path / pattern)
    names = map(Path, glob.glob(whole, recursive=True))  # noqa: PTH207, what it is compared with
    files = [name.stat() for name in names if name.is_file()]
    assert {seen.inode for seen in discovery.look([whole]).files} == {
        (file.st_dev, file.st_ino) for file in files
    }
