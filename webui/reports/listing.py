"""Changes as rows: when, who, what, what it was before, and whether it came to be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from indexer.names import Names, ids_of, learned
from indexer.search import StoredEvent
from webui import wording
from webui.question import Question
from webui.reports.material import Material, naming_of
from webui.reports.report import Cell, Table, columns, when
from webui.rows import HOUSEKEEPING

FILE_COUNT: Final = 20_000
"""How many changes a file lists; more are too many to read, and the Activity Log exports them all."""
SCREEN_COUNT: Final = 50
_SCREEN_LINES_COUNT: Final = 6
_BATCH_COUNT: Final = 500
_VALUE_CHARS: Final = 300
_WITHOUT_CHANGE: Final = "no fields in the log"


def changes_table(material: Material, question: Question, count: int, head: tuple[str, str]) -> Table:
    """List the changes of a question, the newest first; `head`: id and title, `count`: how many there are."""
    if material.file:
        events: Iterator[StoredEvent] = islice(material.walk(question), FILE_COUNT)
    else:
        events = iter(material.page(question, SCREEN_COUNT))
    rows = tuple(_rows(material, events))
    return Table(
        *head,
        columns("When", "Who", *(("Tenant",) if material.several else ()), "What", "Change", "Outcome"),
        rows,
        note="A change whose request failed never happened; one of unknown outcome may not have.",
        total=count if count > len(rows) else None,
    )


def _rows(material: Material, events: Iterator[StoredEvent]) -> Iterator[tuple[Cell, ...]]:
    while batch := tuple(islice(events, _BATCH_COUNT)):
        names = learned(material.search, material.scope, ids_of(batch))
        yield from (_row(material, event, names) for event in batch)


def _row(material: Material, event: StoredEvent, names: Names) -> tuple[Cell, ...]:
    moment = when(event.moment, material.zone)
    person = material.people.of(naming_of(event, several=material.several))
    action = (
        f"{wording.humanised(event.text('event.action'))} {wording.entity_name(event.text('entity.type'))}"
    )
    subject = event.text("entity.number") or wording.explained(event.text("entity.id"), names)
    lines = tuple(_lines(event, names))
    if not material.file and len(lines) > _SCREEN_LINES_COUNT:
        more = f"and {len(lines) - _SCREEN_LINES_COUNT + 1} more fields"
        lines = (*lines[: _SCREEN_LINES_COUNT - 1], (more, None, None))
    outcome = event.text("event.outcome")
    return (
        Cell(moment.text, moment.value, event_id=event.id),
        *material.person_cells(person, event.text("tenant.id")),
        Cell(f"{action} {subject}".strip()),
        Cell(_WITHOUT_CHANGE if not lines else "", lines=lines),
        Cell(outcome, bad=outcome == "failure"),
    )


def _lines(event: StoredEvent, names: Names) -> Iterator[tuple[str, str | None, str | None]]:
    before, after = event.value("change.before") or {}, event.value("change.after") or {}
    both = bool(before) and bool(after)
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if name in HOUSEKEEPING or (old is None and new is None) or (both and old == new):
            continue
        yield (name, _said(old, names) if before else None, _said(new, names) if after else None)


def _said(value: object, names: Names) -> str:
    text = wording.explained(wording.value_text(value), names)
    return text if len(text) <= _VALUE_CHARS else f"{text[:_VALUE_CHARS]} … (cut; the event has all of it)"
