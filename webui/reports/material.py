"""What reports are made from: the events of one reader, place and period, asked as the Activity Log asks.

Every number is asked with the very filter that its link leads to, or sums up groups that leave no value out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer import counting, grouping
from indexer.counting import Bar
from indexer.query import Choice, Json, Scope, ScopedQuery, Window, within_tenant
from indexer.search import EventSearch, StoredEvent
from webui.matching import folded
from webui.question import Question, QuestionError
from webui.reports.people import Naming, People, Person
from webui.reports.report import Cell

TENANT: Final = "tenant.id"
USER: Final = {"id": "user.id", "name": "user.name", "email": "user.email"}
FAILED_SIGN_INS: Final = ("login_failed", "sign_in_failed")
SIGN_INS: Final = ("login", "signed_in")
EXPORTS: Final = ("exported", "downloaded")
CHANGES: Final = ("users", "products", "orders", "inventory", "configuration")


@dataclass(frozen=True, slots=True)
class Material:
    """The events a report may use. `alive` is called between requests; it may end the work by raising."""

    search: EventSearch
    scope: Scope
    zone: ZoneInfo
    window: Window
    now: datetime
    base: Question
    """The period and the place, and nothing else."""
    own: str
    """The tenant of who asks; empty: all of them."""
    several: bool
    """Whether tenants have to be told apart."""
    tenant_names: Mapping[str, str]
    nights: Mapping[str, str]
    """By tenant, the hours outside of its business hours, as the Activity Log takes them; empty: none."""
    file: bool
    """Whether all that is listed is wanted, and not a screenful."""
    alive: Callable[[], None]
    people: People = field(default_factory=lambda: People(()))
    """Everybody in the period, whatever a report rests on: who is who does not depend on what is asked."""

    def query(self, question: Question) -> ScopedQuery:
        """Give what the Activity Log would ask of the store."""
        return within_tenant(self.scope, question.filter(self.zone, self.now).query())

    def aggregate(self, question: Question, aggregations: Json) -> Json:
        """Give OpenSearch's answer over all events of a question; empty without a partition."""
        self.alive()
        return self.search.aggregate(self.query(question), aggregations)

    def count(self, question: Question) -> int:
        """Count the events of a question, exactly."""
        found = self.aggregate(question, {"total": {"value_count": {"field": "event.id"}}})
        return int(found["total"]["value"]) if found else 0

    def bars(self, question: Question) -> tuple[Bar, ...]:
        """Spread the events of a question over the period."""
        start, end = self.window.start, self.window.end
        if start is None or end is None:
            return ()
        found = self.aggregate(question, {"bars": counting.ask_bars(self.zone, start, end)})
        return counting.read_bars(found["bars"], start, end) if found else ()

    def groups(self, question: Question, fields: Mapping[str, Json], below: Json | None = None) -> list[Json]:
        """Give every combination of fields among the events of a question, tenants apart."""
        if self.several:
            fields = {"tenant": grouping.by(TENANT), **fields}
        found = []
        for bucket in grouping.groups(self.search, self.query(question), fields, below):
            self.alive()
            found.append(bucket)
        return found

    def page(self, question: Question, count: int) -> tuple[StoredEvent, ...]:
        """Give the newest events of a question."""
        self.alive()
        page = self.search.page(self.query(question), position=None, direction="older", size=count)
        return page.events

    def walk(self, question: Question) -> Iterator[StoredEvent]:
        """Give all events of a question, newest first, from one state of the store."""
        for number, event in enumerate(self.search.walk(self.query(question))):
            if not number % 500:
                self.alive()
            yield event

    def everybody(self) -> People:
        """Find everybody whom the events of the period name: what `people` is to be."""
        return People(map(self.naming, self.groups(self.base, who())))

    def naming(self, bucket: Json) -> Naming:
        """Read how a group of `who()` names somebody."""
        key = bucket["key"]
        return Naming(self.tenant_of(key), *(key[name] or "" for name in USER))

    def tenant_of(self, key: Mapping[str, Any]) -> str:
        """Give the tenant of a group; empty where there is but one."""
        return str(key["tenant"] or "") if self.several else ""

    def within_tenant(self, question: Question, tenant_id: str) -> Question:
        """Narrow a question to the tenant of a group."""
        return replace(question, tenant=tenant_id) if self.several and tenant_id else question

    def tenant_name(self, tenant_id: str) -> str:
        """Call a tenant by its name."""
        return self.tenant_names.get(tenant_id, tenant_id)

    def of_person(self, question: Question, person: Person | None) -> Question | None:
        """Narrow a question to one person; None: to the events that name nobody."""
        if person is None:
            return narrowed(question, user=("-",))
        return person.asked(self.within_tenant(question, person.tenant))

    def person_labels(self) -> tuple[str, ...]:
        """Give the heads of `person_cells`."""
        return ("User", "Tenant") if self.several else ("User",)

    def night_of(self, person: Person | None) -> str:
        """Give the hours outside of the business hours of a person's tenant; empty: none are known."""
        return self.nights.get(person.tenant if person and self.several else self.base.tenant or self.own, "")

    def person_cells(self, person: Person | None, tenant_id: str = "") -> tuple[Cell, ...]:
        """Name a person, and their tenant where there are several; `tenant_id`: of an event of nobody."""
        if person is None:
            found = (Cell("nobody named"), Cell(self.tenant_name(tenant_id)))
            return found[: len(self.person_labels())]
        text = person.label if person.email in {"", person.label} else f"{person.label} ({person.email})"
        if person.accounts_count > 1:
            text += f": {person.accounts_count} accounts that cannot be told apart"
        cell = Cell(text, person=person.key)
        return (cell, Cell(self.tenant_name(person.tenant)))[: len(self.person_labels())]


def who() -> dict[str, Json]:
    """Give the fields that name somebody, to group by."""
    return {name: grouping.by(field) for name, field in USER.items()}


def narrowed(question: Question, **values: tuple[str, ...]) -> Question:
    """Ask for any of these values of each parameter, and no other."""
    for name, chosen in values.items():
        question = question.any_of(name, chosen)
    return question


def naming_of(event: StoredEvent, *, several: bool) -> Naming:
    """Read how an event names somebody."""
    tenant = event.text(TENANT) if several else ""
    return Naming(tenant, *(event.text(field) for field in USER.values()))


def chosen(people: People, typed: tuple[str, ...]) -> tuple[list[Person], Choice]:
    """Give the people whom a report is asked of, and the choice that finds their events.

    QuestionError, under `user`, when there are none, or when one question cannot hold them.
    """
    found: dict[Person, None] = {}
    for each in typed:
        pieces = folded(each).split("*")
        fitting = [person for person in people if any(_fits(folded(value), pieces) for value in person.only)]
        if not fitting:
            raise QuestionError({"user": f"No event of this period names {each}."})
        found |= dict.fromkeys(fitting)
    sure = [person for person in found if not person.without]
    if not sure and len(found) == 1:
        (only,) = found
        return [only], Choice(only.only, only.without)
    values = tuple(dict.fromkeys(value for person in sure for value in person.only))
    if not values or Person("", "", "", "", values, (), 1).asked(Question()) is None:
        raise QuestionError({"user": "These are more people than can be asked of at once; name fewer."})
    return sure, Choice(values)


def _fits(text: str, pieces: list[str]) -> bool:
    """Whether a text is the pieces in their order, with anything where they were cut."""
    first, *others = pieces
    if not others:
        return text == first
    if not text.startswith(first):
        return False
    place = len(first)
    for piece in others[:-1]:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return len(text) - place >= len(others[-1]) and text.endswith(others[-1])
