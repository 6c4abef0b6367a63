"""User activity: who did how much, of what kind, when, and how much of it outside of business hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from indexer import counting, grouping
from indexer.event import Category
from indexer.hours import hours_of
from indexer.query import Json, Window
from webui import chart
from webui.question import Question
from webui.reports.material import CHANGES, EXPORTS, FAILED_SIGN_INS, Material, narrowed, who
from webui.reports.people import Person
from webui.reports.report import (
    Body,
    Cell,
    Figure,
    Picture,
    Table,
    by_count,
    columns,
    number,
    plural,
    share,
    when,
)
from webui.wording import humanised

_BELOW: Json = {
    "first": {"min": {"field": "@timestamp"}},
    "last": {"max": {"field": "@timestamp"}},
    "categories": {"terms": {"field": "event.category", "size": len(Category)}},
    "hours": {"terms": {"field": "local.hour", "size": 24}},
    "failed": {"filter": {"terms": {"event.action": list(FAILED_SIGN_INS)}}},
    "exports": {"filter": {"terms": {"event.action": list(EXPORTS)}}},
}


@dataclass
class _Tally:
    """What one person did. Times are aware."""

    count: int = 0
    failed: int = 0
    exports: int = 0
    first: datetime | None = None
    last: datetime | None = None
    categories: dict[str, int] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    days: set[str] = field(default_factory=set)

    def add(self, bucket: dict[str, Any]) -> None:
        self.count += bucket["doc_count"]
        self.failed += bucket["failed"]["doc_count"]
        self.exports += bucket["exports"]["doc_count"]
        first, last = (counting.of_millis(bucket[name]["value"]) for name in ("first", "last"))
        self.first = min(filter(None, (self.first, first)), default=None)
        self.last = max(filter(None, (self.last, last)), default=None)
        for each in bucket["categories"]["buckets"]:
            self.categories[each["key"]] = self.categories.get(each["key"], 0) + each["doc_count"]
        for each in bucket["hours"]["buckets"]:
            self.hours[int(each["key"])] = self.hours.get(int(each["key"]), 0) + each["doc_count"]

    @property
    def changes(self) -> int:
        return sum(self.categories.get(each, 0) for each in CHANGES)


def body(material: Material, question: Question, _numbers: dict[str, int]) -> Body:
    """Make the report; `question` is what it rests on."""
    tallies: dict[Person | None, _Tally] = {}
    for bucket in material.groups(question, who(), _BELOW):
        person = material.people.of(material.naming(bucket))
        tallies.setdefault(person, _Tally()).add(bucket)
    for bucket in material.groups(question, {**who(), "day": grouping.by_day(material.zone.key)}):
        person = material.people.of(material.naming(bucket))
        tallies.setdefault(person, _Tally()).days.add(bucket["key"]["day"])
    nobody = tallies.pop(None, _Tally())
    everybody = [*tallies.values(), nobody]
    named = question.without("user", "-")
    hourless = narrowed(question, hour=("-",))
    return Body(
        figures=(
            Figure("Users", Cell(f"{len(tallies):,}", str(len(tallies)))),
            Figure("Events of users", number(sum(each.count for each in tallies.values()), named)),
            Figure("naming nobody", number(nobody.count, narrowed(question, user=("-",)))),
            Figure(
                "Changes",
                number(sum(each.changes for each in everybody), narrowed(question, category=CHANGES)),
            ),
            Figure(
                "Failed logins",
                number(
                    sum(each.failed for each in everybody),
                    narrowed(question, action=FAILED_SIGN_INS),
                    bad=True,
                ),
            ),
            Figure(
                "Exports",
                number(sum(each.exports for each in everybody), narrowed(question, action=EXPORTS)),
            ),
        ),
        pictures=(
            Picture(
                "Events over time",
                chart.drawn(
                    material.bars(question),
                    material.zone,
                    lambda bar: question.within(Window(bar.start, bar.end)),
                ),
                "Events over time; each bar leads to its own",
            ),
        ),
        tables=(_totals(material, question, tallies, nobody), _categories(material, question, tallies)),
        statements=(
            (
                "SmartWMS as shipped writes no user on its request lines: what somebody only looked at is "
                "nobody's."
            ),
            f"Days are of {material.zone.key}; hours are of each tenant's own clock.",
            (
                "After hours is outside of the tenant's business hours as they are set now, in full hours: "
                "an hour that is partly inside counts as inside. "
                f"{plural(material.count(hourless), 'event')} without a local hour count as neither."
            ),
        ),
    )


def _totals(
    material: Material, question: Question, tallies: dict[Person | None, _Tally], nobody: _Tally
) -> Table:
    people = dict(tallies) | ({None: nobody} if nobody.count else {})
    rows = []
    for person, tally in people.items():
        asked = material.of_person(question, person)
        # Nobody may be of any tenant, each with hours of its own.
        night = material.night_of(person)
        late = sum(tally.hours.get(hour, 0) for hour in hours_of(night)) if night else 0
        rows.append(
            (
                *material.person_cells(person),
                number(tally.count, asked),
                number(tally.changes, asked and narrowed(asked, category=CHANGES)),
                number(tally.failed, asked and narrowed(asked, action=FAILED_SIGN_INS), bad=True),
                number(tally.exports, asked and narrowed(asked, action=EXPORTS)),
                number(late, asked and narrowed(asked, hour=(night,))) if night else Cell("n/a"),
                Cell(share(late, tally.count) if night else ""),
                Cell(f"{len(tally.days):,}", str(len(tally.days))),
                when(tally.first, material.zone),
                when(tally.last, material.zone),
            )
        )
    heads = (
        *("#Events", "#Changes", "#Failed logins", "#Exports"),
        *("#After hours", "#Share", "#Days active", "First", "Last"),
    )
    return Table(
        "users",
        "Users",
        columns(*material.person_labels(), *heads),
        by_count(rows, len(material.person_labels())),
    )


def _categories(material: Material, question: Question, tallies: dict[Person | None, _Tally]) -> Table:
    rows = []
    for person, tally in tallies.items():
        asked = material.of_person(question, person)
        rows.append(
            (
                *material.person_cells(person),
                number(tally.count, asked),
                *(
                    number(tally.categories.get(each, 0), asked and narrowed(asked, category=(each,)))
                    for each in Category
                ),
            )
        )
    return Table(
        "categories",
        "Users by category",
        columns(
            *material.person_labels(), "#Events", *(f"#{humanised(each).capitalize()}" for each in Category)
        ),
        by_count(rows, len(material.person_labels())),
    )
