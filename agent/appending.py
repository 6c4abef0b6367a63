"""Bytes added to a file: all of them, flushed to disk, or none."""

import os
from pathlib import Path


def append(path: Path, data: bytes) -> None:
    """Add `data` to the end of a file; OSError when the disk refuses, and then nothing of it is there."""
    # Without a buffer: one would be flushed once more by the truncation, and by the closing.
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise


def cut_torn(path: Path) -> None:
    """Cut off half a line that a crash has left at the end of a file; OSError when that is refused."""
    whole_bytes = _whole_bytes(path)
    if path.stat().st_size > whole_bytes:
        os.truncate(path, whole_bytes)


def _whole_bytes(path: Path) -> int:
    size = path.stat().st_size
    with path.open("rb") as file:
        while size:
            start = max(size - 64 * 1024, 0)
            file.seek(start)
            end = file.read(size - start).rfind(b"\n") + 1
            if end:
                return start + end
            size = start
    return 0
