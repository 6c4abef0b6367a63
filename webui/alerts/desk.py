"""Where monitors are made: the list with its heartbeat, forms, previews, the usual ones at one click.

Knows nothing of Flask. A monitor of another owner does not exist for a reader (`NotHereError`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from indexer.arrivals import Span
from indexer.query import OPERATOR
from indexer.search import StoredEvent
from webui.alerts import forms, wording
from webui.alerts.condition import Decision, Template
from webui.alerts.deciding import Row, Series, decide
from webui.alerts.evaluator import across_tenants
from webui.alerts.forms import FormError, MonitorForm
from webui.alerts.monitor import EVERY_TENANT, Monitor
from webui.alerts.monitors import MAX_MONITORS_COUNT, Monitors, new_id
from webui.alerts.progress import SILENT, Ledger, Progress, Watch
from webui.alerts.reconciling import moment
from webui.alerts.tally import Tally
from webui.question import Question
from webui.rows import row
from webui.tenancy import NotHereError, Reader, Tenancy, TenantFacts

LOOKBACK: Final = timedelta(days=30)
SHOWN_COUNT: Final = 50
MAX_ROWS_COUNT: Final = 200_000
"""How many rows a preview reads before it says that it looked back less far."""
_DAY_SECS: Final = 86_400
# What every tenant should have, and what only those who see everything can use.
USUAL: Final = tuple(template for template in Template if template is not Template.OWN_QUERY)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a form offers: a channel, a saved view, an owner."""

    value: str
    words: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Watching:
    """A monitor, and how it does. `problem`: why it does not run, in a sentence, or empty."""

    monitor: Monitor
    ran: datetime | None
    problem: str
    owner_name: str


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether monitors are evaluated at all. `ran`: the last round, None: there never was one."""

    ran: datetime | None
    holder: str
    beats: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing a monitor would have found."""

    title: str
    first: datetime
    last: datetime
    count: int
    place: TenantFacts
    evidence: Question


@dataclass(frozen=True, slots=True)
class Preview:
    """What a monitor would have found; `since`: how far back was looked, `whole`: as far as was meant to."""

    hits: tuple[Hit, ...]
    total: int
    since: datetime
    whole: bool


