"""Makes the files: takes a job, writes what it is of from one state of the store, says how far it is.

1. Take the oldest job that nobody holds. 2. Count. 3. Walk the events from a point in time into a temp file,
renewing the lease as it grows. 4. Name the file and put its manifest beside it. 5. Say it is done.

Whoever dies in between leaves a lease that ends and a temp file that is swept; whoever only seemed dead
learns at the next renewal that the job is somebody else's, and its file has another name.
A paper that a feature makes (a report) goes the same way; its maker is handed in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import BinaryIO, Final, cast

from indexer.errors import ConflictError, PermanentError, RetryableError
from indexer.search import EventSearch, StoredEvent
from webui.commission import Commission, Maker, UnmakeableError
from webui.exports import cells, manifest, pdf
from webui.exports.files import PART_SUFFIX, WholeFile, write_whole
from webui.exports.job import PDF_LIMIT_COUNT, Format, Job
from webui.exports.manifest import Made
from webui.exports.pdf import Head, PdfError
from webui.exports.queue import Held, LostError, Queue
from webui.exports.selection import Selection
from webui.exports.service import count, too_many_for_pdf

_log = logging.getLogger(__name__)

RENEWAL: Final = timedelta(seconds=2)
SWEEP: Final = timedelta(minutes=1)
# A part that nobody has touched for so long is of a worker that died.
_STALE: Final = timedelta(hours=6)


class StoppedError(Exception):
    """The worker was told to stop in the middle of a job."""


class HopelessError(Exception):
    """The job cannot be done, however often it is tried; the message is for its owner."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where files go, how long they stay, and the secret that seals their manifests."""

    folder: Path
    keep: timedelta
    key: bytes


