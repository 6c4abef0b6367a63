"""Events that the store never takes as they are: kept on disk with the cause, each once, until replayed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import filelock
import orjson
import structlog

from agent.appending import append, cut_torn

log = structlog.get_logger()


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

    The file never grows above `bytes_max`. Lines that are no letters (a power cut, a hand) are set aside in
    a file beside it.
    """

    def __init__(self, path: Path, bytes_max: int | None = None) -> None:
        self.path = path
        self.damaged_path = path.with_name(path.name + ".damaged")
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
            # A crash may have left half a line: nothing may be glued to it.
            if self.path.exists():
                cut_torn(self.path)
            self._refuse_above_bound(self.bytes + len(lines))
            append(self.path, lines)
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
        """The letters in the file, oldest first; half a line at its end is none, nor is a damaged one."""
        yield from (letter for _, letter in _lines(self.path) if letter is not None)

    def remove(self, ids: set[str]) -> None:
        """Take the letters with these ids out; the file is replaced whole."""
        if not ids:
            return
        with self._lock:
            self._rewrite(ids)

    def _rewrite(self, without: set[str]) -> None:
        """Replace the file by one without these letters and without what is none, for its owner as before."""
        beside = self.path.with_name(self.path.name + ".new")
        damaged: list[bytes] = []
        with beside.open("wb") as file:
            _give(beside, self.path.stat())
            for line, letter in _lines(self.path):
                if letter is None:
                    damaged.append(line)
                elif letter.id not in without:
                    file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if damaged:
            append(self.damaged_path, b"".join(damaged))
            _give(self.damaged_path, self.path.stat())
            log.error("dead_letters_damaged", count=len(damaged), file=str(self.damaged_path))
        beside.replace(self.path)

    def _refresh(self) -> None:
        if self._look() == self._stamp:
            return
        letters = [letter for _, letter in _lines(self.path)]
        if None in letters:
            self._rewrite(set())
        self._ids = {letter.id for letter in letters if letter is not None}
        self._stamp = self._look()

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_size, status.st_mtime_ns


def _line(letter: DeadLetter) -> bytes:
    fields = letter._asdict()
    fields["body"] = orjson.Fragment(letter.body)
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _lines(path: Path) -> Iterator[tuple[bytes, DeadLetter | None]]:
    """The whole lines of the file, each with its letter."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line, _letter(line)


def _letter(line: bytes) -> DeadLetter | None:
    """The letter of a line; None when it is none."""
    try:
        match orjson.loads(line):
            case {
                "id": str() as id_,
                "partition": str() as partition,
                "cause": str() as cause,
                "at": str() as at,
                "body": dict() as body,
            }:
                return DeadLetter(id_, partition, cause, at, orjson.dumps(body))
    except orjson.JSONDecodeError:
        pass
    return None


def _give(path: Path, like: os.stat_result) -> None:
    """Give a file the mode and, where we may, the owner of another: root may have run a command."""
    if hasattr(os, "chown"):
        with contextlib.suppress(PermissionError):
            os.chown(path, like.st_uid, like.st_gid)
    path.chmod(stat.S_IMODE(like.st_mode))
