"""A folder that can only be read, as after a fault of its disk; and somebody who is not root."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

NOBODY = 65534
PATIENCE_SECS = 30.0


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read and write everything; somebody else may not."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Mounted read-only for as long as the block lasts; where nobody may mount, closed to who is not root."""
    if _is_done("mount", "--bind", folder, folder):
        try:
            _until_done("mount", "-o", "remount,bind,ro", folder)
            yield
        finally:
            _until_done("umount", folder)
        return
    modes = list(_modes(folder))
    _change([(name, mode & 0o555) for name, mode in modes])
    try:
        with as_nobody():
            yield
    finally:
        _change(modes)


def _change(modes: Iterable[tuple[Path, int]]) -> None:
    for name, mode in modes:
        with contextlib.suppress(FileNotFoundError):
            name.chmod(mode)


def _modes(folder: Path) -> Iterator[tuple[Path, int]]:
    """What is in a folder that others write into, and its modes."""
    for name in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            yield name, name.stat().st_mode


def _until_done(*command: str | Path) -> None:
    """A folder is busy for as long as somebody has a file in it open; an agent's are open for a moment."""
    deadline = time.monotonic() + PATIENCE_SECS
    while not _is_done(*command):
        assert time.monotonic() < deadline, command
        time.sleep(0.01)


def _is_done(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
