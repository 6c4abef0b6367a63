"""What would be read and what speaks against it, found without sending or changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import SettingsError
from agent.formats import UnknownFormatError, format_named
from agent.settings import AgentSettings, SourceSettings
from agent.sources import discovery
from agent.sources.discovery import Inode
from agent.sources.fingerprint import open_shared
from indexer import tenants
from indexer.client import Client
from indexer.errors import StoreError

# Formats that tell the same things when a server writes both beside each other.
_SAME_STORY = ({"clef", "serilog-text"}, {"nginx-json", "nginx-combined"})
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
        for seen in discovery.look(source.paths):
            yield f"  {seen.path}  {seen.size:,} bytes"


def findings(settings: AgentSettings) -> Iterator[str]:
    """What an operator should mend before the start, one sentence each."""
    if "host" not in settings.model_fields_set and any(Path(mark).exists() for mark in _CONTAINER_MARKS):
        yield (
            f"host is not set, and in a container the machine's name ({settings.host}) changes with it: "
            "every event would be sent again as a new one; set host"
        )
    if not settings.state_dir.exists() and not settings.state_dir.parent.exists():
        yield f"state_dir {settings.state_dir}: its parent is not there either; make it for the agent's user"
    files = [(source, seen) for source in settings.sources for seen in discovery.look(source.paths)]
    for source in settings.sources:
        if not any(owner is source for owner, _ in files):
            yield f"source {source.name}: no file matches {', '.join(source.paths)}"
    for source, seen in files:
        try:
            open_shared(seen.path).close()
        except OSError as error:
            yield f"source {source.name}: {seen.path} cannot be read ({error}); let the agent's user read it"
    yield from _told_twice([(source, seen.path, seen.inode) for source, seen in files])


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
