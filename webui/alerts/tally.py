"""Counts what conditions look at: rows of the store, for one condition and any number of tenants at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from indexer import grouping
from indexer.arrivals import Span
from indexer.names import Names, ids_of, learned
from indexer.query import Choice, Json, Query, Scope, ScopedQuery, Window, within_tenant
from indexer.search import EventSearch, StoredEvent
from webui.alerts.condition import EXPORTS, GROUPS, Condition, Decision, Template
from webui.alerts.deciding import Row
from webui.question import Question

UTC_ZONE: Final = ZoneInfo("UTC")
# No more digits than a size can have: Python refuses to read thousands of them, and anybody can send them.
_SIZE: Final = re.compile(r"[0-9]{1,12}")
_PAGE_SIZE: Final = re.compile(r"(?i)(?:page_?size|limit|take|top|per_?page)")


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the store: monitors that differ only in their numbers ask the same."""

    address: str
    group: str
    actor: str
    step_secs: int
    template: Template
    roles: tuple[str, ...]

    @classmethod
    def of(cls, condition: Condition) -> Ask:
        """Give what a condition asks."""
        return cls(
            condition.question.address,
            condition.group,
            condition.actor,
            condition.step_secs,
            condition.template,
            condition.roles,
        )


class Tally:
    """Reads rows. Raises the errors of `indexer.errors`, and QuestionError for an own query."""

    def __init__(self, search: EventSearch) -> None:
        self._search = search

    def rows(
        self, condition: Condition, scope: Scope, span: Span, tenants: Collection[str] | None = None
    ) -> Iterator[Row]:
        """Give the rows of a stretch of time, of these tenants alone where they are named."""
        step = condition.step_secs
        aligned = Span(span.start // step * step, -(-span.end // step) * step)
        if condition.kind.decision is Decision.VOLUME:
            reads = replace(condition.question, chosen={"action": Choice(only=("read",))})
            for row in self._counted(condition, reads, scope, aligned, tenants):
                yield replace(row, rows=row.count)
            exports = condition.question.any_of("action", EXPORTS)
            for event in self._listed(exports, scope, aligned, tenants):
                yield _row(condition, event, size_of(event))
        elif condition.roles:
            yield from self._of_roles(condition, scope, aligned, tenants)
        else:
            yield from self._counted(condition, condition.question, scope, aligned, tenants)

    def count(self, question: Question, scope: Scope, now: datetime) -> int:
        """Count the events of a question, exactly."""
        query = within_tenant(scope, question.filter(UTC_ZONE, now).query())
        found = self._search.aggregate(query, {"n": {"value_count": {"field": "event.id"}}})
        return int(found["n"]["value"]) if found else 0

    def newest(self, question: Question, scope: Scope, now: datetime, size: int) -> tuple[StoredEvent, ...]:
        """Give the newest events of a question."""
        query = within_tenant(scope, question.filter(UTC_ZONE, now).query())
        return self._search.page(query, position=None, direction="older", size=size).events

    def names(self, events: Iterable[StoredEvent], scope: Scope) -> Names:
        """Give the names of the ids in events."""
        return learned(self._search, scope, ids_of(events))

    def _counted(
        self,
        condition: Condition,
        question: Question,
        scope: Scope,
        span: Span,
        tenants: Collection[str] | None,
    ) -> Iterator[Row]:
        groups, actors = GROUPS[condition.group], GROUPS[condition.actor]
        with_action = condition.kind.decision in {Decision.SEQUENCE, Decision.VOLUME}
        fields = {f"g{place}": name for place, name in enumerate(groups)}
        fields |= {f"a{place}": name for place, name in enumerate(actors)}
        if with_action:
            fields["action"] = "event.action"
        asked = {name: grouping.by(field) for name, field in {"tenant": "tenant.id", **fields}.items()}
        asked["at"] = _by_time(condition.step_secs)
        for found in grouping.groups(self._search, _scoped(question, scope, span, tenants), asked):
            key = found["key"]
            yield Row(
                tenant=key["tenant"] or "",
                group=_first(key[f"g{place}"] for place in range(len(groups))),
                actor=_first(key[f"a{place}"] for place in range(len(actors))),
                action=key.get("action") or "",
                at=key["at"] // 1000,
                count=found["doc_count"],
            )

    def _listed(
        self, question: Question, scope: Scope, span: Span, tenants: Collection[str] | None
    ) -> Iterator[StoredEvent]:
        yield from self._search.walk(_scoped(question, scope, span, tenants), batch=500)

    def _of_roles(
        self, condition: Condition, scope: Scope, span: Span, tenants: Collection[str] | None
    ) -> Iterator[Row]:
        events = list(self._listed(condition.question, scope, span, tenants))
        names = self._role_names({_role_id(event) for event in events} - {""}, scope)
        wanted = {name.casefold() for name in condition.roles}
        for event in events:
            known = names.get(_role_id(event)) or {_role_name(event)} - {""}
            # A role whose name no log has told yet may be one of them: better an alert too many.
            if not known or any(name.casefold() in wanted for name in known):
                yield _row(condition, event, 0)

    def _role_names(self, ids: Iterable[str], scope: Scope) -> dict[str, set[str]]:
        """Learn the names of roles from their own changes, of any time."""
        found: dict[str, set[str]] = {}
        chosen = sorted(ids)
        for first in range(0, len(chosen), 50):
            asked = (
                Question().only("type", "ApplicationRole").any_of("entity", tuple(chosen[first : first + 50]))
            )
            query = within_tenant(scope, asked.filter(UTC_ZONE, datetime.now(UTC)).query())
            fields = {"id": grouping.by("entity.id"), "name": grouping.by("entity.number")}
            for role in grouping.groups(self._search, query, fields):
                if role["key"]["id"] and role["key"]["name"]:
                    found.setdefault(role["key"]["id"], set()).add(role["key"]["name"])
        return found


def _scoped(question: Question, scope: Scope, span: Span, tenants: Collection[str] | None) -> ScopedQuery:
    window = Window(datetime.fromtimestamp(span.start, UTC), datetime.fromtimestamp(span.end, UTC))
    query = question.filter(UTC_ZONE, datetime.fromtimestamp(span.end, UTC), window).query()
    if tenants is not None:
        clause = {"bool": {"filter": [query.clause, {"terms": {"tenant.id": sorted(tenants)}}]}}
        query = Query(clause, query.window)
    return within_tenant(scope, query)


def _by_time(step_secs: int) -> Json:
    return {"date_histogram": {"field": "@timestamp", "fixed_interval": f"{step_secs}s"}}


def _row(condition: Condition, event: StoredEvent, size: int) -> Row:
    return Row(
        tenant=event.text("tenant.id"),
        group=_first([event.text(name) for name in GROUPS[condition.group]]),
        actor=_first([event.text(name) for name in GROUPS[condition.actor]]),
        action=event.text("event.action"),
        at=int(event.moment.timestamp()) // condition.step_secs * condition.step_secs,
        count=1,
        rows=size,
    )


def size_of(event: StoredEvent) -> int:
    """How many rows an export or a page held: what it says, else how many were asked for, else one."""
    said = event.text("labels.Rows")
    if _SIZE.fullmatch(said):
        return int(said)
    for name, value in parse_qsl(event.text("url.query").removeprefix("?")):
        if _PAGE_SIZE.fullmatch(name) and _SIZE.fullmatch(value):
            return min(int(value), 1_000_000)
    return 1


def _role_id(event: StoredEvent) -> str:
    if event.text("entity.type") == "ApplicationRole":
        return event.text("entity.id")
    return event.text("change.after.RoleId") or event.text("change.before.RoleId")


def _role_name(event: StoredEvent) -> str:
    return event.text("entity.number") if event.text("entity.type") == "ApplicationRole" else ""


def _first(values: Iterable[str | None]) -> str:
    return next((value for value in values if value), "")
