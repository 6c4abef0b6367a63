"""Now and then a line in the journal that tells how the agent is: who reads the trail sees that it lives."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version

from agent.health import State, verdict
from agent.journal import Gravity, Journal
from agent.settings import AgentSettings
from indexer import agent_report
from indexer.agent_report import Report, SourceReport

_VERSION = version("smartwms-audit")


class Reporter:
    """Knows when the next report is due: the first one an interval after the start."""

    def __init__(self, started_at: datetime, now: float) -> None:
        """`now`: monotonic, in seconds."""
        self._started_at = started_at
        self._last = now

    def turn(self, settings: AgentSettings, state: State, journal: Journal, now: float) -> None:
        """Report if it is time to. The settings may be others than before."""
        every_secs = settings.report_secs
        if not every_secs or now - self._last < every_secs:
            return
        self._last = now
        made = report(state, self._started_at, every_secs, now)
        journal.tell(
            agent_report.ACTION,
            agent_report.sentence(settings.host, made),
            agent_report.facts(made),
            Gravity.NEWS if made.is_healthy else Gravity.WARNING,
        )


def report(state: State, started_at: datetime, every_secs: float, now: float) -> Report:
    """What a state comes to, told in the words of `/health`."""
    return agent_report.report(
        version=_VERSION,
        started=started_at,
        every_secs=every_secs,
        counts=state.counts,
        dead_letters_bytes=state.dead_letters_bytes,
        reasons=tuple(verdict(state, now)),
        sources=tuple(
            SourceReport(
                name=source.name,
                lag_bytes=source.lag_bytes,
                lag_secs=round(source.lag_secs, 1),
                lost_bytes=source.lost_bytes,
                silent=source.silent,
                stalled=source.stalled,
                unreadable=source.unreadable,
            )
            for source in state.sources
        ),
    )
