"""Records that wait where nothing but the making of their documents is left to be done."""

from collections.abc import Callable
from typing import Any, NamedTuple

from agent.normalise.draft import Context, Draft
from agent.normalise.requests import Here

Build = Callable[[dict[str, Any], Context], Draft]
Ready = tuple[Build, dict[str, Any], Context, Here]
"""A record and all that is needed to make its document."""


class Ahead(NamedTuple):
    """A record that waits because of its time."""

    time: str
    is_too_far: bool
    """Later than the clock and `ahead_days` allow.

    Otherwise it only waits, at most for its own hour, for a copy of the tenants that knows for certain which
    class that hour belongs to.
    """
    held: Ready


class Waiting(list[Ahead]):
    """The records that are ahead of the clock; `bytes` of log."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def put(self, ahead: Ahead) -> None:
        """Let a record wait."""
        self.append(ahead)
        _, _, _, (_, _, raw, *_) = ahead.held
        self.bytes += len(raw)
