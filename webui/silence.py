"""Tells whose worker died: what it holds has not changed for long enough, by the looker's own clock.

The clocks of two machines are not compared: one that is minutes ahead would take what is being worked on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from indexer.documents import Stored

LONG_AGO: Final = timedelta(hours=1)
"""A lease that ended so long ago has ended by anybody's clock: nobody needs to watch it first."""


class Silence:
    """What one worker has seen of what others hold."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that never go back."""
        self._clock = clock
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}

    def left(self, held: Iterable[Stored], lease: timedelta, now: datetime) -> list[Stored]:
        """Give of all that is held what was watched for the length of a lease and has not changed."""
        moment = self._clock()
        seen, found = {}, []
        for stored in held:
            version = (stored.seq_no, stored.primary_term)
            known, since = self._seen.get(stored.id, (version, moment))
            seen[stored.id] = (version, since if known == version else moment)
            watched_secs = moment - seen[stored.id][1]
            if watched_secs >= lease.total_seconds() or _ended(stored) + LONG_AGO <= now:
                found.append(stored)
        self._seen = seen
        return found


def _ended(stored: Stored) -> datetime:
    return datetime.fromisoformat(stored.source["lease"])
