"""Wakes the agent when a name appears, changes or goes; polling alone would find it a second later."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

# Names only: growth is seen by polling. Told of every write, a busy log would cost more here than to read it.
_NAMES: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002
        self._wake()


class Watch:
    """A watchdog on some directories; `wake` is called from its thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._waker = _Waker(wake)
        self._observer = Observer()
        self._observer.daemon = True
        self._watched: set[str] = set()

    def start(self) -> str:
        """Start watching; the reason when this system cannot (then polling alone does the work)."""
        try:
            self._observer.start()
        except OSError as error:
            return str(error)
        return ""

    def cover(self, folders: Iterable[str]) -> None:
        """Watch these directories too; one that cannot be watched is left to polling."""
        for folder in set(folders) - self._watched:
            self._watched.add(folder)
            try:
                self._observer.schedule(self._waker, folder, event_filter=_NAMES)
            except OSError:
                continue

    def stop(self) -> None:
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()
