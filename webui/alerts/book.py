"""The alerts in the store. An alert is never deleted: what was found once is not found again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from indexer.documents import Documents, Stored
from indexer.errors import ConflictError, NotPreparedError
from indexer.query import iso
from webui.alerts.alert import OPEN, Alert, Notice, State, from_document

KIND: Final = "alerts"
PAGE_COUNT: Final = 50
ORDER: Final = ("opened", "first", "id")
"""Of the inbox: those that one round opened stand in the order in which they began."""
RELATED_COUNT: Final = 10
_KEYS_A_REQUEST: Final = 100
_KNOWN_LIMIT: Final = 5000
_DUE_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Held:
    """An alert in the version that was read."""

    alert: Alert
    stored: Stored


class Book:
    """All alerts of an installation. Raises the errors of `indexer.errors`."""

    def __init__(self, documents: Documents) -> None:
        """`documents` of KIND."""
        self._documents = documents

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._documents.prepare()

    def get(self, alert_id: str) -> Held | None:
        """Give one as it is now."""
        try:
            stored = self._documents.get(alert_id)
        except NotPreparedError:
            return None
        return None if stored is None else _held(stored)

    def create(self, alert: Alert) -> bool:
        """Write a new one; False when it is there already."""
        try:
            self._documents.create(alert.id, alert.document())
        except ConflictError:
            return False
        return True

    def replace(self, held: Held, alert: Alert) -> bool:
        """Replace what was read; False when somebody else was first."""
        try:
            self._documents.replace(held.stored, alert.document())
        except ConflictError:
            return False
        return True

    def known(self, keys: Collection[str]) -> dict[str, list[Held]]:
        """Give the newest occurrences of these keys, newest first; an empty list where there is none."""
        found: dict[str, list[Held]] = defaultdict(list)
        chosen = sorted(keys)
        for first in range(0, len(chosen), _KEYS_A_REQUEST):
            query = {"terms": {"key": chosen[first : first + _KEYS_A_REQUEST]}}
            for stored in self._documents.find(query, sort=[{"number": "desc"}], limit=_KNOWN_LIMIT):
                held = _held(stored)
                found[held.alert.key].append(held)
        return found

    def due(self, now: datetime) -> list[Held]:
        """Give those whose channels are to be told by now."""
        clauses = [{"term": {"notice": Notice.DUE}}, {"range": {"notice_due": {"lte": iso(now)}}}]
        query = {"bool": {"filter": clauses}}
        found = self._documents.find(query, sort=[{"notice_due": "asc"}], limit=_DUE_LIMIT)
        return [_held(stored) for stored in found]

    def page(self, clauses: list[dict[str, Any]], before: Sequence[str]) -> tuple[list[Alert], bool]:
        """Give a page of alerts, last opened first, and whether there are more.

        `before`: the values of ORDER of the last one of the page before; empty: from the beginning.
        """
        filters = list(clauses)
        if before:
            same = [{"term": {name: value}} for name, value in zip(ORDER, before, strict=True)]
            less = [{"range": {name: {"lt": value}}} for name, value in zip(ORDER, before, strict=True)]
            later = [{"bool": {"filter": [*same[:place], each]}} for place, each in enumerate(less)]
            filters.append({"bool": {"should": later, "minimum_should_match": 1}})
        try:
            found = self._documents.find(
                {"bool": {"filter": filters}},
                sort=[{name: "desc"} for name in ORDER],
                limit=PAGE_COUNT + 1,
            )
        except NotPreparedError:
            return [], False
        alerts = [from_document(stored.source) for stored in found]
        return alerts[:PAGE_COUNT], len(alerts) > PAGE_COUNT

    def related(self, alert: Alert, clauses: list[dict[str, Any]], subjects: list[str]) -> list[Alert]:
        """Give other alerts with the same key, or about the same group or actors, newest first."""
        alike: list[dict[str, Any]] = [{"term": {"key": alert.key}}]
        if subjects:
            same = [{"terms": {"subjects": subjects}}, {"term": {"tenant": alert.tenant}}]
            alike.append({"bool": {"filter": same}})
        query = {
            "bool": {
                "filter": clauses,
                "must_not": [{"term": {"id": alert.id}}],
                "should": alike,
                "minimum_should_match": 1,
            }
        }
        found = self._documents.find(query, sort=[{"opened": "desc"}], limit=RELATED_COUNT)
        return [from_document(stored.source) for stored in found]

    def count(self, clauses: list[dict[str, Any]]) -> int:
        """Count the alerts of a condition."""
        try:
            return self._documents.count({"bool": {"filter": clauses}})
        except NotPreparedError:
            return 0

    def open_states(self, clauses: list[dict[str, Any]]) -> list[State]:
        """Give the state of each open alert."""
        query = {"bool": {"filter": [*clauses, {"terms": {"state": list(OPEN)}}]}}
        try:
            found = self._documents.find(query, limit=9999)
        except NotPreparedError:
            return []
        return [State(stored.source["state"]) for stored in found]


def _held(stored: Stored) -> Held:
    return Held(from_document(stored.source), stored)
