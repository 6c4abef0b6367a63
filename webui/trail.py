"""The trail: what people do in this UI, one JSON line each, for the agent to ship like any other log.

A line is written before the answer is sent; if it cannot be written, the answer is not given.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import orjson
from flask import current_app, g, request

from webui.access import Identity

Action = Literal[
    "signed_in", "sign_in_failed", "signed_out", "searched", "viewed", "exported", "downloaded", "configured"
]


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
    Query: str = ""
    Sentence: str = ""
    Format: str = ""
    Rows: int = 0
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


def record(  # noqa: PLR0913  one argument a column of the trail
    action: Action,
    message: str,
    *,
    who: Identity | None,
    name: str = "",
    failed: bool = False,
    status: int = 200,
    entity: tuple[str, str] = ("", ""),
    query: str = "",
    sentence: str = "",
    file_format: str = "",
    rows_count: int = 0,
) -> None:
    """Write what this request did. `who`: None when nobody is signed in, then `name` is what was typed."""
    trail: Trail = current_app.extensions["audit-trail"]
    trail.write(
        Entry(
            Action=action,
            Message=message,
            Outcome="failure" if failed else "success",
            StatusCode=status,
            TenantId="" if who is None or who.tenant_id == "*" else who.tenant_id,
            UserId="" if who is None else who.id,
            UserName=name if who is None else who.name,
            EntityType=entity[0],
            EntityId=entity[1],
            Query=query,
            Sentence=sentence,
            Format=file_format,
            Rows=rows_count,
            IpAddress=request.remote_addr or "",
            UserAgent=request.headers.get("User-Agent", "")[:1024],
            Method=request.method,
            Path=request.path,
            RequestId=g.request_id,
        )
    )
