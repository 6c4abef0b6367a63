"""Wakes the agent when a name appears, changes or goes; polling alone would find it a second later."""

from __future__ import annotations

import os
from collections import deque
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


# Names that come faster than they are taken are left to the next look at the directory.
_NAMES_MAX = 10_000


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self.names: deque[tuple[str, str]] = deque(maxlen=_NAMES_MAX)
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        if not event.is_directory:
            before, after = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
            self.names.append(("", before) if isinstance(event, FileCreatedEvent) else (before, after))
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

    def take(self) -> list[tuple[str, str]]:
        """The names that came ("", path), went (path, "") or changed (path, path) since the last call."""
        names = self._waker.names
        return [names.popleft() for _ in range(len(names))]

    def stop(self) -> None:
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()
