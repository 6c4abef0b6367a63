"""Which files the globs of a source name right now."""

from __future__ import annotations

import glob
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

Inode = tuple[int, int]  # device and inode: a hint while a file is open, never an identity


class Seen(NamedTuple):
    """One file as a look at the directory found it."""

    path: str
    inode: Inode
    size: int
    modified_ns: int


def look(globs: Sequence[str]) -> list[Seen]:
    """The regular files behind `globs`, oldest change first; each once, however many names lead to it.

    Of two names of one file (symbolic or hard link) the file's own name wins, then the first by alphabet.
    A file that vanishes while it is looked at is not there.
    """
    found: dict[Inode, Seen] = {}
    paths = {path for pattern in globs for path in glob.glob(pattern, recursive=True)}  # noqa: PTH207, Path.glob takes no absolute pattern
    for path in sorted(paths, key=lambda each: (Path(each).is_symlink(), each)):
        try:
            status = Path(path).stat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            inode = (status.st_dev, status.st_ino)
            found.setdefault(inode, Seen(path, inode, status.st_size, status.st_mtime_ns))
    return sorted(found.values(), key=lambda seen: (seen.modified_ns, seen.path))


def folders(globs: Sequence[str]) -> list[str]:
    """The directories that exist and whose changes can add or remove a file of `globs`."""
    return sorted({folder for pattern in globs for folder in _folders(pattern)})


def _folders(pattern: str) -> list[str]:
    matches = glob.glob(str(Path(pattern).parent), recursive=True)  # noqa: PTH207, as above
    return [folder for folder in matches if Path(folder).is_dir()]
