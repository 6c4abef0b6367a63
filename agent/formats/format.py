"""What a log format is: how its records are cut out of a file and how one of them is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.formats.framing import Framer


class NotUnderstood(ValueError):  # noqa: N818 - it is an answer more than an error: the record is kept whole
    """The bytes are no record of the format.

    The message says why and quotes nothing: a record can hold secrets. `known` are the properties that could
    be read all the same (`@t`, `@l` of a text record whose head is sound).
    """

    def __init__(self, reason: str, known: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.known: dict[str, Any] = dict(known or {})


@dataclass(frozen=True, slots=True)
class Format:
    """One of the formats a source can have.

    `provenance` is how far a record can be believed: `structured`, `text` (a client can forge lines),
    `proxy`, `trail`. `parse` reads one record without its final newline, raising NotUnderstood and nothing
    else. `framer` makes the framing state of one file.
    """

    name: str
    provenance: str
    parse: Callable[[bytes], dict[str, Any]]
    framer: Callable[[], Framer]
