"""Sees, from another process, that somebody evaluates the monitors: who does not run cannot say so itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from webui.alerts.monitor import EVERY_TENANT
from webui.alerts.monitors import Monitors
from webui.alerts.progress import SILENT, Ledger
from webui.alerts.raising import Raising

_log = logging.getLogger(__name__)

LOOKS_EVERY: Final = timedelta(seconds=30)


class Watchdog:
    """`work` is called again and again, and mostly has nothing to do."""

    def __init__(
        self, monitors: Monitors, ledger: Ledger, raising: Raising, now: Callable[[], datetime]
    ) -> None:
        """`now`: an aware time."""
        self._monitors = monitors
        self._ledger = ledger
        self._raising = raising
        self._now = now
        self._looked: datetime | None = None

    def work(self) -> bool:
        """Raise an alert for each owner of monitors that nobody evaluates; never claims to be busy."""
        now = self._now()
        if self._looked is not None and now - self._looked < LOOKS_EVERY:
            return False
        self._looked = now
        watching = [monitor for monitor in self._monitors.of(None) if monitor.on]
        progress = self._ledger.look()
        # The first evaluator may come after the first monitor.
        since = progress.ran if progress else max((each.since for each in watching), default=now)
        if not watching or now - since < SILENT:
            return False
        _log.error("no monitor is evaluated since %s", since)
        for owner in sorted({monitor.owner for monitor in watching}):
            mine = [monitor for monitor in watching if monitor.owner == owner]
            whose = "of all tenants" if owner == EVERY_TENANT else "of this tenant"
            self._raising.raise_(
                "evaluator",
                owner,
                "silent",
                "No monitor is being evaluated",
                f"None of the {len(mine)} monitors {whose} was looked at since {since:%Y-%m-%d %H:%M} UTC. "
                "`audit-webui alerts run` does it. Nothing is skipped: what arrives meanwhile is looked at "
                "then.",
                "",
                sorted({channel for monitor in mine for channel in monitor.channels}),
                now,
            )
        return False
