"""A record that makes a step fail: nothing of it may be lost, and nothing of it may keep its neighbours.

An event of its text takes its place. Where not even its secrets can be told, all that is shown is where it
stands.
"""

import traceback
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from agent.normalise.reader import unparsed
from agent.normalise.requests import Here
from indexer.event import id_suffix

_KEPT: Final = ("@t", "TenantId")
"""What decides where an event is placed."""


class Failure(NamedTuple):
    """A record that could not become an event even of its text: where it stands and why, not what it says."""

    id: str
    file: str
    position: int
    bytes: int
    cause: str
    token: Any


def failure(here: Here, error: Exception) -> Failure:
    """What can be said of a record that stands `here`."""
    place, position, raw, _, _, token = here
    return Failure(
        place.prefix + id_suffix(position, raw), place.file, position, len(raw), cause(error), token
    )


def as_line(record: dict[str, Any], text: str, error: Exception) -> dict[str, Any]:
    """The properties of a record that is only known as `text` by now; both are without secrets."""
    plain = unparsed(text, cause(error))
    plain.update((name, record[name]) for name in _KEPT if record.get(name).__class__ is str)
    return plain


def cause(error: Exception) -> str:
    """The kind of the error and where it rose; its message may quote the record, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
