"""What a check covered and what it found."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from indexer import partitions
from indexer.keys import fingerprint
from indexer.query import Window, iso
from indexer.seals.chains import Chain, Trouble
from indexer.seals.states import FINDINGS, State

EXAMPLES_COUNT: Final = 10


@dataclass(frozen=True, slots=True)
class Extent:
    """What is checked: one tenant or all, and the partitions whose period overlaps the window."""

    tenant: str | None = None
    window: Window = field(default_factory=Window)

    def covers(self, partition: str) -> bool:
        parsed = partitions.parse(partition)
        if parsed is None:
            return True
        start, end = self.window.start, self.window.end
        return (start is None or parsed.end > start) and (end is None or parsed.start < end)


@dataclass(frozen=True, slots=True)
class Example:
    """One event with a finding."""

    id: str
    partition: str
    tenant: str


@dataclass(slots=True)
class Report:
    """What was found; counts are of events, by partition and by tenant."""

    extent: Extent
    started: datetime
    partitions: dict[str, Counter[State]] = field(default_factory=lambda: defaultdict(Counter))
    tenants: dict[str, Counter[State]] = field(default_factory=lambda: defaultdict(Counter))
    examples: dict[State, list[Example]] = field(default_factory=lambda: defaultdict(list))
    troubles: list[Trouble] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    anchors_count: int = 0
    is_pinned: bool = False
    certificates_count: int = 0
    """Certificates of deletions that were believed."""
    is_certified: bool = False
    """Whether only those were that a given key has signed."""
    roots_count: int = 0
    """Seals whose whole root was computed again from the store."""
    finished: datetime | None = None

    def add(self, state: State, event_id: str, partition: str, tenant: str) -> None:
        self.partitions[partition][state] += 1
        self.tenants[tenant][state] += 1
        if state in FINDINGS and len(self.examples[state]) < EXAMPLES_COUNT:
            self.examples[state].append(Example(event_id, partition, tenant))

    def forget_events(self) -> None:
        """Begin again with the events: what was added of them is not so any more."""
        for counts in (self.partitions, self.tenants, self.examples):
            counts.clear()

    @property
    def totals(self) -> Counter[State]:
        """Events by state, and troubles of chains and anchors by theirs."""
        total: Counter[State] = Counter()
        for counts in self.partitions.values():
            total.update(counts)
        total.update(trouble.state for trouble in self.troubles)
        return total

    @property
    def is_sound(self) -> bool:
        return not any(self.totals[state] for state in FINDINGS)

    def to_source(self) -> dict[str, Any]:
        """Write as JSON: for `--json`, and for the store."""
        window = self.extent.window
        return {
            "sound": self.is_sound,
            "tenant": self.extent.tenant,
            "from": None if window.start is None else iso(window.start),
            "to": None if window.end is None else iso(window.end),
            "started": iso(self.started),
            "finished": None if self.finished is None else iso(self.finished),
            "totals": _texts(self.totals),
            "partitions": {name: _texts(counts) for name, counts in sorted(self.partitions.items())},
            "tenants": {tenant: _texts(counts) for tenant, counts in sorted(self.tenants.items())},
            "examples": {
                state.value: [
                    {"id": each.id, "partition": each.partition, "tenant": each.tenant} for each in examples
                ]
                for state, examples in self.examples.items()
            },
            "troubles": [
                {"state": each.state.value, "chain": each.chain, "sentence": each.sentence}
                for each in self.troubles
            ],
            "chains": [
                {
                    "id": chain.id,
                    "host": chain.host,
                    "key": fingerprint(chain.key),
                    "seals": len(chain.seals),
                    "events": chain.count,
                    "first": chain.seals[min(chain.seals)].time,
                    "last": chain.last.time,
                    "trusted": chain.is_trusted,
                    "restarted": chain.id in self.restarted,
                }
                for chain in self.chains
            ],
            "anchors": self.anchors_count,
            "pinned": self.is_pinned,
            "certificates": self.certificates_count,
            "certified": self.is_certified,
            "roots": self.roots_count,
        }


def _texts(counts: Counter[State]) -> dict[str, int]:
    return {state.value: counts[state] for state in State if counts[state]}