class Worker:
    """One worker. `work` is called again and again; it raises RetryableError when the store is away."""

    def __init__(
        self,
        name: str,
        queue: Queue,
        search: EventSearch,
        place: Place,
        now: Callable[[], datetime],
        stopping: Event,
        makers: Mapping[str, Maker],
    ) -> None:
        """`name` tells workers apart; `now`: an aware time; `makers`: by name, what makes papers."""
        self._name = name
        self._queue = queue
        self._search = search
        self._place = place
        self._folder = place.folder.expanduser()
        self._now = now
        self._stopping = stopping
        self._makers = makers
        self._swept: datetime | None = None

    def work(self) -> bool:
        """Do one job, if there is one; whether there was."""
        self._sweep_if_due()
        held = self._queue.take(self._name, self._now())
        if held is None:
            return False
        job = _Progress(held, self._queue, self._now, self._stopping)
        _log.info("export %s begins, attempt %d", held.job.id, held.job.attempt)
        try:
            self._make(job)
            _log.info("export %s is done: %d rows", held.job.id, job.held.job.row_count)
        except LostError:
            _log.warning("export %s was taken by another worker", held.job.id)
        except StoppedError:
            self._give_back(job.held, "It begins anew: its worker was restarted.")
        except RetryableError as error:
            _log.warning("export %s waits for the store: %s", held.job.id, error)
            self._give_back(job.held, "It is tried again: the event store did not answer.")
            raise
        except (HopelessError, UnmakeableError, PdfError) as error:
            self._fail(job.held, str(error))
        except OSError as error:
            _log.exception("export %s cannot be written", held.job.id)
            self._fail(job.held, f"Its file cannot be written: {error.strerror or error}.")
        except PermanentError as error:
            _log.exception("export %s is refused by the store", held.job.id)
            self._fail(job.held, f"The event store refused it: {error}")
        return True

    def sweep(self) -> None:
        """Delete files that are due, those of jobs that are gone, and what dead workers left."""
        for held in self._queue.expired(self._now()):
            path = self._folder / held.job.stored_name
            path.unlink(missing_ok=True)
            manifest.beside(path).unlink(missing_ok=True)
            try:
                self._queue.expire(held)
            except LostError:
                continue
        try:
            self._queue.forget(self._now())
        except ConflictError:
            _log.info("another worker forgets old exports too")
        if not self._folder.is_dir():
            return
        stale = (self._now() - _STALE).timestamp()
        for part in self._folder.glob(f".*{PART_SUFFIX}"):
            if part.stat().st_mtime < stale:
                part.unlink(missing_ok=True)

    def _sweep_if_due(self) -> None:
        now = self._now()
        if self._swept is None or now - self._swept >= SWEEP:
            self._swept = now
            self.sweep()

    def _make(self, job: _Progress) -> None:
        asked = job.held.job
        with WholeFile(self._folder / asked.stored_name) as file:
            if isinstance(asked.subject, Commission):
                incomplete = self._write_paper(job, asked.subject, file)
            else:
                incomplete = self._write_events(job, asked.subject, file)
            job.renew()
            file.commit()
        made = Made(job.row_count, file.size_bytes, file.sha256, incomplete)
        now = self._now()
        write_whole(manifest.beside(file.path), manifest.manifest(asked, made, now, self._place.key))
        job.held = self._queue.finish(job.held, made, now, now + self._place.keep)

    def _write_events(self, job: _Progress, selection: Selection, file: WholeFile) -> str:
        """Write the events; why they are not all, or empty text."""
        asked = job.held.job
        total = count(self._search, selection)
        if asked.format is Format.PDF and total > PDF_LIMIT_COUNT:
            raise HopelessError(too_many_for_pdf(total))
        job.begin(total)
        if asked.format is Format.PDF:
            self._write_pdf(job, selection, file)
        else:
            for piece, rows in self._pieces(asked, selection):
                file.write(piece)
                job.add(rows)
        missing = total - job.row_count
        if missing <= 0:
            return ""
        return f"{missing:,} of {total:,} events were deleted while it was made: their retention ended."

    def _write_paper(self, job: _Progress, commission: Commission, file: WholeFile) -> str:
        """Write what the commission's maker makes; why it does not tell everything, or empty text."""
        asked = job.held.job
        maker = self._makers.get(commission.maker)
        if maker is None:
            raise HopelessError(f"Nobody here can make a {commission.maker}.")
        facts = {
            "Asked for by": asked.account,
            "Asked for at": f"{cells.local_time(asked.created, commission.zone)} ({commission.zone.key})",
            "Export": f"{asked.id}; the manifest beside this file has its SHA-256",
        }
        job.begin(0)
        paper = maker(commission, facts, lambda: job.add(0))
        if asked.format is Format.PDF:
            title = f"SmartWMS Audit: {commission.title}"
            pdf.write_page(paper.page, title, commission.sentence, cast("BinaryIO", _Seekable(file)))
        else:
            for piece in cells.table_bytes(paper.header, paper.rows, bom=asked.bom):
                file.write(piece)
        job.add(len(paper.rows))
        return paper.incomplete

    def _pieces(self, asked: Job, selection: Selection) -> Iterator[tuple[bytes, int]]:
        events = self._search.walk(selection.query())
        if asked.format is Format.CSV:
            return cells.csv_bytes(events, selection.zone, bom=asked.bom)
        return cells.ndjson_bytes(events)

    def _write_pdf(self, job: _Progress, selection: Selection, file: WholeFile) -> None:
        asked = job.held.job
        zone = selection.zone
        head = Head(
            selection.sentence,
            (
                ("Tenant", selection.place_name),
                ("Asked for by", asked.account),
                ("Asked for at", f"{cells.local_time(asked.created, zone)} ({zone.key})"),
                ("Events", f"{job.total_count:,}, newest first"),
                ("Export", f"{asked.id}; the manifest beside this file has its SHA-256"),
            ),
        )
        events = _limited(self._search.walk(selection.query()), PDF_LIMIT_COUNT)
        pdf.write_pdf(events, head, zone, cast("BinaryIO", _Seekable(file)), job.add)

    def _give_back(self, held: Held, why: str) -> None:
        try:
            self._queue.release(held, why)
        except LostError:
            _log.warning("export %s was taken by another worker", held.job.id)

    def _fail(self, held: Held, problem: str) -> None:
        _log.warning("export %s failed: %s", held.job.id, problem)
        try:
            self._queue.fail(held, problem, self._now())
        except LostError:
            _log.warning("export %s was taken by another worker", held.job.id)


class _Progress:
    """How far a job is; keeps its lease, and stops when it is told to."""

    def __init__(self, held: Held, queue: Queue, now: Callable[[], datetime], stopping: Event) -> None:
        self.held = held
        self.row_count = 0
        self.total_count = 0
        self._queue = queue
        self._now = now
        self._stopping = stopping
        self._said = now()

    def begin(self, total_count: int) -> None:
        self.total_count = total_count
        self.renew()

    def add(self, rows_count: int) -> None:
        self.row_count += rows_count
        if self._stopping.is_set():
            raise StoppedError
        if self._now() - self._said >= RENEWAL:
            self.renew()

    def renew(self) -> None:
        self._said = self._now()
        self.held = self._queue.renew(
            self.held, self._said, row_count=self.row_count, total_count=self.total_count
        )


def _limited(events: Iterator[StoredEvent], limit_count: int) -> Iterator[StoredEvent]:
    """Pass events on; more than were counted before, and too many, is an error and not a cut."""
    for number, event in enumerate(events, 1):
        if number > limit_count:
            raise HopelessError(too_many_for_pdf(number))
        yield event


class _Seekable:
    """What pypdf writes to: it only appends, and asks where it is."""

    def __init__(self, file: WholeFile) -> None:
        self._file = file
        self.mode = "wb"

    def write(self, data: bytes) -> int:
        self._file.write(data)
        return len(data)

    def tell(self) -> int:
        return self._file.size_bytes

    def flush(self) -> None:
        """Nothing is held back here."""
