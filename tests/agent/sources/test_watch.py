"""The watch tells of names, not of growth, and leaves to polling what it cannot see."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.sources import discovery
from agent.sources.watch import Watch
from tests.support.tailing import append

WAIT_SECS = 10.0


@pytest.fixture
def woken() -> threading.Event:
    return threading.Event()


@pytest.fixture
def watch(woken: threading.Event) -> Iterator[Watch]:
    watch = Watch(woken.set)
    assert watch.start() == ""
    yield watch
    watch.stop()


def test_a_new_name_wakes(watch: Watch, woken: threading.Event, tmp_path: Path) -> None:
    watch.cover([str(tmp_path)])
    append(tmp_path / "a.clef", b"{}\n")
    assert woken.wait(WAIT_SECS)


def test_a_rename_wakes(watch: Watch, woken: threading.Event, tmp_path: Path) -> None:
    append(tmp_path / "a.clef", b"{}\n")
    watch.cover([str(tmp_path)])
    (tmp_path / "a.clef").rename(tmp_path / "b.clef")
    assert woken.wait(WAIT_SECS)


def test_growth_does_not_wake(watch: Watch, woken: threading.Event, tmp_path: Path) -> None:
    append(tmp_path / "a.clef", b"{}\n")
    watch.cover([str(tmp_path)])
    for _ in range(10):
        append(tmp_path / "a.clef", b"{}\n")
    append(tmp_path / "marker", b"")  # events come in order: when this one is here, the others were none
    assert woken.wait(WAIT_SECS)
    woken.clear()
    append(tmp_path / "a.clef", b"{}\n")
    assert not woken.wait(0.3)


def test_30_a_folder_that_cannot_be_watched_is_left_to_polling(watch: Watch, tmp_path: Path) -> None:
    watch.cover([str(tmp_path / "not there")])


def test_folders_of_globs(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_bytes(b"")
    assert discovery.folders([f"{tmp_path}/*/x-*.log", f"{tmp_path}/a/y.log"]) == [
        str(tmp_path / "a"),
        str(tmp_path / "b"),
    ]
