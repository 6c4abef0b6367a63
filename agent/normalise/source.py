"""Where records come from: a source of the settings, and a file of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as the events name it: its path, and its identity of `indexer.event.IDENTITY_BYTES`."""

    path: str
    identity: bytes


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the settings of the agent and of one source say."""

    name: str
    host: str
    service: str
    format_name: str
    provenance: str
    parse: Callable[[bytes], dict[str, Any]]
    """One record's bytes to its properties.

    ValueError when it is none, with what could be read as `known`.
    """
    changes_logged: bool = False
    tenant: str = ""
    ahead_days: int = 2
