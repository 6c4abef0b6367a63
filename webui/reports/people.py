"""Who is who in events that name a person by id, by name, by e-mail, or by some of them. Pure.

A row of a report stands for one person, and its numbers lead to the Activity Log, where `user=x` finds every
event with x as name, e-mail or id. So a person is the exact answer to such a question: no event is counted
for two people, and none is left out.

An account's id is sure. A name or e-mail belongs to the account if no other account bears it; an event
without an id is counted for the account that its e-mail or name belongs to. What several accounts bear
belongs to none of them: events that say nothing more are a row of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from indexer.query import Choice
from webui.matching import folded, linkable
from webui.question import Question


@dataclass(frozen=True, slots=True)
class Naming:
    """One way in which events name somebody; empty: not named so. All empty: nobody."""

    tenant: str
    id: str
    name: str
    email: str

    @property
    def texts(self) -> tuple[str, ...]:
        """What is said, the surest first."""
        return tuple(each for each in (self.id, self.email, self.name) if each)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the log knows them. `only` and `without` are what the Activity Log is asked."""

    tenant: str
    label: str
    email: str
    key: str
    """The way to the page of the user."""
    only: tuple[str, ...]
    without: tuple[str, ...]
    accounts_count: int
    """How many ids there are: 0, no account is known by this name; 2 and more cannot be told apart."""

    def asked(self, base: Question) -> Question | None:
        """Ask `base` of this person alone; None when no address can ask for such a name."""
        if not linkable("user", (*self.only, *self.without)):
            return None
        chosen = {**base.chosen, "user": Choice(self.only, self.without)}
        return replace(base, chosen=chosen)


Node = tuple[str, str, bool]
"""Tenant, folded text, and whether at most one account bears it: what joins namings to one person."""


class People:
    """Everybody in a set of namings."""

    def __init__(self, namings: Iterable[Naming]) -> None:
        known = [each for each in dict.fromkeys(namings) if each.texts]
        self._bearers: dict[tuple[str, str], set[str]] = {}
        for naming in known:
            for text in naming.texts:
                bearers = self._bearers.setdefault((naming.tenant, folded(text)), set())
                if naming.id:
                    bearers.add(folded(naming.id))
        self._above: dict[Node, Node] = {}
        for naming in known:
            first, *others = self._nodes(naming)
            for node in others:
                self._above[self._root(node)] = self._root(first)
        groups: dict[Node, list[Naming]] = {}
        for naming in known:
            groups.setdefault(self._root(next(iter(self._nodes(naming)))), []).append(naming)
        # What says more than a text that several accounts bear, by that text.
        surer: dict[tuple[str, str], set[str]] = {}
        for naming in known:
            sure = [text for (_, _, is_sure), text in self._nodes(naming).items() if is_sure]
            for text in naming.texts:
                surer.setdefault((naming.tenant, folded(text)), set()).update(sure)
        self._people = {root: self._person(group, surer) for root, group in groups.items()}

    def __iter__(self) -> Iterator[Person]:
        yield from self._people.values()

    def of(self, naming: Naming) -> Person | None:
        """Give who is named so; None: nobody is. The naming is one of those it was made of."""
        if not naming.texts:
            return None
        return self._people[self._root(next(iter(self._nodes(naming))))]

    def _nodes(self, naming: Naming) -> dict[Node, str]:
        """Give what joins a naming to others: what at most one account bears, else all that it says."""
        sure = [
            each
            for each in naming.texts
            if each == naming.id or len(self._bearers[naming.tenant, folded(each)]) <= 1
        ]
        return {(naming.tenant, folded(each), bool(sure)): each for each in sure or naming.texts}

    def _root(self, node: Node) -> Node:
        while (above := self._above.get(node, node)) != node:
            node = above
        return node

    def _person(self, group: list[Naming], surer: Mapping[tuple[str, str], set[str]]) -> Person:
        only = {node: text for naming in group for node, text in self._nodes(naming).items()}
        without: dict[str, str] = {}
        for tenant, text, sure in only:
            if not sure:
                without |= {folded(each): each for each in sorted(surer[tenant, text])}
        best = next((each for each in group if each.id), group[0])
        name = next((each.name for each in group if each.name), "")
        email = next((each.email for each in group if each.email), "")
        return Person(
            tenant=best.tenant,
            label=name or email or best.id,
            email=email,
            key=best.id or best.name or best.email,
            only=tuple(sorted(only.values())),
            without=tuple(sorted(without.values())),
            accounts_count=len({folded(each.id) for each in group if each.id}),
        )
