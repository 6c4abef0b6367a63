"""Events that the store never takes as they are: kept on disk with the cause, each once, until replayed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import filelock
import orjson


class DeadLettersFullError(OSError):
    """The letters that are to be written would pass the bound; the message names file, bound and way out."""


class DeadLetter(NamedTuple):
    """A rejected event: its partition, why it is not there (since `at`, ISO, UTC), its redacted body."""

    id: str
    partition: str
    cause: str
    at: str
    body: bytes


class DeadLetters:
    """JSON lines in one file, keyed by id; every change holds a lock, so a replay may run meanwhile.

    The file never grows above `bytes_max`.
    """

    def __init__(self, path: Path, bytes_max: int | None = None) -> None:
        self.path = path
        self.bytes_max = bytes_max
        self._lock = filelock.FileLock(path.with_name(path.name + ".lock"))
        self._ids: set[str] = set()
        self._stamp: tuple[int, int] | None = None

    def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Write the letters whose ids are not there yet, flushed to disk on return; OSError if it cannot."""
        with self._lock:
            self._refresh()
            new = {letter.id: letter for letter in letters if letter.id not in self._ids}
            if not new:
                return
            lines = b"".join(map(_line, new.values()))
            with self.path.open("ab") as file:
                # A crash may have left half a line: nothing may be glued to it.
                whole_bytes = self._whole_bytes()
                file.truncate(whole_bytes)
                self._refuse_above_bound(whole_bytes + len(lines))
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            self._ids.update(new)
            self._stamp = self._look()

    def _refuse_above_bound(self, bytes_: int) -> None:
        if self.bytes_max is not None and bytes_ > self.bytes_max:
            raise DeadLettersFullError(
                f"{self.path}: dead letters have no room ({bytes_:,} bytes with these, dead_letters_bytes is "
                f"{self.bytes_max:,}); replay them, or raise dead_letters_bytes"
            )

    @property
    def bytes(self) -> int:
        """The size of the file; 0 when there is none."""
        stamp = self._look()
        return stamp[0] if stamp else 0

    def read(self) -> Iterator[DeadLetter]:
        """The letters in the file, oldest first; half a line at its end is none."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield _letter(line)

    def remove(self, ids: set[str]) -> None:
        """Take the letters with these ids out; the file is replaced whole."""
        if not ids:
            return
        with self._lock:
            beside = self.path.with_name(self.path.name + ".new")
            with beside.open("wb") as file:
                file.writelines(_line(letter) for letter in self.read() if letter.id not in ids)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)

    def _refresh(self) -> None:
        stamp = self._look()
        if stamp != self._stamp:
            self._ids = {letter.id for letter in self.read()}
            self._stamp = stamp

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_size, status.st_mtime_ns

    def _whole_bytes(self) -> int:
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            while size:
                start = max(size - 64 * 1024, 0)
                file.seek(start)
                end = file.read(size - start).rfind(b"\n") + 1
                if end:
                    return start + end
                size = start
        return 0


def _line(letter: DeadLetter) -> bytes:
    fields = letter._asdict()
    fields["body"] = orjson.Fragment(letter.body)
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _letter(line: bytes) -> DeadLetter:
    fields = orjson.loads(line)
    fields["body"] = orjson.dumps(fields["body"])
    return DeadLetter(**fields)
