"""What a leaf and an event say of each other. Pure: the records of one id in, a state out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from indexer.seals.leaves import KEPT_HASH_BYTES
from indexer.seals.states import State

WHOLE: Final = 1
"""Of an event: the hash it carries is its own, and it lies under its own id."""
FRESH: Final = 2
"""Of an event: handed over so recently that its seal may still be on its way."""


class LeafRecord(NamedTuple):
    """A leaf as spilled: `hash` is the beginning that a seal keeps; `seal` and `at` say where it stands."""

    id: bytes
    hash: bytes
    placement: int
    seal: int
    at: int
    seen: int


class EventRecord(NamedTuple):
    """An event as spilled: `hash` as computed from what is stored now."""

    id: bytes
    hash: bytes
    lies_in: int
    tenant: int
    flags: int


class Places(Protocol):
    """What the numbers in the records stand for, and what certificates say."""

    def is_at(self, placement: int, index: int) -> bool:
        """Whether an event in this index is where a leaf says."""

    def is_carried(self, placement: int, index: int) -> bool:
        """Whether a certificate says that it was carried there."""

    def fate(self, placement: int) -> State:
        """What became of an event that is nowhere."""


class Judgement(NamedTuple):
    """The state of one event: `event` where it lies, `placement` where it was sealed, as far as known."""

    state: State
    event: EventRecord | None
    placement: int | None
    proven: tuple[LeafRecord, ...] = ()
    """The leaves that it matches."""


def judge(leaves: Sequence[LeafRecord], events: Sequence[EventRecord], places: Places) -> list[Judgement]:
    """Judge everything that is known of one id: mostly one leaf and one event."""
    if not events:
        return [Judgement(places.fate(leaves[0].placement), None, leaves[0].placement)]
    found = []
    ordered = (
        events if len(events) == 1 else sorted(events, key=lambda each: not _is_home(leaves, each, places))
    )
    for number, event in enumerate(ordered):
        if number:
            # A copy under an id that lies elsewhere already: nobody sealed that.
            found.append(Judgement(State.UNSEALED, event, None))
            continue
        found.append(_judge_event(leaves, event, places))
    return found


def _judge_event(leaves: Sequence[LeafRecord], event: EventRecord, places: Places) -> Judgement:
    beginning = event.hash[:KEPT_HASH_BYTES]
    proven = tuple(leaf for leaf in leaves if leaf.hash == beginning) if event.flags & WHOLE else ()
    if proven:
        if any(places.is_at(leaf.placement, event.lies_in) for leaf in proven):
            return Judgement(State.VERIFIED, event, proven[0].placement, proven)
        if any(places.is_carried(leaf.placement, event.lies_in) for leaf in proven):
            return Judgement(State.CARRIED_OVER, event, proven[0].placement, proven)
        return Judgement(State.CHANGED, event, proven[0].placement, proven)
    if any(not leaf.seen for leaf in leaves) or (leaves and not event.flags & WHOLE):
        return Judgement(State.CHANGED, event, leaves[0].placement)
    if not leaves and event.flags & FRESH and event.flags & WHOLE:
        return Judgement(State.PENDING, event, None)
    return Judgement(State.UNSEALED, event, leaves[0].placement if leaves else None)


def _is_home(leaves: Sequence[LeafRecord], event: EventRecord, places: Places) -> bool:
    beginning = event.hash[:KEPT_HASH_BYTES]
    return any(leaf.hash == beginning and places.is_at(leaf.placement, event.lies_in) for leaf in leaves)
