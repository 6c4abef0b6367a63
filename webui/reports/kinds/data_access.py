"""Data access: who read and exported what, in SmartWMS and in this audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from indexer import grouping
from indexer.query import NONE, Json, Window
from webui import chart, wording
from webui.matching import linkable
from webui.question import PARAMETERS, Question
from webui.reports.material import Material, narrowed, who
from webui.reports.people import Person
from webui.reports.report import Body, Cell, Figure, Picture, Table, by_count, columns, number

CATEGORIES: Final = ("api", "audit")
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "Read": ("api", "read"),
    "Exported": ("api", "exported"),
    "Refused": ("api", "refused"),
    "Audit searched": ("audit", "searched"),
    "Audit viewed": ("audit", "viewed"),
    "Audit exported": ("audit", "exported"),
    "Audit downloaded": ("audit", "downloaded"),
}
"""Kinds of access, with category and action; "Audit": SmartWMS's own audit pages, and this product."""
ACTIONS: Final = tuple(dict.fromkeys(action for _, action in KINDS.values()))
_BELOW: Final[Json] = {
    "categories": {
        "terms": {"field": "event.category", "size": len(CATEGORIES)},
        "aggs": {"actions": {"terms": {"field": "event.action", "size": len(ACTIONS)}}},
    }
}
Tally = dict[tuple[str, str], int]
Key = TypeVar("Key")


def body(material: Material, question: Question, _numbers: dict[str, int]) -> Body:
    """Make the report; `question` is what it rests on."""
    by_person: dict[Person | None, Tally] = {}
    by_route: dict[str, Tally] = {}
    by_entity: dict[tuple[str, str], Tally] = {}
    for bucket in material.groups(question, who(), _BELOW):
        _add(by_person.setdefault(material.people.of(material.naming(bucket)), {}), bucket)
    for bucket in material.groups(question, {"route": grouping.by("url.route")}, _BELOW):
        _add(by_route.setdefault(bucket["key"]["route"] or "", {}), bucket)
    kinds = {"type": grouping.by("entity.type"), "id": grouping.by("entity.id")}
    for bucket in material.groups(question, kinds, _BELOW):
        key = bucket["key"]
        _add(by_entity.setdefault((key["type"] or "", key["id"] or ""), {}), bucket)
    totals: Tally = {}
    for tally in by_person.values():
        for kind, count in tally.items():
            totals[kind] = totals.get(kind, 0) + count
    return Body(
        figures=(
            *(Figure(name, number(totals.get(kind, 0), _of(question, kind))) for name, kind in KINDS.items()),
            Figure("naming nobody", number(_sum(by_person.get(None, {})), question.only("user", NONE))),
        ),
        pictures=(
            Picture(
                "Access over time",
                chart.drawn(
                    material.bars(question),
                    material.zone,
                    lambda bar: question.within(Window(bar.start, bar.end)),
                ),
                "Access over time; each bar leads to its own",
            ),
        ),
        tables=(
            _table(
                ("users", "By user", material.person_labels()),
                by_person,
                material.person_cells,
                lambda person: material.of_person(question, person),
            ),
            _table(
                ("routes", "By route", ("Route",)),
                by_route,
                lambda route: (Cell(route or "no route in the log"),),
                lambda route: _narrow(question, "route", route),
            ),
            _table(
                ("entities", "By what was accessed", ("What", "Id")),
                {key: tally for key, tally in by_entity.items() if any(key)},
                lambda key: (Cell(wording.entity_name(key[0]), key[0]), Cell(key[1])),
                lambda key: _of_entity(question, key),
                note=(
                    "Records that a request names in its path, and what was opened here. A list that was "
                    "read names no record: it is under its route alone."
                ),
            ),
        ),
        statements=(
            "SmartWMS logs requests, not rows: what a list showed, and to whom, is known by its route alone.",
            (
                "Audit is access to the audit itself: SmartWMS's own audit pages, and this product. "
                "Exported is a report of SmartWMS, or a page of 500 rows and more. Refused is a request that "
                "was answered with 4xx: an attempt that got nothing."
            ),
            "SmartWMS as shipped writes no user on its request lines: docs/smartwms.md has the lines to add.",
        ),
    )


def _table(
    head: tuple[str, str, tuple[str, ...]],
    tallies: Mapping[Key, Tally],
    names: Callable[[Key], tuple[Cell, ...]],
    leads: Callable[[Key], Question | None],
    *,
    note: str = "",
) -> Table:
    rows = []
    for key, tally in tallies.items():
        asked = leads(key)
        rows.append(
            (
                *names(key),
                number(_sum(tally), asked),
                *(
                    number(tally.get(kind, 0), asked and _of(asked, kind), bad=kind[1] == "refused")
                    for kind in KINDS.values()
                ),
            )
        )
    table_id, title, labels = head
    return Table(
        table_id,
        title,
        columns(*labels, "#All", *(f"#{name}" for name in KINDS)),
        by_count(rows, len(labels)),
        note=note,
    )


def _add(tally: Tally, bucket: dict[str, Any]) -> None:
    for category in bucket["categories"]["buckets"]:
        for action in category["actions"]["buckets"]:
            kind = (category["key"], action["key"])
            tally[kind] = tally.get(kind, 0) + action["doc_count"]


def _sum(tally: Tally) -> int:
    return sum(tally.values())


def _of(question: Question, kind: tuple[str, str]) -> Question:
    return narrowed(question, category=(kind[0],), action=(kind[1],))


def _narrow(question: Question, name: str, value: str) -> Question | None:
    if not value:
        return question.only(name, NONE)
    return question.only(name, value) if linkable(PARAMETERS[name], (value,)) else None


def _of_entity(question: Question, key: tuple[str, str]) -> Question | None:
    kind, entity = key
    of_kind = _narrow(question, "type", kind)
    # What bears a number and no id is not told apart by an address.
    return of_kind and _narrow(of_kind, "entity", entity) if entity else None
