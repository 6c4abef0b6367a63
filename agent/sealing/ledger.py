"""Which events are stored and not sealed yet; makes a seal when there are enough of them, or time has passed.

All methods belong to the agent's one loop. What was stored is written down (`save`) before the position that
moves past it, so a kill at any moment leaves no stored event unsealed: it is in a seal, or in `pending-<n>`,
or it is sent again, answered 409, and noted again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from agent.delivery.batches import Stored
from agent.sealing.state import SealState, Written
from indexer.keys import SigningKey
from indexer.seals import seal
from indexer.seals.leaves import COUNT_MAX, Leaves

# Seals that the store does not take wait on disk up to this; further events stay unsealed, with an alarm.
BACKLOG_BYTES: Final = 1 << 30
# A disk that refuses is tried again after so long.
AGAIN_SECS: Final = 5.0
# How often it is looked for what a command has replayed.
LOOK_SECS: Final = 5.0

log = structlog.get_logger()


def note(leaves: Leaves, documents: Sequence[Stored], *, seen: bool) -> None:
    """Add a leaf for each document, in their order."""
    leaves.add_all(
        [(document[0], document[4]) for document in documents],
        [document[1] for document in documents],
        [document[5] for document in documents],
        bytes((seen,)) * len(documents),
    )


class Ledger:
    """The events that wait for a seal, and the chain that the next one belongs to."""

    def __init__(
        self,
        state: SealState,
        key: SigningKey,
        host: str,
        *,
        count: int,
        secs: float,
        sealed: Callable[[], None],
        retired: SigningKey | None = None,
    ) -> None:
        """Go on where the state was left; `sealed` is called when a new seal waits for the store.

        `retired` is the key of the chain so far where another one shall follow it.
        """
        self.problem = ""
        self.unsealed_count = 0
        self._state = state
        self._key = key
        self._host = host
        self._count = count
        self._secs = secs
        self._sealed = sealed
        self._since: float | None = None
        self._due = 0.0
        self._looked_at = -LOOK_SECS
        # Files of a replay whose leaves were taken in, though the disk did not let them go yet.
        self._adopted: set[Path] = set()
        newest = state.newest()
        self._before: seal.Seal | None = newest.seal if newest else None
        if newest is None and (state.has_head() or state.waiting()):
            log.error("seals_begun_anew", reason=f"{state.folder} holds no seal that can be believed")
        self._number = max([newest.number if newest else 0, *state.waiting()]) + 1
        self._leaves = state.pending(self._number)
        self._saved = len(self._leaves)
        self._take_over(retired)
        state.forget_pending(self._number)

    def __len__(self) -> int:
        return len(self._leaves)

    # -- what the delivery tells

    def took(self, documents: Sequence[Stored], *, seen: bool) -> None:
        """These are in the store; `seen`: they were there before they were sent now."""
        if len(self._leaves) + len(documents) > COUNT_MAX:
            # The disk refuses, so no position moves either: a restart sends them again.
            self._drop(len(documents))
            return
        note(self._leaves, documents, seen=seen)

    # -- what the loop calls

    def turn(self, now: float) -> None:
        """Make a seal if one is due; `now` is monotonic, in seconds."""
        if now - self._looked_at >= LOOK_SECS:
            self._looked_at = now
            self._try(self._adopt)
        if not self._leaves or now < self._due:
            return
        if self._since is None:
            self._since = now
        if len(self._leaves) < self._count and now - self._since < self._secs:
            return
        if not self._try(self.seal):
            self._due = now + AGAIN_SECS

    def save(self) -> None:
        """Write down what was stored since the last call; OSError when the disk refuses."""
        if len(self._leaves) > self._saved:
            self._state.append(self._number, self._leaves, self._saved)
            self._saved = len(self._leaves)

    def seal(self) -> None:
        """Seal what waits; nothing happens when nothing does. OSError when the disk refuses."""
        if not self._leaves:
            return
        if self._state.waiting_bytes > BACKLOG_BYTES:
            self._drop(len(self._leaves))
            self._begin_page()
            return
        self._write(self._leaves)
        self._begin_page()
        if self.problem:
            log.info("seals_are_written_again")
        self.problem = ""

    def close(self) -> None:
        """Seal what waits, as far as the disk lets us: what it does not is noted already, or sent again."""
        self._try(self.seal)

    # -- inside

    def _adopt(self) -> None:
        """Take in what a command has replayed, each file once, and no more than one seal holds."""
        for path in self._state.replayed():
            if path not in self._adopted:
                leaves = self._state.replayed_leaves(path)
                if len(self._leaves) + len(leaves) > COUNT_MAX:
                    self.seal()
                self._leaves.extend(leaves)
                self._adopted.add(path)
            self.save()
            path.unlink(missing_ok=True)
            self._adopted.discard(path)

    def _try(self, what: Callable[[], None]) -> bool:
        try:
            what()
        except OSError as error:
            self._say(f"{self._state.folder}: what is to be sealed cannot be written ({error})")
            return False
        return True

    def _write(self, leaves: Leaves, *, successor: str = "", key: SigningKey | None = None) -> Written:
        before = self._before
        goes_on = before is not None and not before.successor
        key = key or self._key
        made, packed = seal.make(
            key,
            leaves,
            chain=before.chain if before and goes_on else seal.new_chain(key),
            number=before.number + 1 if before and goes_on else 0,
            previous=before.digest if before else "",
            host=self._host,
            time=_now(),
            follows="" if before is None or goes_on else before.chain,
            successor=successor,
        )
        written = self._state.write(self._number, made, packed)
        self._number += 1
        self._before = made
        self._sealed()
        return written

    def _begin_page(self) -> None:
        self._leaves = Leaves()
        self._saved = 0
        self._since = None
        self._state.forget_pending(self._number)

    def _take_over(self, retired: SigningKey | None) -> None:
        """Go on with the chain of the newest seal, or begin one, handed over to where that can be signed."""
        before = self._before
        if before is None or before.key == self._key.public:
            # A chain that hands over to the key it has already would be no hand-over.
            return
        if retired is not None and before.key == retired.public and not before.successor:
            self._write(self._leaves, successor=self._key.public, key=retired)
            self._leaves, self._saved = Leaves(), 0
            before = self._before
        if before is not None and before.successor == self._key.public:
            # At once, whether there are events or not: a hand-over to a chain that is not there is a gap.
            self._write(self._leaves)
            self._leaves, self._saved = Leaves(), 0
            return
        log.error("seals_begun_anew", reason="the key is another one, and the one before it is not there")
        self._before = None

    def _drop(self, count: int) -> None:
        self.unsealed_count += count
        self._say(
            f"{self._state.folder}: {self.unsealed_count} stored events stay unsealed: "
            "there is no room for more seals that the store does not take"
        )

    def _say(self, problem: str) -> None:
        if not self.problem:
            log.error("seals_not_written", reason=problem)
        self.problem = problem


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
