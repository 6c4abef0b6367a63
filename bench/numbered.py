"""The oracle: lines that are functions of a run and a number, their writer, and the account of them."""

from __future__ import annotations

import gzip
import hashlib
import random
import shutil
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

PIECE_SECS: Final = 0.05
# Six million lines begin to be ahead of the clock, and what is ahead is held.
AGE: Final = timedelta(minutes=10)
STEP: Final = timedelta(microseconds=100)
_LOOKUP: Final = {"@mt": "Something was looked up", "SourceContext": "SmartWMS.API.Lookup"}
_REQUEST: Final = {
    "@mt": "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms",
    "RequestMethod": "GET",
    "RequestPath": "/api/v1/products",
    "StatusCode": 200,
    "Elapsed": 1.5,
    "SourceContext": "Serilog.AspNetCore.RequestLoggingMiddleware",
}


@dataclass(frozen=True)
class Run:
    """Lines as SmartWMS writes them: one inside a request, one that ends it, and so on."""

    started: datetime

    @staticmethod
    def new() -> Run:
        return Run(datetime.now(UTC) - AGE)

    def line(self, number: int) -> bytes:
        """The line of this number, without its end; always the same."""
        moment = self.started + number * STEP
        run = f"{self.started:%H%M%S%f}"
        record: dict[str, Any] = {
            "@t": f"{moment:%Y-%m-%dT%H:%M:%S.%f}7Z",
            "RequestId": f"{run}:{number // 2:08}",
            "Number": number,
            "Hash": hashlib.sha256(f"{run} {number}".encode()).hexdigest()[:32],
        }
        return orjson.dumps(record | (_REQUEST if number % 2 else _LOOKUP))

    def lines(self, first: int, count: int) -> bytes:
        return b"".join(self.line(number) + b"\n" for number in range(first, first + count))


@dataclass(frozen=True)
class Account:
    """What became of the numbers that were written."""

    written: int
    stored: int
    duplicate: int
    rejected: int
    lost: int
    garbled: int

    @property
    def is_right(self) -> bool:
        return not (self.lost or self.duplicate or self.garbled)

    def line(self) -> str:
        return orjson.dumps(asdict(self)).decode()


def account(run: Run, written: int, originals: Iterable[bytes], rejected: Iterable[bytes]) -> Account:
    """Compare what is in the store and in the dead letters with what was written: numbers, then bytes."""
    seen = bytearray(written)
    twice = garbled = stored = refused = 0
    for original in originals:
        number = int(orjson.loads(original).get("Number", -1))
        if not 0 <= number < written or original != run.line(number):
            garbled += 1
        elif seen[number]:
            twice += 1
        else:
            seen[number] = 1
            stored += 1
    for original in rejected:
        number = int(orjson.loads(original).get("Number", -1))
        if 0 <= number < written and not seen[number]:
            seen[number] = 1
            refused += 1
    return Account(written, stored, twice, refused, seen.count(0), garbled)


class Writer(threading.Thread):
    """Appends lines at a rate, in pieces that end anywhere, rolling its file in every way that loses nothing.

    A roll begins the next day's file, renames the file away within the glob, or copies and truncates it; a
    renamed file is compressed later.
    """

    def __init__(self, folder: Path, run: Run, lines_a_second: int, *, roll_secs: float) -> None:
        super().__init__(name="writer", daemon=True)
        self.written = 0
        self.rolls = 0
        self.late_secs = 0.0
        self.done = threading.Event()
        self._folder = folder
        self._run_of = run
        self._lines_a_second = lines_a_second
        self._roll_secs = roll_secs
        self._day = 0
        self._renamed: list[Path] = []

    @property
    def path(self) -> Path:
        return self._folder / f"smartwms-{self._day:08}.clef"

    def run(self) -> None:
        began = rolled = time.monotonic()
        while not self.done.wait(PIECE_SECS):
            now = time.monotonic()
            due = int((now - began) * self._lines_a_second) - self.written
            self.append(min(due, self._lines_a_second))
            self.late_secs = max(0.0, due / self._lines_a_second - 1)
            if now - rolled > self._roll_secs:
                rolled = now
                self.roll()

    def append(self, count: int) -> None:
        data = self._run_of.lines(self.written, count)
        with self.path.open("ab", buffering=0) as file:
            middle = random.randrange(len(data)) if data else 0
            file.write(data[:middle])
            file.write(data[middle:])
        self.written += count

    def roll(self) -> None:
        self.rolls += 1
        way = self.rolls % 3
        if way == 0:
            self._day += 1
            return
        copy = self.path.with_name(f"{self.path.stem}.{self.rolls:04}.clef")
        if way == 1:
            self.path.rename(copy)
            self._compress()
            self._renamed.append(copy)
        else:
            shutil.copyfile(self.path, copy)
            self.path.write_bytes(b"")

    def _compress(self) -> None:
        """Compress what was renamed two rolls ago, as logrotate's delaycompress does."""
        if len(self._renamed) > 1:
            path = self._renamed.pop(0)
            beside = path.with_name(path.name + ".new")
            with path.open("rb") as plain, gzip.open(beside, "wb") as packed:
                shutil.copyfileobj(plain, packed)
            beside.rename(path.with_name(path.name + ".gz"))
            path.unlink()
