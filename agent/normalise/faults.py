"""Faults of this machine while a record is worked on: it is not to blame, so it waits and is tried again."""

from typing import Final

MACHINE: Final = (OSError, MemoryError)
"""Too many open files, a disk that cannot be read, no memory."""


def told(error: Exception) -> str:
    """What is wrong with the machine."""
    text = error.strerror if isinstance(error, OSError) else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def must_wait(error: Exception) -> None:
    """Raise the error again if it is the machine's and not the record's."""
    if isinstance(error, MACHINE):
        raise error