class Desk:
    """The monitors of an installation. Raises the errors of `indexer.errors`."""

    def __init__(
        self,
        monitors: Monitors,
        ledger: Ledger,
        tally: Tally,
        tenancy: Tenancy,
        now: Callable[[], datetime],
        offered: Callable[[str], Sequence[Choice]],
    ) -> None:
        """`now`: an aware time; `offered`: the channels of an owner."""
        self._monitors = monitors
        self._ledger = ledger
        self._tally = tally
        self._tenancy = tenancy
        self._now = now
        self.channels = offered

    def all(self, reader: Reader) -> list[Watching]:
        """Give the monitors that a reader may see, by name."""
        progress = self._ledger.look()
        found = self._monitors.of(reader.scope.tenant_id)
        return [self._watching(monitor, progress) for monitor in found]

    def pulse(self) -> Pulse:
        """Say whether an evaluator is at work."""
        progress = self._ledger.look()
        if progress is None:
            return Pulse(None, "", beats=False)
        return Pulse(progress.ran, progress.holder, beats=self._now() - progress.ran < SILENT)

    def one(self, reader: Reader, monitor_id: str) -> Monitor:
        """Give one. NotHereError."""
        monitor = self._monitors.get(monitor_id)
        if monitor is None or not _may_see(reader, monitor.owner):
            raise NotHereError
        return monitor

    def proposed(self, reader: Reader, template: str, owner: str = "") -> Monitor:
        """Give what a template proposes, not stored. NotHereError: no such template or owner."""
        if template not in set(Template):
            raise NotHereError
        return forms.usual(Template(template), self._owner(reader, owner), self._now(), reader.account)

    def missing(self, reader: Reader) -> list[Template]:
        """Give the usual templates that the reader's side has no monitor of."""
        owner = self._owner(reader, "")
        known = {monitor.condition.template for monitor in self._monitors.of(owner)}
        return [template for template in USUAL if template not in known]

    def add_usual(self, reader: Reader) -> list[Monitor]:
        """Make the usual monitors that are missing."""
        made = [replace(self.proposed(reader, template), id=new_id()) for template in self.missing(reader)]
        self._monitors.add(made)
        return made

    def typed(self, reader: Reader, form: MonitorForm, base: Monitor) -> Monitor:
        """Give the monitor that a form says. FormError; NotHereError: not the reader's to own."""
        if form["owner"] and not base.id:
            base = replace(base, owner=self._owner(reader, form["owner"]))
        return forms.checked(form, base, [choice.value for choice in self.channels(base.owner)])

    def add(self, reader: Reader, form: MonitorForm) -> Monitor:
        """Make a monitor of what was typed."""
        base = self.proposed(reader, form.template)
        made = replace(self.typed(reader, form, base), id=new_id())
        if len(self._monitors.of(made.owner)) >= MAX_MONITORS_COUNT:
            raise FormError({"name": f"There are {MAX_MONITORS_COUNT} monitors already; delete one first."})
        self._monitors.add([made])
        return made

    def change(self, reader: Reader, base: Monitor, form: MonitorForm, revision: int) -> Monitor:
        """Change a monitor. FormError, also when somebody else changed it since `revision` was read."""
        return self._replace(reader, base, self.typed(reader, form, base), revision)

    def switch(self, reader: Reader, monitor_id: str, *, on: bool) -> Monitor:
        """Switch a monitor on or off; what happens while it is off is not looked at."""
        base = self.one(reader, monitor_id)
        return base if base.on == on else self._replace(reader, base, replace(base, on=on), base.revision)

    def delete(self, reader: Reader, monitor_id: str) -> Monitor:
        """Delete a monitor; its alerts stay."""
        found = self.one(reader, monitor_id)
        self._monitors.delete(found.id)
        return found

    def preview(self, monitor: Monitor) -> Preview:
        """Say what a monitor would have found lately, newest first; read in growing steps back."""
        now = self._now()
        end = int(now.timestamp()) + 1
        oldest = end - int(LOOKBACK.total_seconds())
        known = self._tenancy.current()
        rows: list[Row] = []
        start, days = end, 1
        while start > oldest and len(rows) < MAX_ROWS_COUNT:
            span = Span(max(oldest, start - days * _DAY_SECS), start)
            start, days = span.start, 2 * days
            tenants = None if monitor.owner == EVERY_TENANT else {monitor.owner}
            rows += self._tally.rows(monitor.condition, monitor.scope, span, tenants)
        if monitor.scope == OPERATOR and monitor.condition.kind.decision is Decision.SEQUENCE:
            rows = list(across_tenants(rows))
        found = decide(monitor.condition, monitor.calm, rows, known.settings)
        found.sort(key=lambda series: series.first, reverse=True)
        return Preview(
            hits=tuple(self._hits(monitor, found[:SHOWN_COUNT])),
            total=len(found),
            since=datetime.fromtimestamp(start, now.tzinfo),
            whole=start <= oldest,
        )

    def owners(self, reader: Reader) -> list[Choice]:
        """Give whose monitors a reader may make, where there is a choice."""
        if reader.scope.tenant_id is not None:
            return []
        everybody = Choice(EVERY_TENANT, "all tenants, and what has none")
        return [everybody, *(Choice(tenant.id, tenant.name) for tenant in self._tenancy.all())]

    def zone_of(self, monitor: Monitor) -> TenantFacts:
        """Give the place whose zone a monitor's page speaks in."""
        return self._tenancy.facts("-" if monitor.owner == EVERY_TENANT else monitor.owner)

    def _replace(self, reader: Reader, base: Monitor, wanted: Monitor, revision: int) -> Monitor:
        now = self._now()
        changed = replace(
            wanted,
            revision=revision + 1,
            since=now if wanted.on and not base.on else base.since,
            updated=now,
            updated_by=reader.account,
        )
        if not self._monitors.replace(changed):
            raise FormError({"name": "Somebody else has changed this monitor meanwhile; look at it again."})
        return changed

    def _hits(self, monitor: Monitor, found: Sequence[Series]) -> Iterator[Hit]:
        condition = monitor.condition
        asked = [wording.evidence(condition, each, wording.tenant_of(monitor, each)) for each in found]
        newest: list[tuple[StoredEvent, ...]] = [()] * len(found)
        if wording.is_told_by_its_events(condition):
            newest = [self._tally.newest(each, monitor.scope, self._now(), 1) for each in asked]
        names = self._tally.names(chain.from_iterable(newest), monitor.scope)
        for series, question, events in zip(found, asked, newest, strict=True):
            place = self._tenancy.facts(series.tenant)
            told = [row(event, place.zone, names) for event in events]
            yield Hit(
                title=wording.title(condition, series, told, monitor.name),
                first=moment(series.first),
                last=moment(series.last),
                count=series.count,
                place=place,
                evidence=question,
            )

    def _watching(self, monitor: Monitor, progress: Progress | None) -> Watching:
        watches: Mapping[str, Watch] = progress.watches if progress else {}
        watch = watches.get(monitor.id)
        ran = watch.ran if watch else None
        problem = ""
        if monitor.on and watch is not None and watch.problem:
            problem = f"It fails: {watch.problem}"
        elif monitor.on and self._now() - (ran or monitor.since) > SILENT:
            problem = "It did not run since then." if ran else "It has never run."
        name = "" if monitor.owner == EVERY_TENANT else self._tenancy.facts(monitor.owner).name
        return Watching(monitor, ran, problem, name)

    def _owner(self, reader: Reader, wanted: str) -> str:
        own = reader.scope.tenant_id
        if own is not None:
            if wanted not in {"", own}:
                raise NotHereError
            return own
        known = {EVERY_TENANT, *(tenant.id for tenant in self._tenancy.all())}
        if wanted and wanted not in known:
            raise NotHereError
        return wanted or EVERY_TENANT


def _may_see(reader: Reader, owner: str) -> bool:
    return reader.scope.tenant_id is None or owner == reader.scope.tenant_id
