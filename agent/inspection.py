"""What would be read and what speaks against it, found without sending or changing anything."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import SettingsError
from agent.formats import UnknownFormatError, format_named
from agent.settings import AgentSettings, SourceSettings, redaction_key
from agent.sources import discovery
from agent.sources.discovery import Inode
from agent.sources.fingerprint import GZIP, open_shared, read_at
from agent.state import is_held
from agent.telemetry import shown
from indexer import tenants
from indexer.client import Client
from indexer.errors import StoreError

# Formats that tell the same things when a server writes both beside each other.
_SAME_STORY = ({"clef", "serilog-text"}, {"nginx-json", "nginx-combined"})
# How much of a file is looked at to see whether its format is right.
LOOK_BYTES = 256 * 1024
RECORDS_COUNT = 20
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def plan(settings: AgentSettings) -> Iterator[str]:
    """One line for each source and each file it would read now. SettingsError for an unknown format."""
    key = settings.redaction_key_file
    yield f"host {settings.host}, state {settings.state_dir}"
    yield f"redaction key {key}{'' if key.exists() else ' (will be made at the first start)'}"
    for source in settings.sources:
        try:
            form = format_named(source.format)
        except UnknownFormatError as error:
            raise SettingsError(f"source {source.name!r}: {error}") from None
        yield f"source {source.name}: {form.name}, {form.provenance}, {', '.join(source.paths)}"
        for seen in discovery.look(source.paths).files:
            yield f"  {shown(seen.path)}  {seen.size:,} bytes"


def findings(settings: AgentSettings) -> Iterator[str]:
    """What an operator should mend before the start, one sentence each."""
    if "host" not in settings.model_fields_set and any(Path(mark).exists() for mark in _CONTAINER_MARKS):
        yield (
            f"host is not set, and in a container the machine's name ({settings.host}) changes with it: "
            "every event would be sent again as a new one; set host"
        )
    if not settings.state_dir.exists() and not settings.state_dir.parent.exists():
        yield f"state_dir {settings.state_dir}: its parent is not there either; make it for the agent's user"
    listings = [(source, discovery.look(source.paths)) for source in settings.sources]
    files = [(source, seen) for source, listing in listings for seen in listing.files]
    for source, listing in listings:
        for folder, reason in listing.closed.items():
            yield f"source {source.name}: {folder} cannot be listed ({reason}); let the agent's user list it"
        if not listing.files:
            yield f"source {source.name}: no file matches {', '.join(source.paths)}"
    newest = {source.name: seen for source, seen in files}
    for source, seen in files:
        try:
            beginning = _beginning(seen.path)
        except OSError as error:
            yield f"source {source.name}: {seen.path} cannot be read ({error}); let the agent's user read it"
            continue
        if newest[source.name] is seen:
            yield from _not_understood(source, seen.path, beginning)
    yield from _unusable(settings)
    yield from _told_twice([(source, seen.path, seen.inode) for source, seen in files])


def _beginning(path: str) -> bytes:
    file = open_shared(path)
    try:
        return read_at(file, 0, LOOK_BYTES)
    finally:
        file.close()


def _not_understood(source: SourceSettings, path: str, beginning: bytes) -> Iterator[str]:
    """Whether the first records of a source's newest file are what its format says."""
    form = format_named(source.format)
    lines = beginning[: beginning.rfind(b"\n") + 1]
    if lines.startswith(GZIP):
        return
    framer = form.framer()
    records = (framer.split(lines, 0) + framer.flush())[:RECORDS_COUNT]
    failed = 0
    for _, raw in records:
        try:
            form.parse(raw)
        except ValueError:
            failed += 1
    if failed * 2 > len(records):
        yield (
            f"source {source.name}: {failed} of the first {len(records)} records of {path} are no "
            f"{source.format}; they would be kept whole, as unparsed: set the right format"
        )


def _unusable(settings: AgentSettings) -> Iterator[str]:
    """What this user may not do here, though the agent must."""
    folder = settings.state_dir if settings.state_dir.exists() else settings.state_dir.parent
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        yield f"state_dir {settings.state_dir}: {folder} may not be written by this user"
    if settings.redaction_key_file.exists():
        redaction_key(settings.redaction_key_file)
    if settings.http.listen and not is_held(settings.state_dir):
        family = socket.AF_INET6 if ":" in settings.http.address[0] else socket.AF_INET
        with socket.socket(family) as probe:
            try:
                probe.bind(settings.http.address)
            except OSError as error:
                yield f"http.listen = {settings.http.listen!r}: cannot be used ({error}); name another"


def _told_twice(files: list[tuple[SourceSettings, str, Inode]]) -> Iterator[str]:
    owners: dict[Inode, str] = {}
    logs: dict[tuple[Path, str], list[tuple[SourceSettings, str]]] = {}
    for source, path, inode in files:
        if owners.setdefault(inode, source.name) != source.name:
            yield f"{path} is read by the sources {owners[inode]} and {source.name}: each record twice"
        name = Path(path)
        logs.setdefault((name.parent, name.name.split(".")[0]), []).append((source, path))
    said: set[tuple[str, str]] = set()
    for beside in logs.values():
        for number, (source, path) in enumerate(beside):
            for other, other_path in beside[number + 1 :]:
                pair = {source.format, other.format}
                names = (source.name, other.name)
                if pair in _SAME_STORY and names not in said:
                    said.add(names)
                    yield (
                        f"{path} and {other_path} tell the same story: sources {names[0]} and {names[1]} "
                        "would store each event twice; keep the structured one"
                    )


def store_problem(client: Client, prefix: str) -> StoreError | None:
    """Why the store could not be shipped to now, or None when it could."""
    try:
        client.info()
        tenants.load(client, prefix, now=datetime.now(UTC))
    except StoreError as error:
        return error
    return None
