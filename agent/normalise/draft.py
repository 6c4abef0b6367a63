"""What the builders hand to the encoder, and what the lines of one request tell each other."""

from typing import Any, Final, NamedTuple


class Draft(NamedTuple):
    """An event without its place in the file and what the clock gives; parts are JSON (see `fragments`).

    One is made for every record: builders call `tuple.__new__`, at a quarter of the constructor's cost.
    """

    own: str
    """The tenant by the record's own bytes and its source's settings: this one chooses the partition."""
    tenant: str
    """The tenant the event belongs to, with what the rest of its request tells."""
    time: str
    """UTC, ISO 8601, ending in `Z`."""
    head: bytes
    """Parts `change`, `entity`, `error`."""
    what: bytes
    """`"action":…,"category":…`, and the duration of a request."""
    outcome: bytes
    flags: tuple[str, ...]
    http: bytes
    labels: dict[str, Any]
    """What is left of the record."""
    level: str | None
    logger: str | None
    message: str
    request: bytes
    source: bytes
    tail: bytes
    """Parts `url`, `user`, `user_agent`."""
    trace: str | None


class Context(NamedTuple):
    """What the other lines of a request tell: who, whose, and how it ended."""

    user_id: str = ""
    user_name: str = ""
    user_email: str = ""
    tenant: str = ""
    outcome: str = ""


NOTHING_KNOWN: Final = Context()
