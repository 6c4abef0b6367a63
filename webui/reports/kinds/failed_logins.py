"""Failed logins: from where, as whom, when, and which were followed by a success."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from indexer import counting
from indexer.query import Json, Window
from indexer.search import StoredEvent
from webui import chart
from webui.question import Question
from webui.reports import addresses
from webui.reports.addresses import Place
from webui.reports.material import FAILED_SIGN_INS, SIGN_INS, Material, naming_of, narrowed, who
from webui.reports.people import People, Person
from webui.reports.report import Body, Cell, Figure, Picture, Table, by_count, columns, number, plural, when

ACTIONS: Final = FAILED_SIGN_INS
WALKED_ON_SCREEN_COUNT: Final = 20_000
"""Runs are found event by event: of more sign-ins than these, a person does not wait for it."""
_EDGES: Final[Json] = {
    "first": {"min": {"field": "@timestamp"}},
    "last": {"max": {"field": "@timestamp"}},
}
_TICK: Final = timedelta(microseconds=1)


@dataclass
class _Tally:
    """Failures that have something in common. Times are aware."""

    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    others: set[object] = field(default_factory=set)
    """Of an address: who was tried; of a user: from where."""

    def add(self, bucket: Json, other: object) -> None:
        first, last = (counting.of_millis(bucket[name]["value"]) for name in ("first", "last"))
        self.count += bucket["doc_count"]
        self.first = min(filter(None, (self.first, first)), default=None)
        self.last = max(filter(None, (self.last, last)), default=None)
        if other:
            self.others.add(other)


@dataclass(frozen=True, slots=True)
class Run:
    """Failures, none longer after the one before it than allowed, and the success that followed as soon."""

    key: Place | Person
    count: int
    first: datetime
    last: datetime
    success: StoredEvent


def body(material: Material, question: Question, numbers: dict[str, int]) -> Body:
    """Make the report; `question` is what it rests on."""
    both = narrowed(question, action=(*ACTIONS, *SIGN_INS))
    groups = material.groups(question, {**addresses.where(), **who()}, _EDGES)
    by_place: dict[Place, _Tally] = {}
    by_person: dict[Person | None, _Tally] = {}
    for bucket in groups:
        place, person = addresses.place(bucket["key"]), material.people.of(material.naming(bucket))
        by_place.setdefault(place, _Tally()).add(bucket, person)
        by_person.setdefault(person, _Tally()).add(bucket, place if any(place) else None)
    least, gap = numbers["failures"], timedelta(minutes=numbers["minutes"])
    keyed = _Keyed(material.people, several=material.several)
    walked = material.file or material.count(both) <= WALKED_ON_SCREEN_COUNT
    runs = list(runs_of(material.walk(both), keyed, least, gap)) if walked else []
    total = sum(tally.count for tally in by_place.values())
    nameless, placeless = (by_person.get(None), by_place.get(("", "")))
    return Body(
        figures=(
            Figure("Failed logins", number(total, question, bad=True)),
            *(
                Figure(label, number(material.count(asked), asked))
                for label, asked in (
                    ("in SmartWMS", question.only("action", "login_failed")),
                    ("in this audit", question.only("action", "sign_in_failed")),
                )
            ),
            Figure("naming nobody", number(nameless.count if nameless else 0, question.only("user", "-"))),
            Figure("without address", number(placeless.count if placeless else 0, question.only("ip", "-"))),
            Figure(
                "Runs that ended in a success", number(len(runs), bad=True) if walked else Cell("in the file")
            ),
        ),
        pictures=(
            Picture(
                "Failed logins over time",
                chart.drawn(
                    material.bars(question),
                    material.zone,
                    lambda bar: question.within(Window(bar.start, bar.end)),
                ),
                "Failed logins over time; each bar leads to its own",
            ),
            _hours(material, question),
        ),
        tables=(
            _runs_table(material, question, runs, least, gap) if walked else _no_runs(),
            _places_table(material, question, by_place),
            _people_table(material, question, by_person),
        ),
        statements=(
            (
                "SmartWMS as shipped logs a failed login without the name that was tried, without the "
                "tenant, and without an address; docs/smartwms.md has the lines that close the gap."
            ),
            (
                "A name that was tried is what somebody typed: it shows whose account was aimed at, "
                "not who was there."
            ),
        ),
    )


def runs_of(
    newest_first: Iterable[StoredEvent], keys: _Keyed, least_count: int, gap: timedelta
) -> Iterator[Run]:
    """Find runs of failures that ended in a success, by address and by user, the newest first."""
    open_runs: dict[Place | Person, _Open] = {}
    for event in newest_first:
        failed = event.text("event.action") in ACTIONS
        for key in keys.of(event):
            current = open_runs.get(key)
            if failed and current and current.first - event.moment <= gap:
                current.count += 1
                current.last = current.last or event.moment
                current.first = event.moment
                continue
            if current:
                yield from current.run(key, least_count)
                del open_runs[key]
            if not failed:
                open_runs[key] = _Open(event, event.moment)
    for key, last in open_runs.items():
        yield from last.run(key, least_count)


@dataclass
class _Open:
    success: StoredEvent
    first: datetime
    last: datetime | None = None
    count: int = 0

    def run(self, key: Place | Person, least_count: int) -> Iterator[Run]:
        if self.last and self.count >= least_count:
            yield Run(key, self.count, self.first, self.last, self.success)


@dataclass(frozen=True, slots=True)
class _Keyed:
    """What an event is put in order by: its address, and its user."""

    people: People
    several: bool

    def of(self, event: StoredEvent) -> Iterator[Place | Person]:
        place = addresses.place_of(event)
        if any(place):
            yield place
        naming = naming_of(event, several=self.several)
        if naming.texts and (person := self.people.of(naming)):
            yield person


def _hours(material: Material, question: Question) -> Picture:
    found = material.aggregate(
        question,
        {
            "hours": {"terms": {"field": "local.hour", "size": 24}},
            "none": {"missing": {"field": "local.hour"}},
        },
    )
    counts = {int(each["key"]): each["doc_count"] for each in found["hours"]["buckets"]} if found else {}
    missing = found["none"]["doc_count"] if found else 0
    return Picture(
        "By hour of the day",
        chart.of_hours([counts.get(hour, 0) for hour in range(24)], lambda hour: question.only("hour", hour)),
        "Failed logins by hour of the tenant's clock; each bar leads to its own",
        f"{plural(missing, 'event')} without a local hour" if missing else "by the tenant's own clock",
    )


def _runs_table(
    material: Material, question: Question, runs: list[Run], least_count: int, gap: timedelta
) -> Table:
    zone = material.zone
    rows = []
    for run in sorted(runs, key=lambda each: each.success.moment, reverse=True):
        stretch = question.within(Window(run.first, run.last + _TICK))
        if isinstance(run.key, Person):
            name, leads = f"user {run.key.label}", material.of_person(stretch, run.key)
        else:
            name, leads = f"address {addresses.text(run.key)}", addresses.asked(stretch, run.key)
        success = run.success
        named = success.text("user.name") or success.text("user.email") or success.text("user.id")
        rows.append(
            (
                Cell(name),
                number(run.count, leads, bad=True),
                when(run.first, zone),
                when(run.last, zone),
                Cell(
                    when(success.moment, zone).text,
                    when(success.moment, zone).value,
                    event_id=success.id,
                ),
                Cell(named or "nobody named"),
                Cell(addresses.text(addresses.place_of(success))),
            )
        )
    minutes = int(gap.total_seconds() // 60)
    return Table(
        "runs",
        "Runs of failures followed by a success",
        columns("By", "#Failures", "First", "Last", "Success", "As", "From"),
        tuple(rows),
        note=(
            f"{least_count} failures and more, each at most {plural(minutes, 'minute')} after the one "
            "before, and a success of the same address or user as soon after the last. "
            "Whether a guess succeeded, or somebody only remembered their password, is for a person to say."
        ),
        empty="No run of failures in this period ended in a success.",
    )


def _no_runs() -> Table:
    return Table(
        "runs",
        "Runs of failures followed by a success",
        columns("By"),
        (),
        empty=(
            f"These are more than {WALKED_ON_SCREEN_COUNT:,} sign-ins: runs are looked for when you export "
            "the report, or choose a shorter period."
        ),
    )


def _places_table(material: Material, question: Question, tallies: dict[Place, _Tally]) -> Table:
    successes: dict[Place, int] = {}
    signed_in = narrowed(question, action=SIGN_INS)
    for bucket in material.groups(signed_in, addresses.where()):
        place = addresses.place(bucket["key"])
        successes[place] = successes.get(place, 0) + bucket["doc_count"]
    rows = (
        (
            Cell(addresses.text(place)),
            number(tally.count, addresses.asked(question, place), bad=True),
            Cell(f"{len(tally.others):,}", str(len(tally.others))),
            number(successes.get(place, 0), addresses.asked(signed_in, place)),
            when(tally.first, material.zone),
            when(tally.last, material.zone),
        )
        for place, tally in tallies.items()
    )
    return Table(
        "addresses",
        "By address",
        columns("Address", "#Failures", "#Users tried", "#Logins that succeeded", "First", "Last"),
        by_count(rows, 1),
    )


def _people_table(material: Material, question: Question, tallies: dict[Person | None, _Tally]) -> Table:
    successes: dict[Person | None, int] = {}
    signed_in = narrowed(question, action=SIGN_INS)
    for bucket in material.groups(signed_in, who()):
        person = material.people.of(material.naming(bucket))
        successes[person] = successes.get(person, 0) + bucket["doc_count"]
    rows = (
        (
            *material.person_cells(person),
            number(tally.count, material.of_person(question, person), bad=True),
            Cell(f"{len(tally.others):,}", str(len(tally.others))),
            number(successes.get(person, 0), material.of_person(signed_in, person)),
            when(tally.first, material.zone),
            when(tally.last, material.zone),
        )
        for person, tally in tallies.items()
    )
    at = 2 if material.several else 1
    return Table(
        "users",
        "By user",
        columns(
            *material.person_labels(), "#Failures", "#Addresses", "#Logins that succeeded", "First", "Last"
        ),
        by_count(rows, at),
    )
