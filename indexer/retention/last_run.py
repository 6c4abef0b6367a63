"""What the last run of retention did, also where nothing was due: one that is not made must be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from indexer.client import Client
from indexer.documents import Documents
from indexer.query import iso
from indexer.retention.lease import KIND

LAST: Final = "last"
# It is made every night; one that was missed is made up for, and one more may fail.
OVERDUE_AFTER: Final = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class LastRun:
    """Who ran it, from when to when, how many deletions it made, and what it could not do."""

    who: str
    began: datetime
    ended: datetime
    deleted_count: int
    findings: tuple[str, ...]

    def is_overdue(self, now: datetime) -> bool:
        """Whether another one should have been made since."""
        return now - self.ended > OVERDUE_AFTER


def write(client: Client, prefix: str, run: LastRun) -> None:
    """Write down the run that has ended."""
    documents = Documents(client, prefix, KIND)
    source = {
        "who": run.who,
        "began": iso(run.began),
        "ended": iso(run.ended),
        "outcome": "findings" if run.findings else "done",
        "report": {"deleted_count": run.deleted_count, "findings": list(run.findings)},
    }
    stored = documents.get(LAST)
    if stored is None:
        documents.create(LAST, source)
    else:
        documents.replace(stored, source)


def read(client: Client, prefix: str) -> LastRun | None:
    """Return the last run; None where there was none."""
    stored = Documents(client, prefix, KIND).get(LAST)
    if stored is None:
        return None
    about = stored.source
    findings: Sequence[str] = about["report"]["findings"]
    return LastRun(
        about["who"],
        datetime.fromisoformat(about["began"]),
        datetime.fromisoformat(about["ended"]),
        about["report"]["deleted_count"],
        tuple(findings),
    )
