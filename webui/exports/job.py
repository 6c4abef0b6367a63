"""One export as a job: its states, and how it is stored. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from indexer.query import iso
from webui import commission
from webui.commission import Commission
from webui.exports import selection
from webui.exports.selection import Selection

PDF_LIMIT_COUNT: Final = 20_000
"""A PDF of more rows is no document that anybody reads; it is refused, never cut."""


class Format(StrEnum):
    """What kind of file; the value is also its extension."""

    CSV = "csv"
    NDJSON = "ndjson"
    PDF = "pdf"

    @property
    def media_type(self) -> str:
        """Give the type as browsers are told it."""
        types = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson", "pdf": "application/pdf"}
        return types[self.value]


class State(StrEnum):
    """Where a job stands. `failed` and `expired` have no file."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


UNFINISHED: Final = (State.WAITING, State.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An export that somebody asked for. Times are aware; counts are of events."""

    id: str
    account: str
    format: Format
    bom: bool
    subject: Selection | Commission
    """The events of a selection, or a paper that a feature makes."""
    state: State
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    expires: datetime | None = None
    worker: str = ""
    lease: datetime | None = None
    """Until when the job belongs to its worker; whoever comes later may take it."""
    attempt: int = 0
    total_count: int = 0
    row_count: int = 0
    size_bytes: int = 0
    sha256: str = ""
    problem: str = ""
    """Why it failed; of a file: why it is not complete."""
    downloads: tuple[tuple[str, str], ...] = ()
    """Who had the file, and when (ISO, UTC)."""

    @property
    def words(self) -> str:
        """What it holds, in a few words."""
        if isinstance(self.subject, Commission):
            return f"{self.subject.title} as {self.format.name}"
        return f"{self.row_count:,} events as {self.format.name}"

    @property
    def file_name(self) -> str:
        """What the file is called by whoever has it."""
        what = f"-{self.subject.title}" if isinstance(self.subject, Commission) else ""
        plain = re.sub(r"[^a-z0-9]+", "-", what.lower()).rstrip("-")
        moment = f"{self.created.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        return f"smartwms-audit{plain}-{moment}-{self.id}.{self.format.value}"

    @property
    def stored_name(self) -> str:
        """What the file is called here: by attempt, so that a worker thought dead overwrites nothing."""
        return f"{self.id}.{self.attempt}.{self.format.value}"

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100; a file that is still being closed is not all there."""
        if self.state is State.DONE:
            return 100
        return min(99, 100 * self.row_count // self.total_count) if self.total_count else 0

    def document(self) -> dict[str, Any]:
        """Give the job as it is stored."""
        return {
            "account": self.account,
            "tenant": self.subject.tenant,
            "format": self.format.value,
            "bom": self.bom,
            "state": self.state.value,
            **{
                name: iso(moment) if moment else None
                for name, moment in (
                    ("created", self.created),
                    ("started", self.started),
                    ("finished", self.finished),
                    ("expires", self.expires),
                    ("lease", self.lease),
                )
            },
            "worker": self.worker,
            "attempt": self.attempt,
            "total_count": self.total_count,
            "row_count": self.row_count,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "commission" if isinstance(self.subject, Commission) else "selection": self.subject.document(),
            "sentence": self.subject.sentence,
            "problem": self.problem,
            "downloads": [list(each) for each in self.downloads],
        }


def from_document(job_id: str, source: Mapping[str, Any]) -> Job:
    """Read a job back."""
    return Job(
        id=job_id,
        account=source["account"],
        format=Format(source["format"]),
        bom=source["bom"],
        subject=(
            commission.from_document(source["commission"])
            if "commission" in source
            else selection.from_document(source["selection"])
        ),
        state=State(source["state"]),
        created=datetime.fromisoformat(source["created"]),
        started=_moment(source["started"]),
        finished=_moment(source["finished"]),
        expires=_moment(source["expires"]),
        worker=source["worker"],
        lease=_moment(source["lease"]),
        attempt=source["attempt"],
        total_count=source["total_count"],
        row_count=source["row_count"],
        size_bytes=source["size_bytes"],
        sha256=source["sha256"],
        problem=source["problem"],
        downloads=tuple((who, when) for who, when in source["downloads"]),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
