"""A file that is there whole or not at all: temp file, fsync, rename; hashed while it is written."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PART_SUFFIX: Final = ".part"
_OPEN: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class WholeFile:
    """Write pieces, then `commit`; without it nothing is left. Readable by its owner and group alone."""

    def __init__(self, path: Path) -> None:
        """`path`: what it will be called; its folder is made."""
        self.path = path
        self.part = path.with_name(f".{path.name}{PART_SUFFIX}")
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._file = os.fdopen(os.open(self.part, _OPEN, 0o640), "wb")

    @property
    def sha256(self) -> str:
        """The hash of what has been written, in hex."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    def commit(self) -> None:
        """Give the file its name; from now on it survives a loss of power."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.part.replace(self.path)
        sync_folder(self.path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self.part.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file the same way."""
    with WholeFile(path) as file:
        file.write(data)
        file.commit()


def sync_folder(folder: Path) -> None:
    """Make a rename last, where the platform can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
