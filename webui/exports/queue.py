"""The jobs in the store: who waits, who is worked on by whom and until when, who is over.

A worker holds a job by a lease, whose end others tell by watching it (`webui.silence`). Every change names
the version it changes, so a worker that was thought dead, and whose job somebody else took, learns it at its
next step and stops.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from indexer.documents import Documents, Stored
from indexer.errors import ConflictError
from indexer.query import iso
from webui.commission import Commission
from webui.exports.job import UNFINISHED, Format, Job, State, from_document
from webui.exports.manifest import Made
from webui.exports.selection import Selection
from webui.silence import Silence

LEASE: Final = timedelta(seconds=60)
MAX_DEATHS_COUNT: Final = 5
LISTED_COUNT: Final = 100
FORGOTTEN_AFTER: Final = timedelta(days=90)
"""How long an export that has no file any more stays in the list."""
_LOOKED_AT_COUNT: Final = 10
_WATCHED_COUNT: Final = 500
_ATTEMPTS_COUNT: Final = 5
_ID_BYTES: Final = 8


class LostError(Exception):
    """The job belongs to somebody else by now, or is gone: whoever held it stops."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job in the version that was read."""

    job: Job
    stored: Stored


class Queue:
    """All exports of an installation. Raises the errors of `indexer.errors`. Times are given and aware."""

    def __init__(self, documents: Documents, clock: Callable[[], float] = time.monotonic) -> None:
        """`documents` of the kind "exports"; `clock`: seconds that never go back."""
        self._documents = documents
        self._silence = Silence(clock)

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._documents.prepare()

    def add(self, job: Job) -> None:
        """Put a new job behind the others."""
        self._documents.create(job.id, job.document())

    def get(self, job_id: str) -> Held | None:
        """Give a job as it is now."""
        stored = self._documents.get(job_id)
        return None if stored is None else _held(stored)

    def of(self, account: str, tenant: str) -> list[Job]:
        """Give the newest jobs of an account in the tenant it belongs to, newest first."""
        mine = [{"term": {"account": account}}, {"term": {"tenant": tenant}}]
        found = self._documents.find(
            {"bool": {"filter": mine}}, sort=[{"created": "desc"}], limit=LISTED_COUNT
        )
        return [from_document(stored.id, stored.source) for stored in found]

    def take(self, worker: str, now: datetime) -> Held | None:
        """Give the oldest job that nobody works on to this worker; None when there is none."""
        oldest = [{"created": "asc"}]
        waiting = self._documents.find(
            {"term": {"state": State.WAITING}}, sort=oldest, limit=_LOOKED_AT_COUNT
        )
        running = self._documents.find(
            {"term": {"state": State.RUNNING}}, sort=oldest, limit=_WATCHED_COUNT, fresh=False
        )
        left = self._silence.left(running, LEASE, now)
        for held in map(_held, [*left, *waiting]):
            job = held.job
            try:
                if job.state is State.RUNNING and job.attempt >= MAX_DEATHS_COUNT:
                    died = f"It was given up after {job.attempt} attempts: each time its worker died."
                    self._write(held, replace(job, state=State.FAILED, finished=now, problem=died))
                    continue
                return self._write(
                    held,
                    replace(
                        job,
                        state=State.RUNNING,
                        worker=worker,
                        lease=now + LEASE,
                        attempt=job.attempt + 1,
                        started=now,
                        row_count=0,
                        problem="",
                    ),
                )
            except LostError:
                continue
        return None

    def renew(self, held: Held, now: datetime, *, row_count: int, total_count: int) -> Held:
        """Say how far a job is, and keep it; LostError when it is not ours any more."""
        return self._write(
            held, replace(held.job, lease=now + LEASE, row_count=row_count, total_count=total_count)
        )

    def finish(self, held: Held, made: Made, now: datetime, expires: datetime) -> Held:
        """Say that the file is there; LostError: somebody else's is."""
        return self._write(
            held,
            replace(
                held.job,
                state=State.DONE,
                finished=now,
                expires=expires,
                lease=None,
                row_count=made.row_count,
                size_bytes=made.size_bytes,
                sha256=made.sha256,
                problem=made.incomplete,
            ),
        )

    def fail(self, held: Held, problem: str, now: datetime) -> None:
        """End a job for good, with the reason that its owner reads."""
        self._write(held, replace(held.job, state=State.FAILED, finished=now, lease=None, problem=problem))

    def release(self, held: Held, problem: str) -> None:
        """Give a job back for another try."""
        self._write(held, replace(held.job, state=State.WAITING, lease=None, row_count=0, problem=problem))

    def downloaded(self, job_id: str, who: str, now: datetime) -> None:
        """Remember who had the file."""
        for attempt in range(_ATTEMPTS_COUNT):
            held = self.get(job_id)
            if held is None:
                return
            try:
                self._write(held, replace(held.job, downloads=(*held.job.downloads, (who, iso(now)))))
                return
            except LostError:
                if attempt + 1 == _ATTEMPTS_COUNT:
                    raise

    def expired(self, now: datetime) -> list[Held]:
        """Give the jobs whose file is to go."""
        due = [{"term": {"state": State.DONE}}, _before("expires", now)]
        return [_held(stored) for stored in self._documents.find({"bool": {"filter": due}})]

    def expire(self, held: Held) -> None:
        """Say that the file is gone."""
        self._write(held, replace(held.job, state=State.EXPIRED))

    def forget(self, now: datetime) -> None:
        """Delete the jobs that ended long ago."""
        over = {"terms": {"state": [State.EXPIRED, State.FAILED]}}
        due = [over, _before("finished", now - FORGOTTEN_AFTER)]
        for stored in self._documents.find({"bool": {"filter": due}}):
            self._documents.delete(stored)

    def unfinished_ids(self) -> set[str]:
        """Give the jobs that are waited for or worked on."""
        query = {"terms": {"state": list(UNFINISHED)}}
        return {stored.id for stored in self._documents.find(query)}

    def _write(self, held: Held, job: Job) -> Held:
        try:
            stored = self._documents.replace(held.stored, job.document())
        except ConflictError as error:
            raise LostError(f"export {job.id} was changed by somebody else") from error
        return Held(job, stored)


def new_job(
    account: str, subject: Selection | Commission, kind: Format, *, bom: bool, now: datetime, job_id: str = ""
) -> Job:
    """Make a job that waits, with an id of its own unless it is given."""
    return Job(
        id=job_id or secrets.token_hex(_ID_BYTES),
        account=account,
        format=kind,
        bom=bom,
        subject=subject,
        state=State.WAITING,
        created=now,
    )


def _held(stored: Stored) -> Held:
    return Held(from_document(stored.id, stored.source), stored)


def _before(name: str, moment: datetime) -> dict[str, Any]:
    return {"range": {name: {"lt": iso(moment)}}}
