"""Papers that nobody presses a button for: put in the queue under a given id, and asked after by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from indexer.errors import ConflictError
from webui.commission import Commission, Outcome
from webui.exports.job import UNFINISHED, Format, State
from webui.exports.queue import Queue, new_job


class Standing:
    """Orders of programs. Raises the errors of `indexer.errors`."""

    def __init__(self, queue: Queue, now: Callable[[], datetime]) -> None:
        """`now`: an aware time."""
        self._queue = queue
        self._now = now

    def place(self, account: str, commission: Commission, format_name: str, job_id: str) -> None:
        """Put a commission in the queue under an id; when there is such a job, nothing happens."""
        job = new_job(account, commission, Format(format_name), bom=True, now=self._now(), job_id=job_id)
        try:
            self._queue.add(job)
        except ConflictError:
            return

    def outcome(self, job_id: str) -> Outcome | None:
        """Say how far it is; None: there is no such job."""
        held = self._queue.get(job_id)
        if held is None:
            return None
        job = held.job
        if job.state in UNFINISHED:
            return Outcome(over=False)
        if job.state is not State.DONE:
            return Outcome(over=True, problem=job.problem or "Its file has expired.")
        return Outcome(
            over=True,
            stored_name=job.stored_name,
            file_name=job.file_name,
            media_type=job.format.media_type.partition(";")[0],
            sha256=job.sha256,
        )
