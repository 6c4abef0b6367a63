"""What the page about the agents shows, ready to be drawn. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from indexer.agent_report import Report, SourceReport
from indexer.agents import Agent, State
from webui.agents.service import Fleet
from webui.chart import moment_text

# How a state looks (a class of `.tag`) and what it is called.
_LOOKS: Final[Mapping[State, tuple[str, str]]] = {
    State.SILENT: ("failed", "silent"),
    State.UNHEALTHY: ("warned", "not healthy"),
    State.UNREPORTED: ("", "has not reported"),
    State.HEALTHY: ("succeeded", "healthy"),
}
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_UNIT: Final = 1024


@dataclass(frozen=True, slots=True)
class SourceShown:
    """One source of an agent."""

    name: str
    behind: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgentShown:
    """One row. Empty text: that is not known."""

    host: str
    look: str
    words: str
    reasons: tuple[str, ...]
    is_past: bool
    """Whether what follows is of a report that is too old to be believed."""
    behind: str
    behind_size: str
    reported: str
    age: str
    seen: str
    version: str
    started: str
    stored: str
    other: tuple[tuple[str, str], ...]
    """What else became of what it read, where there is some: words and number."""
    letters: str
    sources: tuple[SourceShown, ...]


def shown(fleet: Fleet, zone: ZoneInfo) -> tuple[AgentShown, ...]:
    """Prepare the agents for drawing, times in `zone`."""
    return tuple(_row(each, fleet.at, zone) for each in fleet.agents)


def summary(fleet: Fleet) -> str:
    """Say in a few words how many there are of each state: `1 silent, 2 healthy`."""
    counts = ((fleet.count(state), words) for state, (_, words) in _LOOKS.items())
    return ", ".join(f"{count:,} {words}" for count, words in counts if count)


def lag_text(agent: Agent, now: datetime) -> str:
    """Say how far behind it is, or since when nobody knows."""
    if agent.state(now) is State.SILENT:
        return f"last report {_ago(agent.reported, now)}"
    report = agent.report
    return f"{_behind(report.lag_secs, report.lag_bytes)} behind" if report else ""


def duration_text(secs: float) -> str:
    """Give a length of time in its two largest units."""
    whole = round(secs)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def size_text(size_bytes: int) -> str:
    """Give a number of bytes in the unit that fits."""
    size, units = float(size_bytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= _UNIT and len(units) > 1:
        size /= _UNIT
        units.pop(0)
    return f"{size:,.0f} {units[0]}" if units[0] == "B" else f"{size:,.1f} {units[0]}"


def look(agent: Agent, now: datetime) -> tuple[str, str]:
    """Give the class of its badge, and the words on it."""
    return _LOOKS[agent.state(now)]


def _row(agent: Agent, now: datetime, zone: ZoneInfo) -> AgentShown:
    tone, words = look(agent, now)
    report = agent.report
    return AgentShown(
        host=agent.host,
        look=tone,
        words=words,
        reasons=agent.reasons,
        is_past=agent.state(now) is State.SILENT,
        behind=duration_text(report.lag_secs) if report else "",
        behind_size=size_text(report.lag_bytes) if report and report.lag_bytes else "",
        reported=_minute_text(agent.reported, zone),
        age=_ago(agent.reported, now),
        seen=_ago(agent.seen, now),
        version=report.version if report else "",
        started=_minute_text(report.started, zone) if report else "",
        stored=f"{report.stored:,}" if report else "",
        other=tuple(_other(report)) if report else (),
        letters=size_text(report.dead_letters_bytes) if report and report.dead_letters_bytes else "",
        sources=tuple(_source(each) for each in report.sources) if report else (),
    )


def _other(report: Report) -> Iterator[tuple[str, str]]:
    counts = (
        ("were there already", report.duplicate),
        ("were refused", report.rejected),
        ("were too old to be kept", report.expired),
    )
    for words, count in counts:
        if count:
            yield words, f"{count:,}"


def _source(source: SourceReport) -> SourceShown:
    problems = []
    if source.silent:
        problems.append("silent while its neighbours speak")
    if source.stalled:
        problems.append("stopped at 1 GiB")
    if source.unreadable:
        problems.append(f"{source.unreadable:,} unreadable {'file' if source.unreadable == 1 else 'files'}")
    if source.lost_bytes:
        problems.append(f"{size_text(source.lost_bytes)} lost")
    return SourceShown(source.name, _behind(source.lag_secs, source.lag_bytes), tuple(problems))


def _behind(secs: float, size_bytes: int) -> str:
    return f"{duration_text(secs)}, {size_text(size_bytes)}" if size_bytes else duration_text(secs)


def _ago(moment: datetime | None, now: datetime) -> str:
    # A clock that is a little ahead of ours.
    if moment is None:
        return ""
    secs = max(0.0, (now - moment).total_seconds())
    # A minute more or less is no news of what comes every five.
    return f"{duration_text(secs // _MINUTE * _MINUTE if secs >= _MINUTE else secs)} ago"


def _minute_text(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment_text(moment.replace(second=0, microsecond=0), zone) if moment else ""


def _two(whole: int, large: int, large_word: str, small: int, small_word: str) -> str:
    rest = whole % large // small
    return f"{whole // large} {large_word} {rest} {small_word}" if rest else f"{whole // large} {large_word}"
