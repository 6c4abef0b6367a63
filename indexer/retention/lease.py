"""One run at a time, wherever it is started: a document in the store that says who runs, and until when."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psutil

from indexer.client import Client
from indexer.documents import Documents, Stored
from indexer.errors import ConflictError
from indexer.query import iso
from indexer.retention.alarms import AlarmError
from indexer.retention.persons import person

KIND: Final = "retention"
LEASE: Final = "lease"
LENGTH: Final = timedelta(minutes=10)
# A lease is renewed when this much of it is gone.
_RENEW_AFTER: Final = timedelta(minutes=2)


class Lease:
    """The right to change what is kept. Get one by `take`; leave by `give_back`."""

    def __init__(self, documents: Documents, stored: Stored, holder: Mapping[str, Any]) -> None:
        self._documents = documents
        self._stored = stored
        self._holder = holder
        self._renewed = _now()
        self.blocked: str = str(stored.source.get("blocked", ""))
        """The index that the run before kept writers from, when it was killed; or this run does."""

    def renew(self, *, force: bool = True) -> None:
        """Make the lease last on; `another-run` when it is another's meanwhile."""
        if not force and _now() - self._renewed < _RENEW_AFTER:
            return
        self._write(until=_now() + LENGTH)

    def block(self, index: str) -> None:
        """Write down which index writers are kept from, before they are."""
        self.blocked = index
        self.renew()

    def give_back(self) -> None:
        """End the lease; one that another run has taken is that one's."""
        with contextlib.suppress(AlarmError):
            self._write(until=_now())

    def _write(self, until: datetime) -> None:
        source = {**self._holder, "until": iso(until), "blocked": self.blocked}
        try:
            self._stored = self._documents.replace(self._stored, source)
        except ConflictError as error:
            raise AlarmError("another-run", "another run has taken this run's lease; it ends here") from error
        self._renewed = _now()


def take(client: Client, prefix: str) -> Lease:
    """Take the lease; `another-run` while another run has it that lives, as far as can be told."""
    documents = Documents(client, prefix, KIND)
    holder = _holder()
    stored = documents.get(LEASE)
    try:
        if stored is None:
            source = {**holder, "until": iso(_now() + LENGTH), "blocked": ""}
            return Lease(documents, documents.create(LEASE, source), holder)
        if _is_held(stored.source, holder):
            about = stored.source
            raise AlarmError(
                "another-run",
                f"{about['who']} runs since {about['since'][:19]}Z on {about['host']} "
                f"(process {about['process']}), with a lease until {about['until'][:19]}Z",
            )
        lease = Lease(documents, stored, holder)
        lease.renew()
    except ConflictError as error:
        raise AlarmError("another-run", "another run took the lease at this very moment") from error
    return lease


def _is_held(source: Mapping[str, Any], holder: Mapping[str, Any]) -> bool:
    if datetime.fromisoformat(source["until"]) <= _now():
        return False
    if source["host"] != holder["host"]:
        return True
    return _lives(int(source["process"]), float(source["started"]))


def _lives(process: int, started: float) -> bool:
    try:
        # The same number may be another process's by now.
        return abs(psutil.Process(process).create_time() - started) < 1
    except psutil.NoSuchProcess:
        return _is_hidden(process)
    except psutil.Error:
        return True


def _is_hidden(process: int) -> bool:
    """Whether there is a process that we may not see: another user's, under `ProtectProc=invisible`."""
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _holder() -> dict[str, Any]:
    own = psutil.Process()
    return {
        "who": person(),
        "host": platform.node(),
        "process": own.pid,
        "started": own.create_time(),
        "since": iso(_now()),
    }


def _now() -> datetime:
    # Not the moment by which is decided what is kept: a lease is about the present.
    return datetime.now(UTC)
