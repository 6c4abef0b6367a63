"""What a running agent tells others of itself: one small file in the state directory, replaced regularly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from agent.pipeline import Pipeline
from agent.state import is_held
from agent.telemetry import Counts, shown

STATUS = "status.json"


def counts(of: Counts) -> dict[str, int]:
    return asdict(of)


def write(state_dir: Path, pipeline: Pipeline, started_at: datetime, now: datetime) -> None:
    """Replace the status file; a disk that refuses costs nothing but this."""
    lanes = pipeline.lanes
    document = {
        "written": now,
        "started": started_at,
        "counts": counts(pipeline.counts),
        "files": [
            {
                "source": stream.source,
                "path": shown(stream.path),
                "position": stream.position,
                "size": stream.size,
                "archive": stream.archive_size is not None,
                "gone": stream.gone_since is not None,
                "problem": stream.unreadable,
            }
            for feed in pipeline.feeds
            for stream in feed.tail.streams
        ],
        "checkpoint": pipeline.checkpoint_number,
        "lost_bytes": pipeline.lost_bytes,
        "stalled": pipeline.observation.stalled,
        "silent": sorted(pipeline.observation.silent),
        "unreadable": {
            path: reason for feed in pipeline.feeds for path, reason in feed.tail.troubles.unreadable.items()
        },
        "in_flight": lanes.in_flight,
        "waiting": lanes.waiting,
        "last_error": lanes.last_error,
        "seals": list(pipeline.seals.problems),
    }
    beside = state_dir / (STATUS + ".new")
    try:
        beside.write_bytes(orjson.dumps(document))
        beside.replace(state_dir / STATUS)
    except OSError:
        return


def read(state_dir: Path) -> dict[str, Any] | None:
    """What the agent wrote last; None when it never did, or when that is no status."""
    try:
        document = orjson.loads((state_dir / STATUS).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    is_status = isinstance(document, dict) and isinstance(document.get("checkpoint"), int)
    return document if is_status else None


def lines(state_dir: Path, now: datetime) -> Iterator[str]:
    """The status for people; sizes are looked up now, so that the lag is today's even if the agent is not."""
    document = read(state_dir)
    if document is None and not (state_dir / STATUS).exists():
        yield f"{state_dir}: no agent has run with this state directory yet"
        return
    try:
        said = list(_lines(document or {}, state_dir, now))
    except (KeyError, TypeError, ValueError, AttributeError):
        said = [f"{state_dir / STATUS}: it is damaged, or of another version; a running agent replaces it"]
    yield from said


def _lines(document: dict[str, Any], state_dir: Path, now: datetime) -> Iterator[str]:
    age_secs = (now - datetime.fromisoformat(document["written"])).total_seconds()
    yield f"agent {'running' if is_held(state_dir) else 'not running'}, last word {age_secs:.0f} s ago"
    for file in document["files"]:
        size = file["size"] if file["archive"] else _size(file["path"], file["size"])
        yield (
            f"{file['source']}  {file['path']}  position {file['position']}  size {size}  "
            f"lag {max(size - file['position'], 0)}{'  ' + file['problem'] if file['problem'] else ''}"
        )
    for name, path in document["stalled"].items():
        yield f"stalled  {name}  {path} has reached 1 GiB: SmartWMS drops every further line"
    for name in document["silent"]:
        yield f"silent  {name}  writes nothing while its neighbours do"
    for path, reason in document["unreadable"].items():
        yield f"unreadable  {path}  {reason}"
    yield "counts  " + "  ".join(f"{name} {count}" for name, count in document["counts"].items())
    if document["lost_bytes"]:
        yield f"lost  {document['lost_bytes']} bytes of files that were truncated or deleted unread"
    yield f"store  in flight {document['in_flight']}  last error {document['last_error'] or 'none'}"
    for problem in document["seals"]:
        yield f"seals  {problem}"
    for partition, reason in document["waiting"].items():
        yield f"waiting  {partition}  {reason}"


def _size(path: str, known: int) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return known
