"""Sees that an agent has fallen silent: who does not run cannot say so itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from indexer import agents
from indexer.agents import Agent, State
from indexer.query import OPERATOR
from indexer.search import EventSearch
from webui.alerts.monitor import EVERY_TENANT
from webui.alerts.monitors import Monitors
from webui.alerts.raising import Raising

_log = logging.getLogger(__name__)

LOOKS_EVERY: Final = timedelta(minutes=1)


class Lookout:
    """`work` is called again and again, and mostly has nothing to do."""

    def __init__(
        self, search: EventSearch, monitors: Monitors, raising: Raising, now: Callable[[], datetime]
    ) -> None:
        """`now`: an aware time."""
        self._search = search
        self._monitors = monitors
        self._raising = raising
        self._now = now
        self._looked: datetime | None = None
        self._silent: dict[str, Agent] = {}

    def work(self) -> bool:
        """Raise an alert of each agent that is silent in two looks running; never claims to be busy.

        Two, because the reports that waited while the store was away come only when it is back, after us.
        """
        now = self._now()
        if self._looked is not None and now - self._looked < LOOKS_EVERY:
            return False
        self._looked = now
        before, heard = self._silent, agents.heard(self._search, OPERATOR, now)
        self._silent = {each.host: each for each in heard if each.state(now) is State.SILENT}
        certain = [each for host, each in self._silent.items() if before.get(host) == each]
        if certain:
            self._raise(certain, now)
        return False

    def _raise(self, silent: list[Agent], now: datetime) -> None:
        mine = [monitor for monitor in self._monitors.of(EVERY_TENANT) if monitor.on]
        channels = sorted({channel for monitor in mine for channel in monitor.channels})
        for each in silent:
            alert = self._raising.raise_(
                "agent",
                EVERY_TENANT,
                each.host,
                f"The agent on {each.host} has fallen silent",
                f"It reported last at {each.reported:%Y-%m-%d %H:%M} UTC; since then {agents.MISSED_COUNT} "
                "reports did not come. What SmartWMS logs there waits in its files until an agent ships it. "
                "Administration, Agents shows all of them; docs/runbook.md says what to do.",
                "",
                channels,
                now,
                each.reported,
            )
            if alert.created == now:
                _log.error("the agent on %s is silent since %s", each.host, each.reported)
