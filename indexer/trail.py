"""The trail: what people do, one JSON line each, for the agent to ship like any other log.

The web UI writes it for what its users do, the commands for what is done by hand. A line is written before
the answer is given; if it cannot be written, the answer is an error.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import orjson
from pydantic_settings import SettingsConfigDict

from indexer.settings import Variables

DEFAULT_FILE: Final = Path("~/.local/state/smartwms-audit/trail.log")

Action = Literal[
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "searched",
    "viewed",
    "exported",
    "downloaded",
    "configured",
    "reviewed",
]


ASKED: Final = "asked"
CONFIRMED: Final = "confirmed"
WITHDRAWN: Final = "withdrawn"


class TrailSettings(Variables):
    """Where the trail is: the variable is the web UI's, so that all of it is in one file."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_WEBUI_")

    trail_file: Path = DEFAULT_FILE


class TrailError(OSError):
    """The trail cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody did. Empty text means: does not apply."""

    Action: Action
    Message: str
    Outcome: Literal["success", "failure"] = "success"
    StatusCode: int = 200
    TenantId: str = ""
    UserId: str = ""
    UserName: str = ""
    EntityType: str = ""
    EntityId: str = ""
    Erasure: str = ""
    """What was decided of the erasure of this tenant; `audit-indexer verify` looks for it."""
    Query: str = ""
    Sentence: str = ""
    Format: str = ""
    Rows: int = 0
    Provider: str = ""
    IpAddress: str = ""
    UserAgent: str = ""
    Method: str = ""
    Path: str = ""
    RequestId: str = ""


class Trail:
    """One file of JSON lines; each line is one write to its end, so that processes do not mix theirs."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        """`now`: an aware time."""
        self._path = path.expanduser()
        self._now = now
        self._lock = threading.Lock()

    def write(self, entry: Entry) -> None:
        """Append one line; TrailError when it is not on its way to the disk afterwards."""
        moment = self._now().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = orjson.dumps({"@t": moment, **{name: value for name, value in asdict(entry).items() if value}})
        line += b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Opened for each line: whoever rotates the file away is never written to again.
            with self._lock:
                handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
                try:
                    if os.write(handle, line) != len(line):
                        raise OSError(f"only a part of a line could be written to {self._path}")
                finally:
                    os.close(handle)
        except OSError as error:
            raise TrailError(f"the trail {self._path} cannot be written: {error}") from error
