"""What is final of each file, on disk: written whole or not at all, believed only when it proves itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from agent.sources.fingerprint import IDENTITY_BYTES, NO_ANCHOR, Anchor
from agent.telemetry import shown

VERSION = 1
_RESENT = "every source is read from its beginning, what is stored already is not stored again"


class Entry(NamedTuple):
    """One file's state: bytes before `position` are final; a record begins at `context_from` below it.

    `last_time` is the last usable time of a record before `position`: a record without one takes it. At
    `cuts`, which lie behind `position`, quiet ended a record: read again, it has to end there again.
    """

    source: str
    identity: bytes
    position: int
    anchor: Anchor
    context_from: int
    path: str
    last_time: str = ""
    cuts: tuple[int, ...] = ()


def load(path: Path) -> tuple[list[Entry], str]:
    """The entries in `path` and, when it cannot be believed, the sentence that says so (then no entries).

    A file that is absent is a first start: no entries, no sentence.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"{path}: cannot be read ({error}); {_RESENT}"
    try:
        document = orjson.loads(data)
        version = document["version"]
        if version != VERSION:
            age = "a newer" if version > VERSION else "an older"
            return [], f"{path}: was written by {age} version of the agent (format {version}); {_RESENT}"
        files = document["files"]
        if _digest(files) != document["digest"]:
            return [], f"{path}: is damaged (its digest differs); {_RESENT}"
        return [_entry(each) for each in files], ""
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        what = "is empty" if not data.strip() else "is torn or no checkpoint"
        return [], f"{path}: {what}; {_RESENT}"


def number_of(path: Path) -> int:
    """How many checkpoints had been written when this one was; 0 when that cannot be told."""
    try:
        return int(orjson.loads(path.read_bytes())["number"])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return 0


def save(path: Path, entries: Iterable[Entry], number: int = 0) -> None:
    """Replace `path` whole: written beside, flushed, renamed, folder flushed. OSError leaves the old one."""
    files = [_fields(entry) for entry in entries]
    data = orjson.dumps({"version": VERSION, "number": number, "digest": _digest(files), "files": files})
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the platform can flush directories."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(files: list[dict[str, Any]]) -> str:
    return hashlib.sha256(orjson.dumps(files, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _fields(entry: Entry) -> dict[str, Any]:
    return {
        "source": entry.source,
        "identity": entry.identity.hex(),
        "position": entry.position,
        "anchor": [entry.anchor.length, entry.anchor.digest.hex()],
        "context_from": entry.context_from,
        "path": shown(entry.path),
        "last_time": entry.last_time,
        "cuts": entry.cuts,
    }


def _entry(fields: dict[str, Any]) -> Entry:
    length, digest = fields["anchor"]
    entry = Entry(
        source=str(fields["source"]),
        identity=bytes.fromhex(fields["identity"]),
        position=int(fields["position"]),
        anchor=Anchor(int(length), bytes.fromhex(digest)) if length else NO_ANCHOR,
        context_from=int(fields["context_from"]),
        path=str(fields["path"]),
        last_time=str(fields.get("last_time", "")),
        cuts=tuple(map(int, fields.get("cuts", ()))),
    )
    if len(entry.identity) != IDENTITY_BYTES or not 0 <= entry.context_from <= entry.position:
        raise ValueError("not an entry")
    return entry
