"""Asks for exports, lists them, and gives their files to whom they belong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from indexer.query import Window
from indexer.search import EventSearch
from webui.commission import Commission, RefusedError
from webui.exports import manifest
from webui.exports.job import PDF_LIMIT_COUNT, UNFINISHED, Format, Job, State
from webui.exports.queue import Queue, new_job
from webui.exports.selection import Selection
from webui.question import Question
from webui.tenancy import NotHereError, Reader, Tenancy

MAX_UNFINISHED_COUNT: Final = 5
"""How many exports of one account may be under way: one person must not keep all others waiting."""
_TOTAL: Final = {"total": {"value_count": {"field": "event.id"}}}


class GoneError(LookupError):
    """The export is there, its file is not; the message says why."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be exported, before it is asked for."""

    selection: Selection
    question: Question
    """The same with its window fixed, so that asking for it later asks for these very events."""
    count: int

    @property
    def fits_pdf(self) -> bool:
        """Whether a PDF can hold it."""
        return self.count <= PDF_LIMIT_COUNT


class Exports:
    """The exports of an installation, as far as a reader may see them."""

    def __init__(
        self,
        queue: Queue,
        search: EventSearch,
        tenancy: Tenancy,
        folder: Path,
        now: Callable[[], datetime],
    ) -> None:
        """`folder`: where the files lie, the same for UI and workers; `now`: an aware time."""
        self._queue = queue
        self._search = search
        self._tenancy = tenancy
        self._folder = folder.expanduser()
        self._now = now

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._queue.prepare()

    def offer(self, reader: Reader, question: Question) -> Offer:
        """Say what a question would export. QuestionError; NotHereError: not the reader's tenant."""
        place = self._tenancy.place(reader, question.tenant)
        now = self._now()
        wanted = question.window(place.zone, now)
        end = min(wanted.end, now) if wanted.end else now
        # A window that lies wholly ahead stays as it is: it is empty either way.
        fixed = Window(wanted.start, end if wanted.start is None or wanted.start < end else wanted.end)
        selection = Selection(question.filter(place.zone, now, fixed), reader.scope, place.zone, place.name)
        return Offer(selection, question.within(fixed), count(self._search, selection))

    def ask(
        self, reader: Reader, offer: Offer, kind: Format, *, bom: bool, record: Callable[[Job], None]
    ) -> Job:
        """Have an export recorded, then put it in the queue. RefusedError says what to do instead."""
        if kind is Format.PDF and not offer.fits_pdf:
            raise RefusedError(too_many_for_pdf(offer.count))
        return self._asked(reader, offer.selection, kind, bom=bom, record=record)

    def commission(
        self, reader: Reader, commission: Commission, format_name: str, record: Callable[[Job], None]
    ) -> Job:
        """Have a paper recorded, then put it in the queue. RefusedError says what to do instead."""
        if format_name not in {Format.CSV, Format.PDF}:
            raise RefusedError("Choose CSV or PDF.")
        return self._asked(reader, commission, Format(format_name), bom=True, record=record)

    def _asked(
        self,
        reader: Reader,
        subject: Selection | Commission,
        kind: Format,
        *,
        bom: bool,
        record: Callable[[Job], None],
    ) -> Job:
        under_way = [job for job in self.all(reader) if job.state in UNFINISHED]
        if len(under_way) >= MAX_UNFINISHED_COUNT:
            raise RefusedError(
                f"{MAX_UNFINISHED_COUNT} of your exports are still under way; wait until one of them is done."
            )
        job = new_job(reader.account, subject, kind, bom=bom, now=self._now())
        # First, so that there is no export that nobody knows of.
        record(job)
        self._queue.add(job)
        return job

    def all(self, reader: Reader) -> list[Job]:
        """Give the reader's own exports, newest first."""
        return self._queue.of(reader.account, _tenant(reader))

    def get(self, reader: Reader, job_id: str) -> Job:
        """Give one export; NotHereError when it is not the reader's own."""
        held = self._queue.get(job_id)
        if held is None or (held.job.account, held.job.subject.tenant) != (reader.account, _tenant(reader)):
            raise NotHereError
        return held.job

    def file(self, reader: Reader, job_id: str) -> tuple[Job, Path]:
        """Give an export's file. NotHereError; GoneError says why there is none."""
        job = self.get(reader, job_id)
        if job.state in UNFINISHED:
            raise GoneError("This export is not ready yet.")
        if job.state is State.FAILED:
            raise GoneError(f"This export failed: {job.problem}")
        if job.state is State.EXPIRED or (job.expires and job.expires <= self._now()):
            raise GoneError("This export has expired and its file was deleted. Ask for it again.")
        path = self._folder / job.stored_name
        if not path.is_file() or not manifest.beside(path).is_file():
            raise GoneError(
                "The file of this export is not here. It was deleted, or exports are made on another machine "
                "whose AUDIT_WEBUI_EXPORT_DIR is not shared with this one."
            )
        return job, path

    def downloaded(self, reader: Reader, job: Job) -> None:
        """Remember who had the file."""
        self._queue.downloaded(job.id, reader.account, self._now())


def count(search: EventSearch, selection: Selection) -> int:
    """Count the events of a selection, exactly."""
    found = search.aggregate(selection.query(), _TOTAL)
    return int(found["total"]["value"]) if found else 0


def too_many_for_pdf(events_count: int) -> str:
    """Say that a PDF would be too long, and what to do."""
    return (
        f"A PDF holds at most {PDF_LIMIT_COUNT:,} rows, and these are {events_count:,}. "
        "Nothing is cut silently: choose CSV, or narrow the search."
    )


def _tenant(reader: Reader) -> str:
    return reader.scope.tenant_id or "*"
