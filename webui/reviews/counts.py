"""Counts what a review is about: the items of its checklist, and what the reviewers themselves did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from indexer.plans import Tenant
from indexer.query import ActivityFilter, Json, Query, Scope, Window, within_tenant
from indexer.search import EventSearch
from webui.question import Question
from webui.reviews import checklist
from webui.reviews.checklist import ALERTS, SUBJECTS, AlertsOf, activity_path
from webui.reviews.review import Item, ItemState, Review


@dataclass(frozen=True, slots=True)
class OwnEvents:
    """What a reviewer did in the reviewed set."""

    account: str
    count: int
    path: str


class Counter:
    """Counts within a tenant; every count is of exactly the filter that its address opens."""

    def __init__(self, search: EventSearch, alerts: AlertsOf | None = None) -> None:
        """`alerts` is asked for the item about alerts; without it there is none."""
        self._search = search
        self._alerts = alerts

    def items(self, tenant: Tenant, window: Window, scope: Question, now: datetime) -> tuple[Item, ...]:
        """Build the checklist of a period. What did not happen needs nobody to look at it."""
        zone, hours = ZoneInfo(tenant.zone), tenant.business_hours()
        base = replace(scope, tenant=tenant.id).within(window)
        questions = {each.key: checklist.asked(each, base, hours) for each in SUBJECTS}
        filters = {
            key: question.filter(zone, now)
            for key, question in questions.items()
            if isinstance(question, Question)
        }
        counts = self._counts(
            tenant.id, window, {key: asked.query().clause for key, asked in filters.items()}
        )

        def in_words(asked: ActivityFilter) -> str:
            # Whose review it is stands above all of them.
            return replace(asked, tenant_id="").sentence(zone)

        items = []
        for key, question in questions.items():
            if isinstance(question, Question):
                items.append(_item(key, counts[key], in_words(filters[key]), activity_path(question)))
            else:
                state = ItemState.NOT_APPLICABLE
                items.append(Item(key=key, count=0, sentence=question, path="", state=state))
        if self._alerts is not None:
            found = self._alerts(tenant.id, window)
            said = f"Alerts of this period, {found.open_count:,} of them not closed."
            items.append(_item(ALERTS, found.count, said, found.path))
        return tuple(items)

    def own(
        self, review: Review, people: Iterable[tuple[str, tuple[str, ...]]], now: datetime
    ) -> tuple[OwnEvents, ...]:
        """Say of accounts, each with its person's names, how many of the reviewed events are their own."""
        base = replace(review.scope, tenant=review.tenant).within(review.window)
        reviewed = base.filter(review.zone, now).query().clause
        questions = {
            account: checklist.own(base, checklist.names_of(account, names)) for account, names in people
        }
        clauses = {
            account: {"bool": {"filter": [reviewed, question.filter(review.zone, now).query().clause]}}
            for account, question in questions.items()
        }
        counts = self._counts(review.tenant, review.window, clauses)
        return tuple(
            OwnEvents(account, counts[account], activity_path(question))
            for account, question in questions.items()
        )

    def _counts(self, tenant: str, window: Window, clauses: dict[str, Json]) -> dict[str, int]:
        if not clauses:
            return {}
        everything = ActivityFilter(window=window, bookkeeping=True).query()
        query = within_tenant(Scope(tenant), Query(everything.clause, window))
        # Named by number: what an account is called is no name of an aggregation.
        asked = {f"n{number}": {"filter": clause} for number, clause in enumerate(clauses.values())}
        found = self._search.aggregate(query, asked)
        return {
            key: int(found[f"n{number}"]["doc_count"]) if found else 0 for number, key in enumerate(clauses)
        }


def _item(key: str, count: int, sentence: str, path: str) -> Item:
    if count:
        return Item(key=key, count=count, sentence=sentence, path=path)
    return Item(key=key, count=0, sentence=sentence, path=path, state=ItemState.NOT_APPLICABLE)
