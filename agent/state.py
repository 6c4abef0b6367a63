"""The state directory belongs to one agent at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from agent.errors import StateError

LOCK = "lock"


@contextmanager
def state_lock(state_dir: Path) -> Iterator[None]:
    """Hold the state directory; StateError when another agent does, or when it cannot be used."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(state_dir / LOCK)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise StateError(
            f"state_dir {state_dir} is in use by another agent; stop that one, or give this one its own"
        ) from None
    except OSError as error:
        raise StateError(f"state_dir {state_dir} cannot be used ({error}); this user must own it") from None
    try:
        yield
    finally:
        lock.release()


def is_held(state_dir: Path) -> bool:
    """Whether an agent is running on this state directory."""
    if not (state_dir / LOCK).exists():
        return False
    lock = filelock.FileLock(state_dir / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    lock.release()
    return False
