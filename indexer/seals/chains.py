"""Whether the seals of each chain follow each other without a hole. Pure: seals in, a judgement out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer import keys
from indexer.seals import seal
from indexer.seals.anchors import Anchor
from indexer.seals.seal import Seal, SealError
from indexer.seals.states import State


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong with a chain; `sentence` names the numbers."""

    state: State
    chain: str
    sentence: str


@dataclass(slots=True)
class Chain:
    """The genuine seals of one chain, by number; of two with one number, the first."""

    id: str
    host: str
    key: str
    seals: dict[int, Seal] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    is_trusted: bool = True

    @property
    def last(self) -> Seal:
        return self.seals[max(self.seals)]

    @property
    def count(self) -> int:
        """How many leaves its seals have."""
        return sum(each.count for each in self.seals.values())


class Chains:
    """All chains of a store. `take` every document, then ask `troubles`."""

    def __init__(self, pinned: Collection[str] = ()) -> None:
        """`pinned`: public keys that are known from outside the store; empty: every key is believed."""
        self.by_id: dict[str, Chain] = {}
        self._pinned = frozenset(pinned)
        self._bad: list[Trouble] = []

    def take(self, id_: str, source: Mapping[str, Any]) -> None:
        """Take in one document of the index of seals (its leaves are not looked at)."""
        try:
            found = seal.from_source(source, id_)
        except SealError as error:
            self._bad.append(Trouble(State.GAP, str(source.get("chain", "")), f"{id_} is no seal: {error}"))
            return
        chain = self.by_id.setdefault(found.chain, Chain(found.chain, found.host, found.key))
        if found.number in chain.seals:
            self._bad.append(Trouble(
                State.GAP, chain.id,
                f"two genuine seals have number {found.number}: the agent's state was set back, "
                "or its key is used elsewhere",
            ))  # fmt: skip
        chain.seals.setdefault(found.number, found)
        chain.ids.add(id_)

    def troubles(self, anchors: Iterable[Anchor] = ()) -> list[Trouble]:
        """Say everything that is wrong, and settle which chains are trusted."""
        self._trust()
        found = list(self._bad)
        for chain in self.by_id.values():
            if not chain.is_trusted:
                found.append(Trouble(
                    State.GAP, chain.id,
                    f"its key {keys.fingerprint(chain.key)} is none of those given, and no chain of theirs "
                    "hands over to it: its seals prove nothing",
                ))  # fmt: skip
            found += self._holes(chain)
            found += self._hand_over(chain)
        found += self._against(anchors)
        return found

    @property
    def restarted(self) -> list[Chain]:
        """Chains that began without a hand-over on a host that had another before: its state was lost."""
        begun = sorted(
            (chain for chain in self.by_id.values() if 0 in chain.seals),
            key=lambda chain: chain.seals[0].time,
        )
        hosts: set[str] = set()
        restarted = []
        for chain in begun:
            if chain.host in hosts and not chain.seals[0].follows:
                restarted.append(chain)
            hosts.add(chain.host)
        return restarted

    def _trust(self) -> None:
        if not self._pinned:
            return
        trusted = set(self._pinned)
        waiting = list(self.by_id.values())
        while (
            newly := {
                chain.last.successor for chain in waiting if chain.key in trusted and chain.last.successor
            }
            - trusted
        ):
            trusted |= newly
        for chain in waiting:
            chain.is_trusted = chain.key in trusted

    def _holes(self, chain: Chain) -> Iterator[Trouble]:
        before: Seal | None = None
        for number, each in sorted(chain.seals.items()):
            expected = 0 if before is None else before.number + 1
            if number != expected:
                yield Trouble(State.GAP, chain.id, f"{_numbers(expected, number - 1)} not there")
            elif before is not None and each.previous != before.digest:
                yield Trouble(
                    State.GAP, chain.id, f"seal {number} does not follow the seal {before.number} here"
                )
            before = each

    def _hand_over(self, chain: Chain) -> Iterator[Trouble]:
        first = chain.seals.get(0)
        if first is not None and first.follows:
            ended = self.by_id.get(first.follows)
            if ended is None:
                yield Trouble(
                    State.GAP, chain.id, f"it follows the chain {first.follows}, which is not there"
                )
            elif ended.last.digest != first.previous or ended.last.successor != chain.key:
                yield Trouble(
                    State.GAP, ended.id, f"its last seal here is not the one that hands over to {chain.id}"
                )
        successor = chain.last.successor
        if successor and not any(
            each.key == successor and 0 in each.seals and each.seals[0].follows == chain.id
            for each in self.by_id.values()
        ):
            yield Trouble(State.GAP, chain.id, "it hands over to a key whose chain is not there")

    def _against(self, anchors: Iterable[Anchor]) -> Iterator[Trouble]:
        for anchor in anchors:
            chain = self.by_id.get(anchor.chain)
            found = None if chain is None else chain.seals.get(anchor.number)
            if found is None:
                sentence = f"seal {anchor.number} of {anchor.time}, which an anchor names, is not there"
            elif found.digest != anchor.digest:
                sentence = f"seal {anchor.number} is another one than an anchor of {anchor.time} names"
            else:
                continue
            yield Trouble(State.ANCHOR_MISMATCH, anchor.chain, sentence)


def _numbers(first: int, last: int) -> str:
    return f"seal {first} is" if first == last else f"seals {first} to {last} are"
