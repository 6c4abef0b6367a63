"""A folder that can only be read, as after a fault of its disk; and somebody who is not root."""

import contextlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

NOBODY = 65534


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
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
            yield
        finally:
            subprocess.run(["umount", folder], check=True)
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


def _is_done(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
