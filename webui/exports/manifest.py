"""What stands beside every export: what it is of, who asked, and whether it is all; and checking one.

The seal is an HMAC under the installation's secret: a manifest that was made or changed elsewhere is found
out wherever that secret is.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from indexer.query import iso
from webui.exports.job import Format, Job

SUFFIX: Final = ".manifest.json"
_VERSION: Final = 1
# What is read out to whoever asks.
_MEMBERS: Final = {"row_count": int, "sha256": str, "sentence": str, "requested_by": str, "requested_at": str}
_CHUNK_BYTES: Final = 1024 * 1024
# A cell can hold a whole record of a log.
_CELL_LIMIT_CHARS: Final = 64 * 1024 * 1024


class ManifestError(ValueError):
    """There is no manifest that can be read; the message names the file and the way out."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: rows, and why they are not all (empty: they are)."""

    row_count: int
    size_bytes: int
    sha256: str
    incomplete: str


def manifest(job: Job, made: Made, now: datetime, key: bytes) -> bytes:
    """Give the manifest of a file, sealed."""
    subject = job.subject
    said: dict[str, Any] = {
        "product": "SmartWMS Audit",
        "manifest_version": _VERSION,
        "file": job.file_name,
        "format": job.format.value,
        "complete": not made.incomplete,
        "why_incomplete": made.incomplete or None,
        "row_count": made.row_count,
        "size_bytes": made.size_bytes,
        "sha256": made.sha256,
        "sentence": subject.sentence,
        "filter": subject.conditions(),
        "range": subject.range(),
        "zone": subject.zone.key,
        "tenant": {"id": subject.tenant, "name": subject.place_name},
        "requested_by": job.account,
        "requested_at": iso(job.created),
        "made_at": iso(now),
        "export_id": job.id,
    }
    said["seal"] = _seal(said, key)
    return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def beside(file: Path) -> Path:
    """Give where the manifest of a file lies."""
    return file.with_name(file.name + SUFFIX)


def read(path: Path) -> dict[str, Any]:
    """Read a manifest; ManifestError when there is none."""
    try:
        said = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ManifestError(
            f"the manifest {path} cannot be read ({error.strerror}); it is downloaded beside the file"
        ) from error
    except orjson.JSONDecodeError as error:
        raise ManifestError(f"the manifest {path} is no JSON: {error}") from error
    if not isinstance(said, dict) or said.get("manifest_version") != _VERSION:
        raise ManifestError(f"{path} is no manifest of version {_VERSION}")
    # A seal would tell of it, but there is not always a key to look at the seal with.
    for name, kind in _MEMBERS.items():
        if type(said.get(name)) is not kind:
            raise ManifestError(f"{path} does not say {name}, which every manifest does")
    return said


def findings(file: Path, said: Mapping[str, Any], key: bytes | None) -> list[str]:
    """Compare a file with its manifest; a sentence for each thing that is not as it says.

    Without a `key` the seal is not looked at. OSError when the file cannot be read.
    """
    found = []
    size_bytes, digest = _measured(file)
    if size_bytes != said.get("size_bytes"):
        found.append(f"size: {size_bytes} bytes, the manifest says {said.get('size_bytes')}")
    if digest != said.get("sha256"):
        found.append(f"SHA-256: {digest}, the manifest says {said.get('sha256')}")
    rows = _row_count(file, str(said.get("format")))
    if rows is not None and rows != said.get("row_count"):
        found.append(f"rows: {rows}, the manifest says {said.get('row_count')}")
    if said.get("complete") is not True:
        found.append(f"the export is not complete: {said.get('why_incomplete')}")
    if key is not None and not hmac.compare_digest(str(said.get("seal")).encode(), _seal(said, key).encode()):
        found.append("seal: the manifest was not written by this installation, or was changed")
    return found


def _seal(said: Mapping[str, Any], key: bytes) -> str:
    sealed = {name: value for name, value in said.items() if name != "seal"}
    message = orjson.dumps(sealed, option=orjson.OPT_SORT_KEYS)
    own_key = hashlib.sha256(b"export\0" + key).digest()
    return hmac.digest(own_key, message, "sha256").hex()


def _measured(file: Path) -> tuple[int, str]:
    size_bytes, digest = 0, hashlib.sha256()
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            digest.update(chunk)
    return size_bytes, digest.hexdigest()


def _row_count(file: Path, format_name: str) -> int | None:
    """Count the events of a file; None for a PDF, whose hash must do, and for what is no text."""
    if format_name == Format.NDJSON:
        with file.open("rb") as data:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: data.read(_CHUNK_BYTES), b""))
    if format_name == Format.CSV:
        before = csv.field_size_limit(_CELL_LIMIT_CHARS)
        try:
            with file.open(encoding="utf-8-sig", newline="") as text:
                return max(0, sum(1 for _ in csv.reader(text)) - 1)
        except (UnicodeDecodeError, csv.Error):
            return None
        finally:
            csv.field_size_limit(before)
    return None
