"""Configuration changes: each with what was before and after, and who made it."""

from __future__ import annotations

from typing import Final

from indexer import grouping
from indexer.event import Outcome
from indexer.query import NONE, Json, Window
from webui import chart, wording
from webui.matching import linkable
from webui.question import Question
from webui.reports.listing import changes_table
from webui.reports.material import Material, narrowed, who
from webui.reports.people import Person
from webui.reports.report import Body, Cell, Figure, Picture, Table, by_count, columns, number

CATEGORIES: Final = ("configuration", "audit")
ACTIONS: Final = ("created", "updated", "deleted", "configured")
"""`configured` is of this audit, the others of SmartWMS."""
_BELOW: Final[Json] = {
    "outcomes": {"terms": {"field": "event.outcome", "size": len(Outcome)}},
    "actions": {"terms": {"field": "event.action", "size": len(ACTIONS)}},
}
Tally = dict[str, int]


def body(material: Material, question: Question, _numbers: dict[str, int]) -> Body:
    """Make the report; `question` is what it rests on."""
    by_person: dict[Person | None, Tally] = {}
    by_type: dict[str, Tally] = {}
    for bucket in material.groups(question, who(), _BELOW):
        _add(by_person.setdefault(material.people.of(material.naming(bucket)), {}), bucket)
    for bucket in material.groups(question, {"type": grouping.by("entity.type")}, _BELOW):
        _add(by_type.setdefault(bucket["key"]["type"] or "", {}), bucket)
    totals: Tally = {}
    for tally in by_person.values():
        for name, count in tally.items():
            totals[name] = totals.get(name, 0) + count
    count = totals.get("", 0)
    type_rows = (
        (
            Cell(wording.entity_name(kind) or "nothing named", kind),
            *_numbers_of(tally, _of_type(question, kind)),
        )
        for kind, tally in by_type.items()
    )
    person_rows = (
        (*material.person_cells(person), *_numbers_of(tally, material.of_person(question, person)))
        for person, tally in by_person.items()
    )
    heads = ("#Changes", *(f"#{each.capitalize()}" for each in ACTIONS), "#Failed", "#Unknown")
    return Body(
        figures=(
            Figure("Changes", number(count, question)),
            Figure(
                "in SmartWMS",
                number(count - totals.get("configured", 0), question.only("category", "configuration")),
            ),
            Figure("in this audit", number(totals.get("configured", 0), question.only("category", "audit"))),
            Figure("failed", number(totals.get("failure", 0), question.only("outcome", "failure"), bad=True)),
            Figure("naming nobody", number(by_person.get(None, {}).get("", 0), question.only("user", NONE))),
        ),
        pictures=(
            Picture(
                "Changes over time",
                chart.drawn(
                    material.bars(question),
                    material.zone,
                    lambda bar: question.within(Window(bar.start, bar.end)),
                ),
                "Changes over time; each bar leads to its own",
            ),
        ),
        tables=(
            changes_table(material, question, count, ("changes", "Changes, the newest first")),
            Table("types", "By what was changed", columns("What", *heads), by_count(type_rows, 1)),
            Table(
                "users",
                "By user",
                columns(*material.person_labels(), *heads),
                by_count(person_rows, len(material.person_labels())),
            ),
        ),
        statements=(
            (
                "What was before is told by SmartWMS's change lines: without its AuditInterceptor a change "
                "is only a request, with no fields and no values."
            ),
            "Secrets are redacted before they are stored: equal marks are equal values.",
        ),
    )


def _numbers_of(tally: Tally, asked: Question | None) -> tuple[Cell, ...]:
    return (
        number(tally.get("", 0), asked),
        *(number(tally.get(each, 0), asked and narrowed(asked, action=(each,))) for each in ACTIONS),
        number(tally.get("failure", 0), asked and narrowed(asked, outcome=("failure",)), bad=True),
        number(tally.get("unknown", 0), asked and narrowed(asked, outcome=("unknown",))),
    )


def _add(tally: Tally, bucket: Json) -> None:
    tally[""] = tally.get("", 0) + bucket["doc_count"]
    for each in (*bucket["outcomes"]["buckets"], *bucket["actions"]["buckets"]):
        tally[each["key"]] = tally.get(each["key"], 0) + each["doc_count"]


def _of_type(question: Question, kind: str) -> Question | None:
    if not kind:
        return question.only("type", NONE)
    return question.only("type", kind) if linkable("entity_type", (kind,)) else None
