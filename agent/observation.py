"""What sources do not say: one that falls silent while its neighbours speak, a log that stopped at 1 GiB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog

from agent.sources.stream import Stream
from agent.sources.tail import Tail
from agent.telemetry import shown

# Serilog's file sink stops here unless it is told to roll: whatever comes later is written nowhere.
STALLED_BYTES = 1024**3
STALLED_SECS = 60.0
# A neighbour speaks when it said something within this time.
SPEAKS_SECS = 120.0
_ROLLED_BY_SERILOG = frozenset({"clef", "serilog-text"})

log = structlog.get_logger()


class Observed(NamedTuple):
    """One source as far as it is watched; `silence_secs` 0: its silence means nothing."""

    tail: Tail
    format_name: str
    silence_secs: float


Tell = Callable[[str, str, dict[str, Any]], None]


@dataclass
class Observation:
    """The sources of an agent, observed once a second; `tell` takes action, sentence and facts."""

    tell: Tell
    silent: dict[str, float] = field(default_factory=dict)
    stalled: dict[str, str] = field(default_factory=dict)
    _spoke: dict[str, float] = field(default_factory=dict)

    def look(self, sources: Sequence[Observed], now: float, wall_ns: int) -> None:
        """`now` is monotonic, in seconds; `wall_ns` the clock that files are dated by."""
        for source in sources:
            self._spoke[source.tail.name] = _spoke_at(source.tail, now, wall_ns, self._spoke)
        for source in sources:
            self._look_for_silence(source, now)
            self._look_for_stop(source, wall_ns)

    def _look_for_silence(self, source: Observed, now: float) -> None:
        name = source.tail.name
        secs = now - self._spoke[name]
        if not source.silence_secs or secs < source.silence_secs:
            if self.silent.pop(name, None) is not None:
                log.info("speaks_again", source=name)
            return
        speaking = [other for other, at in self._spoke.items() if other != name and now - at < SPEAKS_SECS]
        if name not in self.silent and speaking:
            self.silent[name] = self._spoke[name]
            log.error("fell_silent", source=name, secs=round(secs), speaking=speaking)
            self.tell(
                "fell_silent",
                f"The source {name} has written nothing for {round(secs / 60)} minutes while "
                f"{', '.join(speaking)} did",
                {"Source": name, "SilentSecs": round(secs), "Speaking": speaking},
            )

    def _look_for_stop(self, source: Observed, wall_ns: int) -> None:
        name = source.tail.name
        stopped = next(_stopped(source, wall_ns), None)
        if stopped is None:
            self.stalled.pop(name, None)
        elif name not in self.stalled:
            path = self.stalled[name] = shown(stopped.path)
            log.error("stalled", source=name, path=path, bytes=stopped.size)
            self.tell(
                "stalled",
                f"The log {path} has reached 1 GiB and stopped: SmartWMS drops every further line",
                {"Source": name, "File": path, "Bytes": stopped.size},
            )


def _spoke_at(tail: Tail, now: float, wall_ns: int, before: dict[str, float]) -> float:
    """When a source last said something: what waits to be read was said, too."""
    if any(stream.unread_bytes for stream in tail.streams):
        return now
    if tail.read_at is not None:
        return tail.read_at
    if tail.name in before:
        return before[tail.name]
    newest_ns = max((stream.modified_ns for stream in tail.streams), default=wall_ns)
    return now - max(wall_ns - newest_ns, 0) / 1e9


def _stopped(source: Observed, wall_ns: int) -> Iterator[Stream]:
    if source.format_name not in _ROLLED_BY_SERILOG or not source.tail.streams:
        return
    newest = max(source.tail.streams, key=lambda stream: stream.modified_ns)
    quiet_secs = (wall_ns - newest.modified_ns) / 1e9
    if newest.size >= STALLED_BYTES and newest.archive_size is None and quiet_secs >= STALLED_SECS:
        yield newest
