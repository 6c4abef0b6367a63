"""Every number of a report against the events at the address that it leads to."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import parse_qsl

from indexer.client import Client
from indexer.query import OPERATOR, Query, Scope, within_tenant
from indexer.search import EventSearch
from tests.support.events import TEST
from webui import question
from webui.question import Question
from webui.reports import parameters
from webui.reports.assembly import make_reports
from webui.reports.report import Report
from webui.tenancy import Reader, Tenancy

READERS = {"auditor": Reader("auditor", Scope(TEST)), "operator": Reader("operator", OPERATOR)}
Number = tuple[str, int, Question]
"""What it is called, what it says, and where it leads."""


@dataclass(frozen=True)
class Checker:
    """Reports and events of one store."""

    client: Client
    prefix: str
    now: Callable[[], datetime]

    def made(self, who: str, kind: str, address: str) -> Report:
        reports = make_reports(self.client, self.prefix, self._tenancy, self.now)
        asked = parameters.read(parse_qsl(address))
        return reports.make(reports.order(READERS[who], kind, asked, file=True))

    def wrong(self, who: str, numbers: list[Number]) -> list[str]:
        """Say which numbers are not what the Activity Log finds, as it understands the address."""
        search = EventSearch(self.client, self.prefix)
        everything = within_tenant(READERS[who].scope, Query({"match_all": {}}))
        found = []
        for some in (numbers[first : first + 200] for first in range(0, len(numbers), 200)):
            clauses = {str(place): self._clause(who, asked) for place, (_, _, asked) in enumerate(some)}
            answer = search.aggregate(everything, {"all": {"filters": {"filters": clauses}}})["all"][
                "buckets"
            ]
            for place, (name, said, asked) in enumerate(some):
                truth = answer[str(place)]["doc_count"]
                if said != truth:
                    found.append(f"{name}: {said}, but {truth} at {asked.address}")
        return found

    @cached_property
    def _tenancy(self) -> Tenancy:
        return Tenancy(self.client, self.prefix, self.now)

    def _clause(self, who: str, asked: Question) -> dict[str, object]:
        read = question.read(parse_qsl(asked.address))
        zone = self._tenancy.place(READERS[who], read.tenant).zone
        return read.filter(zone, self.now()).query().clause


def numbers(report: Report) -> Iterator[Number]:
    """Every number of a report that leads to its events."""
    yield "Rests on", report.count, report.asked
    for figure in report.figures:
        if figure.cell.leads and figure.cell.value.isdigit():
            yield figure.label, int(figure.cell.value), figure.cell.leads
    for table in report.tables:
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                if cell.leads and cell.value.isdigit():
                    yield f"{table.title}: {column.label}", int(cell.value), cell.leads
    for picture in report.pictures:
        for bar in picture.chart.bars:
            found = re.search(r": ([0-9,]+) event", bar.title)
            assert found
            yield f"{picture.title}: {bar.title}", int(found[1].replace(",", "")), bar.leads
