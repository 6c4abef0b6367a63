"""A file for a key that is made once, for its owner alone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def make(path: Path, content: bytes) -> None:
    """Write the file with mode 0600, whole or not at all, with its folders; one that is there already stays.

    It is written beside, flushed to disk and linked into place, so whoever comes second finds the file of the
    first. OSError when that cannot be done.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
        except OSError:
            # A file system without links.
            if not path.exists():
                beside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
