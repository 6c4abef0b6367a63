"""The inbox: alerts as far as a reader may see them, and what people do with them.

An alert of another owner does not exist for a reader (`NotHereError`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from indexer.query import iso
from webui.alerts.alert import MAX_NOTE_CHARS, OPEN, Alert, Notice, State, Verdict, subjects
from webui.alerts.book import Book
from webui.alerts.raising import Raising
from webui.question import is_of_events
from webui.tenancy import NotHereError, Reader, Tenancy, TenantFacts

_ATTEMPTS_COUNT: Final = 5
_MOMENT: Final = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"
_CURSOR: Final = re.compile(rf"{_MOMENT}~{_MOMENT}~([0-9a-f]{{24}}-[0-9]{{1,9}})", re.ASCII)
SHOWN: Final = ("open", *State, "all")
"""What an inbox can be narrowed to by state."""


class TriageError(ValueError):
    """What is wanted cannot be done with the alert; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an inbox is narrowed to; empty text: not at all. `assignee`: an account's id.

    `since` and `until`: when they were opened, ISO, the second exclusive.
    """

    state: str = "open"
    monitor: str = ""
    tenant: str = ""
    assignee: str = ""
    since: str = ""
    until: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of alerts, last opened first; `older`: where the next page begins, or empty."""

    alerts: tuple[Alert, ...]
    older: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many alerts wait."""

    new: int
    acknowledged: int


class Alerts:
    """The alerts of an installation. Raises the errors of `indexer.errors`."""

    def __init__(self, book: Book, raising: Raising, tenancy: Tenancy, now: Callable[[], datetime]) -> None:
        """`now`: an aware time."""
        self._book = book
        self._tenancy = tenancy
        self._now = now
        self.raise_ = raising.raise_

    def inbox(self, reader: Reader, wanted: Wanted) -> Inbox:
        """Give a page. TriageError: it is asked for something impossible."""
        if wanted.state not in SHOWN:
            raise TriageError(f"state is “{wanted.state}”; choose one of {', '.join(SHOWN)}.")
        before = _place(wanted.before)
        clauses = _visible(reader)
        if wanted.state == "open":
            clauses.append({"terms": {"state": list(OPEN)}})
        elif wanted.state != "all":
            clauses.append({"term": {"state": wanted.state}})
        for name in ("monitor", "tenant", "assignee"):
            if value := getattr(wanted, name):
                clauses.append({"term": {name: value}})
        clauses += _opened(_moment("since", wanted.since), _moment("until", wanted.until))
        alerts, more = self._book.page(clauses, before)
        older = _cursor(alerts[-1]) if more else ""
        return Inbox(tuple(alerts), older)

    def get(self, reader: Reader, alert_id: str) -> Alert:
        """Give one. NotHereError: there is none, or it is not the reader's."""
        held = self._book.get(alert_id)
        if held is None or not _may_see(reader, held.alert):
            raise NotHereError
        return held.alert

    def related(self, reader: Reader, alert: Alert) -> list[Alert]:
        """Give others about the same group or the same people."""
        return self._book.related(alert, _visible(reader), subjects(alert))

    def counts(self, reader: Reader) -> Counts:
        """Say how many alerts wait for the reader's side."""
        states = self._book.open_states(_visible(reader))
        return Counts(states.count(State.NEW), states.count(State.ACKNOWLEDGED))

    def new_count(self, reader: Reader, tenant: str) -> int:
        """Say how many are new, of a tenant's events; empty: of all that the reader sees."""
        clauses = _visible(reader)
        if tenant:
            clauses.append({"term": {"tenant": tenant}})
        return self._book.open_states(clauses).count(State.NEW)

    def of_period(self, tenant: str, start: datetime | None, end: datetime | None) -> tuple[int, int]:
        """Say how many alerts of a tenant's inbox were opened in a period, and how many of these are open."""
        clauses = [{"term": {"owner": tenant}}, *_opened(start, end)]
        open_ones = {"terms": {"state": list(OPEN)}}
        return self._book.count(clauses), self._book.count([*clauses, open_ones])

    def place(self, alert: Alert) -> TenantFacts:
        """Give the tenant that an alert is about; its zone is the one its times are shown in."""
        return self._tenancy.facts(alert.tenant if alert.tenant != "*" else "-")

    def tenants(self, reader: Reader) -> list[TenantFacts]:
        """Give the tenants a reader can choose between: none, unless it sees them all."""
        if reader.scope.tenant_id is not None:
            return []
        return [*self._tenancy.all(), self._tenancy.facts("-")]

    def acknowledge(self, reader: Reader, alert_id: str, who: str) -> Alert:
        """Say that somebody looks after it: that is who does, unless somebody is named already."""

        def change(alert: Alert) -> Alert:
            if alert.state is not State.NEW:
                raise TriageError(f"This alert is {alert.state.value} already.")
            return replace(
                alert,
                state=State.ACKNOWLEDGED,
                assignee=alert.assignee or reader.account,
                steps=alert.step(self._now(), who, "acknowledged"),
            )

        return self._change(reader, alert_id, change)

    def close(self, reader: Reader, alert_id: str, who: str, verdict: str, note: str) -> Alert:
        """Judge it."""
        if verdict not in set(Verdict) - {Verdict.NONE}:
            raise TriageError("Choose a verdict: real, benign or false.")

        def change(alert: Alert) -> Alert:
            if not alert.is_open:
                raise TriageError("This alert is closed already.")
            now = self._now()
            return replace(
                alert,
                state=State.CLOSED,
                verdict=Verdict(verdict),
                closed=now,
                notice=Notice.TOLD if alert.notice is Notice.TOLD else Notice.NONE,
                steps=alert.step(now, who, f"closed as {verdict}", _checked(note)),
            )

        return self._change(reader, alert_id, change)

    def reopen(self, reader: Reader, alert_id: str, who: str) -> Alert:
        """Take a judgement back; nobody is told."""

        def change(alert: Alert) -> Alert:
            if alert.is_open:
                raise TriageError("This alert is open.")
            return replace(
                alert,
                state=State.ACKNOWLEDGED,
                verdict=Verdict.NONE,
                closed=None,
                steps=alert.step(self._now(), who, "re-opened"),
            )

        return self._change(reader, alert_id, change)

    def assign(
        self, reader: Reader, alert_id: str, who: str, assignee: str, people: Collection[str]
    ) -> Alert:
        """Say which of the people who may see it looks after it; empty: nobody."""
        if assignee and assignee not in people:
            raise TriageError("Choose somebody who may see it.")

        def change(alert: Alert) -> Alert:
            what = f"assigned to {assignee}" if assignee else "assigned to nobody"
            return replace(alert, assignee=assignee, steps=alert.step(self._now(), who, what))

        return self._change(reader, alert_id, change)

    def note(self, reader: Reader, alert_id: str, who: str, note: str) -> Alert:
        """Keep a remark."""
        if not _checked(note):
            raise TriageError("Write something.")

        def change(alert: Alert) -> Alert:
            return replace(alert, steps=alert.step(self._now(), who, "noted", _checked(note)))

        return self._change(reader, alert_id, change)

    def _change(self, reader: Reader, alert_id: str, change: Callable[[Alert], Alert]) -> Alert:
        for _ in range(_ATTEMPTS_COUNT):
            held = self._book.get(alert_id)
            if held is None or not _may_see(reader, held.alert):
                raise NotHereError
            changed = change(held.alert)
            if self._book.replace(held, changed):
                return changed
        raise TriageError("This alert is being changed all the time; try again.")


