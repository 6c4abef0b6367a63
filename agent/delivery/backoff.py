"""How long to wait before the next attempt: full jitter, so that many agents do not come back together."""

from __future__ import annotations

from random import Random

FIRST_SECS = 0.25
_DOUBLINGS_MAX = 16


class Backoff:
    """Attempts that failed in a row, and when the next one is due (monotonic seconds)."""

    __slots__ = ("_random", "_secs_max", "attempts", "due")

    def __init__(self, secs_max: float, random: Random) -> None:
        self.attempts = 0
        self.due = 0.0
        self._secs_max = secs_max
        self._random = random

    def failed(self, now: float, at_least_secs: float = 0.0) -> None:
        """Put the next attempt off, by no less than what the store asked for."""
        ceiling = min(self._secs_max, FIRST_SECS * 2 ** min(self.attempts, _DOUBLINGS_MAX))
        self.due = now + max(at_least_secs, self._random.uniform(0.0, ceiling))
        self.attempts += 1

    def succeeded(self) -> None:
        self.attempts = 0
        self.due = 0.0
