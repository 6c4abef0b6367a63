"""Which files the globs of a source name right now."""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

Inode = tuple[int, int]  # device and inode: a hint while a file is open, never an identity


# Such a path leads to no file, whoever asks.
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})


class Seen(NamedTuple):
    """One file as a look at the directory found it."""

    path: str
    inode: Inode
    size: int
    modified_ns: int


class Listing(NamedTuple):
    """The files that a look found, and what it could not look into, by path with the reason.

    `closed` are folders that the globs name. What is `doubtful` only matters to who knows of a file there: a
    folder that the globs name and that is not there (any more), or a place that only a wildcard led to.
    """

    files: list[Seen]
    closed: dict[str, str]
    doubtful: dict[str, str]

    def closed_to(self, known: Collection[str]) -> dict[str, str]:
        """What is closed to everybody, or to who knows of these paths: whether they are gone is not known."""
        if not self.doubtful:
            return self.closed
        around = {str(place) for path in map(Path, known) for place in (path, *path.parents)}
        return self.closed | {place: why for place, why in self.doubtful.items() if place in around}


def is_in(path: str, places: Iterable[str]) -> bool:
    """Whether a path is one of `places`, or below one."""
    return any(Path(path).is_relative_to(place) for place in places)


def look(globs: Sequence[str]) -> Listing:
    """The regular files behind `globs`, oldest change first; each once, however many names lead to it.

    Of two names of one file (symbolic or hard link) the file's own name wins, then the first by alphabet.
    A file that vanishes while it is looked at is not there.
    """
    found: dict[Inode, Seen] = {}
    listing = Listing([], {}, {})
    paths = {str(path) for pattern in globs for path in _matches_of(Path(pattern), listing)}
    for path in sorted(paths, key=lambda each: (os.path.islink(each), each)):  # noqa: PTH114, Path's raises
        try:
            status = Path(path).stat()
        except OSError as error:
            if error.errno not in _NOT_THERE:
                listing.doubtful[path] = str(error)
            continue
        if stat.S_ISREG(status.st_mode):
            inode = (status.st_dev, status.st_ino)
            found.setdefault(inode, Seen(path, inode, status.st_size, status.st_mtime_ns))
    listing.files.extend(sorted(found.values(), key=lambda seen: (seen.modified_ns, seen.path)))
    return listing


def _matches_of(pattern: Path, listing: Listing) -> Iterator[Path]:
    """What glob.glob() gives; but that takes a folder which it may not list for one that is empty."""
    parts = pattern.parts
    named = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    folder = Path(*parts[:named])
    refused: dict[Path, OSError] = {}
    try:
        os.stat(f"{folder}/.")  # noqa: PTH116, asks for the right to enter; Path takes the dot away
    except OSError as error:
        refused[folder] = error
    else:
        yield from _matches(folder, parts[named:], refused)
    for place, reason in refused.items():
        is_there = reason.errno not in _NOT_THERE
        if place == folder and is_there:
            listing.closed[str(place)] = str(reason)
        elif place == folder or is_there:
            listing.doubtful[str(place)] = str(reason)


def _matches(folder: Path, parts: Sequence[str], refused: dict[Path, OSError]) -> Iterator[Path]:
    if not parts:
        yield folder
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        # No folder, or any and what is below it.
        if rest:
            yield from _matches(folder, rest, refused)
        for entry in _entries(folder, "*", refused):
            if _is_folder(entry):
                yield from _matches(folder / entry.name, parts, refused)
            elif not rest:
                yield folder / entry.name
    elif glob.has_magic(part):
        for entry in _entries(folder, part, refused):
            yield from _matches(folder / entry.name, rest, refused)
    else:
        yield from _matches(folder / part, rest, refused)


def _entries(folder: Path, pattern: str, refused: dict[Path, OSError]) -> list[os.DirEntry[str]]:
    """What a folder has under the names of `pattern`; hidden names are only found by patterns that are."""
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError as error:
        refused[folder] = error
        return []
    return [
        entry
        for entry in listed
        if fnmatch.fnmatch(entry.name, pattern)
        and (pattern.startswith(".") or not entry.name.startswith("."))
    ]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def folders(globs: Sequence[str]) -> list[str]:
    """The directories that exist and whose changes can add or remove a file of `globs`."""
    return sorted({folder for pattern in globs for folder in _folders(pattern)})


def _folders(pattern: str) -> list[str]:
    matches = glob.glob(str(Path(pattern).parent), recursive=True)  # noqa: PTH207, as above
    return [folder for folder in matches if Path(folder).is_dir()]