def _checked(note: str) -> str:
    found = note.strip()
    if len(found) > MAX_NOTE_CHARS:
        raise TriageError(f"A note has at most {MAX_NOTE_CHARS} characters.")
    return found


def _visible(reader: Reader) -> list[dict[str, Any]]:
    """Give the condition that keeps tenants apart; an operator's inbox holds everybody's."""
    tenant = reader.scope.tenant_id
    return [] if tenant is None else [{"term": {"owner": tenant}}]


def _cursor(alert: Alert) -> str:
    return "~".join((iso(alert.opened), iso(alert.first), alert.id))


def _place(cursor: str) -> tuple[str, ...]:
    """Read where a page begins; empty: at the beginning."""
    if not cursor:
        return ()
    found = _CURSOR.fullmatch(cursor)
    if found is None or not all(map(_is_moment, found.groups()[:2])):
        raise TriageError("The place in the list is none that was given here.")
    return found.groups()


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _opened(start: datetime | None, end: datetime | None) -> list[dict[str, Any]]:
    """Give the condition that alerts were last opened in a period; None leaves a side open."""
    sides = {"gte": iso(start) if start else None, "lt": iso(end) if end else None}
    chosen = {name: moment for name, moment in sides.items() if moment}
    return [{"range": {"opened": chosen}}] if chosen else []


def _moment(name: str, text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        moment = None
    if text and (moment is None or moment.tzinfo is None or not is_of_events(moment)):
        raise TriageError(f"{name} is “{text}”; write a time with its zone, such as 2026-11-23T00:00:00Z.")
    return moment


def _may_see(reader: Reader, alert: Alert) -> bool:
    return reader.scope.tenant_id is None or alert.owner == reader.scope.tenant_id
