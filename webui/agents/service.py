"""The agents as an operator may see them; nobody else may: they are no tenant's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from indexer import agents
from indexer.agents import HOSTS_COUNT, Agent, State
from indexer.search import EventSearch
from webui.tenancy import NotHereError, Reader


@dataclass(frozen=True, slots=True)
class Fleet:
    """All agents at one moment: those that need a person first, else by name."""

    at: datetime
    agents: tuple[Agent, ...]

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than are shown."""
        return len(self.agents) >= HOSTS_COUNT

    def count(self, state: State) -> int:
        """Count those in a state."""
        return sum(each.state(self.at) is state for each in self.agents)


class Agents:
    """What is known of the agents."""

    def __init__(self, search: EventSearch, now: Callable[[], datetime]) -> None:
        """`now`: an aware time."""
        self._search = search
        self._now = now

    def all(self, reader: Reader) -> Fleet:
        """Give them all; NotHereError for who belongs to a tenant."""
        if reader.scope.tenant_id is not None:
            raise NotHereError
        now = self._now()
        found = agents.known(self._search, reader.scope, now)
        order = list(State)
        return Fleet(now, tuple(sorted(found, key=lambda each: order.index(each.state(now)))))
