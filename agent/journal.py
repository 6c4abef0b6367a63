"""What the agent itself has to tell, as lines of a log in its state directory that it ships like any other.

So these events have position, id and exactly-once as all others do. The format is that of the trail.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import orjson
import structlog

from agent.appending import append

FOLDER = "journal"
PATTERN = "agent-*.jsonl"
LOGGER = "SmartWMS.Audit.Agent"
KEPT_DAYS = 35
# What cannot be written yet is kept; a disk that stays full costs the oldest of more than this.
_WAITING_MAX = 1_000

log = structlog.get_logger()


class Gravity(Enum):
    """How grave an event is: its level, and its outcome."""

    NEWS = ("Information", "success")
    WARNING = ("Warning", "failure")
    ALARM = ("Error", "failure")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """Appends to one file a day; files that are older than KEPT_DAYS go."""

    def __init__(self, state_dir: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self.folder = state_dir / FOLDER
        self.problem = ""
        self._clock = clock
        self._waiting: deque[bytes] = deque(maxlen=_WAITING_MAX)

    def tell(
        self, action: str, message: str, facts: dict[str, Any], gravity: Gravity = Gravity.ALARM
    ) -> None:
        """Note an event; `action` is one of the category `audit` in `indexer.event.ACTIONS`."""
        now = self._clock()
        level, outcome = gravity.value
        line = {
            "@t": f"{now:%Y-%m-%dT%H:%M:%S.%f}Z",
            "@l": level,
            "SourceContext": LOGGER,
            "Action": action,
            "Outcome": outcome,
            "Message": message,
            **facts,
        }
        self._waiting.append(orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE))
        self.write()

    def write(self) -> None:
        """Write what waits; a disk that refuses is told once and tried again by the next call."""
        if not self._waiting:
            return
        try:
            self._append(b"".join(self._waiting))
        except OSError as error:
            if not self.problem:
                log.error("journal_not_written", reason=str(error))  # noqa: TRY400 - foreseen: no traceback
            self.problem = f"{self.folder}: the agent's own events cannot be written ({error})"
            return
        self._waiting.clear()
        self.problem = ""

    def _append(self, data: bytes) -> None:
        today = self._clock()
        path = self.folder / f"agent-{today:%Y%m%d}.jsonl"
        is_new = not path.exists()
        if is_new:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._forget(today)
        # Half a line of a crash must not swallow the next one.
        append(path, (b"" if is_new or _ends_whole(path) else b"\n") + data)

    def _forget(self, today: datetime) -> None:
        oldest = f"agent-{today - timedelta(days=KEPT_DAYS):%Y%m%d}.jsonl"
        for path in self.folder.glob(PATTERN):
            if path.name < oldest:
                path.unlink(missing_ok=True)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
