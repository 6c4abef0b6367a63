"""Makes reports: of a reader's own events, in the zone of their tenant, with all that they rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from indexer import hours, summary
from indexer.event import NO_TENANT
from indexer.query import ActivityFilter, Scope, Window, within_tenant
from indexer.search import EventSearch
from webui.chart import moment_text
from webui.question import Question
from webui.reports import completeness, material
from webui.reports.definitions import DEFINITIONS, Definition
from webui.reports.material import Material
from webui.reports.parameters import Parameters
from webui.reports.report import Report, plural
from webui.tenancy import NOWHERE, NotHereError, Reader, Tenancy, TenantFacts

_MORE_TRIES_COUNT: Final = 2


@dataclass(frozen=True, slots=True)
class Order:
    """A report that can be made: checked, of a fixed period, for whoever may see the scope."""

    kind: str
    scope: Scope
    place: TenantFacts
    window: Window
    asked: Parameters
    """With the period fixed."""
    file: bool = False
    """Whether all that it lists is wanted, and not a screenful."""

    @property
    def definition(self) -> Definition:
        """What kind of report it is."""
        return DEFINITIONS[self.kind]

    @property
    def sentence(self) -> str:
        """What it is of, in words."""
        zone = self.place.zone
        users = f" of {', '.join(self.asked.users)}" if self.asked.users else ""
        return (
            f"{self.definition.title}{users}, from {moment_text(self.window.start, zone)} "
            f"until {moment_text(self.window.end, zone)} ({zone.key})."
        )


class Reports:
    """The reports of an installation, as far as a reader may see them. Raises errors of `indexer.errors`."""

    def __init__(self, search: EventSearch, tenancy: Tenancy, now: Callable[[], datetime]) -> None:
        """`now`: an aware time."""
        self._search = search
        self._tenancy = tenancy
        self._now = now

    def tenants(self, reader: Reader) -> tuple[TenantFacts, ...]:
        """Give the tenants a reader can choose between: none, unless it sees them all."""
        return () if reader.scope.tenant_id is not None else (*self._tenancy.all(), NOWHERE)

    def place(self, reader: Reader, asked: Parameters) -> TenantFacts:
        """Give the tenant whose zone the page speaks in; NotHereError when it is not the reader's."""
        return self._tenancy.place(reader, asked.tenant)

    def order(self, reader: Reader, kind: str, asked: Parameters, *, file: bool = False) -> Order:
        """Check what is asked, for the screen or for a file.

        NotHereError: no such report or tenant; QuestionError names the parameters at fault.
        """
        if kind not in DEFINITIONS:
            raise NotHereError
        place = self.place(reader, asked)
        window = asked.check(place.zone, self._now(), DEFINITIONS[kind].takes)
        return Order(kind, reader.scope, place, window, asked.within(window), file)

    def make(self, order: Order, alive: Callable[[], None] = lambda: None) -> Report:
        """Make the report; QuestionError when nobody in the period is called like its users.

        `alive` is called between requests to the store, and may end the work by raising.
        """
        found, is_still = self._made(order, alive)
        for _ in range(_MORE_TRIES_COUNT):
            if is_still:
                return found
            found, is_still = self._made(order, alive)
        if is_still:
            return found
        late = "Events of this period arrived while this was made: its numbers are of different moments."
        return replace(found, statements=(late, *found.statements))

    def _made(self, order: Order, alive: Callable[[], None]) -> tuple[Report, bool]:
        """Make it once; also whether nothing arrived meanwhile."""
        now = self._now()
        stuff = self._material(order, now, alive)
        stuff = replace(stuff, people=stuff.everybody())
        question = stuff.base
        statements = list(self._completeness(order, stuff, now))
        if order.asked.users:
            people, choice = material.chosen(stuff.people, order.asked.users)
            question = replace(question, chosen={"user": choice})
            names = ", ".join(sorted(each.label for each in people))
            statements.append(f"Only of {plural(len(people), 'user')}: {names}.")
        question = material.narrowed(question, **order.definition.rests_on)
        count = stuff.count(question)
        numbers = {name: order.asked.number(name) for name in order.definition.takes}
        body = order.definition.make(stuff, question, numbers)
        asked = question.filter(order.place.zone, now)
        report = Report(
            kind=order.kind,
            title=order.definition.title,
            purpose=order.definition.purpose,
            facts=(
                ("Tenant", order.place.name),
                ("Period", _period(order.window, order.place)),
                ("Rests on", asked.sentence(order.place.zone)),
                ("Made", f"{moment_text(now, order.place.zone)} ({order.place.zone.key})"),
            ),
            statements=(*statements, *body.statements),
            count=count,
            asked=question,
            figures=body.figures,
            pictures=body.pictures,
            tables=body.tables,
            zone=order.place.zone,
            made=now,
        )
        return report, count == stuff.count(question)

    def _material(self, order: Order, now: datetime, alive: Callable[[], None]) -> Material:
        known = self._tenancy.current()
        tenant_id = order.scope.tenant_id or order.asked.tenant
        own = [tenant_id] if tenant_id else [each.id for each in self._tenancy.all()]
        return Material(
            search=self._search,
            scope=order.scope,
            zone=order.place.zone,
            window=order.window,
            now=now,
            base=Question(tenant=order.asked.tenant).within(order.window),
            own=order.scope.tenant_id or "",
            several=not tenant_id,
            file=order.file,
            tenant_names={each.id: each.name for each in (*self._tenancy.all(), NOWHERE)},
            nights={each: hours.outside(known.settings(each).business_hours()) for each in own},
            alive=alive,
        )

    def _completeness(self, order: Order, stuff: Material, now: datetime) -> Iterator[str]:
        zone, window = order.place.zone, order.window
        yield from completeness.statements(
            self._tenancy.current(),
            {each: stuff.tenant_name(each) for each in stuff.nights if each != NO_TENANT},
            window,
            zone,
            now,
        )
        ever = ActivityFilter(tenant_id=order.asked.tenant, bookkeeping=True)
        first = summary.oldest(self._search, within_tenant(order.scope, ever.query()))
        if first is None:
            yield "There are no events at all yet."
        elif window.start and first > window.start:
            yield (
                f"The oldest event there is, is of {moment_text(first, zone)}: what was before it in this "
                "period, the log does not tell."
            )
        if order.scope.tenant_id is not None:
            yield (
                "Events that name no tenant are not among these: SmartWMS as shipped names none on a failed "
                "sign-in. Operators see them under “No tenant”."
            )
        elif not order.asked.tenant:
            nameless = replace(stuff.base, tenant=NO_TENANT)
            count = stuff.count(nameless)
            yield f"{plural(count, 'event')} of this period {'names' if count == 1 else 'name'} no tenant."
        yield "Events that the agents deliver later than this was made are not in it."


def _period(window: Window, place: TenantFacts) -> str:
    zone = place.zone
    return (
        f"{moment_text(window.start, zone)} until {moment_text(window.end, zone)}, the end left out "
        f"({zone.key})"
    )
