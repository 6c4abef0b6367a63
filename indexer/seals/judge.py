"""What a leaf and an event say of each other. Pure: the records of one id in, a state out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
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

    def partition(self, placement: int) -> str:
        """The partition of a placement."""

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


_Unmet = dict[str, list[LeafRecord]]
"""The leaves of an id, by partition: those of which the event was not met there yet."""


def judge(leaves: Sequence[LeafRecord], events: Sequence[EventRecord], places: Places) -> list[Judgement]:
    """Judge everything that is known of one id: mostly one leaf and one event.

    Each partition that a leaf names must hold the event, or a certificate say where it went; nothing that is
    sealed elsewhere or later makes up for it.
    """
    unmet: _Unmet = {}
    for leaf in leaves:
        unmet.setdefault(places.partition(leaf.placement), []).append(leaf)
    found, strangers = [], []
    for event in _as_sealed_first(events, leaves, places):
        home = _home(unmet, event, places)
        if home:
            found.append(_judge_at_home(unmet.pop(home), event, leaves, places))
        else:
            strangers.append(event)
    found += [_judge_stranger(unmet, event, leaves) for event in strangers]
    return [*found, *_judge_gone(unmet, places)]


def _as_sealed_first(
    events: Sequence[EventRecord], leaves: Sequence[LeafRecord], places: Places
) -> Sequence[EventRecord]:
    """Put those that read as they were sealed, where they were sealed, before their copies."""
    if len(events) == 1:
        return events

    def is_otherwise(event: EventRecord) -> bool:
        return not any(places.is_at(leaf.placement, event.lies_in) for leaf in _matching(leaves, event))

    return sorted(events, key=is_otherwise)


def _home(unmet: _Unmet, event: EventRecord, places: Places) -> str:
    """The partition in which an event was sealed, and where it is or was carried over from; "" if none is."""
    for is_there in (places.is_at, places.is_carried):
        for name, leaves in unmet.items():
            if any(is_there(leaf.placement, event.lies_in) for leaf in leaves):
                return name
    return ""


def _judge_at_home(
    mine: Sequence[LeafRecord], event: EventRecord, leaves: Sequence[LeafRecord], places: Places
) -> Judgement:
    proven = _matching(leaves, event)
    beginning = event.hash[:KEPT_HASH_BYTES]
    # Who stored it sealed it as it was: a later seal of other words, whoever signed it, changes nothing.
    otherwise = next((leaf for leaf in mine if not leaf.seen and leaf.hash != beginning), None)
    if otherwise or not event.flags & WHOLE:
        return Judgement(State.CHANGED, event, (otherwise or mine[0]).placement, proven)
    own = next((leaf for leaf in mine if leaf.hash == beginning), None)
    if own is None:
        return Judgement(State.UNSEALED, event, mine[0].placement)
    is_there = places.is_at(own.placement, event.lies_in)
    return Judgement(State.VERIFIED if is_there else State.CARRIED_OVER, event, own.placement, proven)


def _judge_stranger(unmet: _Unmet, event: EventRecord, leaves: Sequence[LeafRecord]) -> Judgement:
    """Judge an event that was not sealed where it lies: it was moved there, or nobody sealed it."""
    proven = _matching(leaves, event)
    for name, mine in unmet.items():
        if any(leaf in mine for leaf in proven) or any(not leaf.seen for leaf in mine):
            del unmet[name]
            return Judgement(State.CHANGED, event, mine[0].placement, proven)
    is_waiting = not leaves and event.flags & FRESH and event.flags & WHOLE
    return Judgement(State.PENDING if is_waiting else State.UNSEALED, event, None)


def _judge_gone(unmet: _Unmet, places: Places) -> Iterator[Judgement]:
    for mine in unmet.values():
        # Of an event that was seen only, the seal may tell another tenant than what is stored does.
        placement = min(mine, key=attrgetter("seen")).placement
        yield Judgement(places.fate(placement), None, placement)


def _matching(leaves: Sequence[LeafRecord], event: EventRecord) -> tuple[LeafRecord, ...]:
    beginning = event.hash[:KEPT_HASH_BYTES]
    return tuple(leaf for leaf in leaves if leaf.hash == beginning) if event.flags & WHOLE else ()
