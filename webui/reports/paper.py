"""A report as a paper for the exports: rows of a CSV, and the page that a PDF is printed from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from webui import wording
from webui.commission import Commission, Maker, Paper, UnmakeableError
from webui.question import QuestionError
from webui.reports import parameters
from webui.reports.report import Cell, Report, Table
from webui.reports.service import Order, Reports
from webui.tenancy import NotHereError, Reader

MAKER: Final = "report"
PRINTED_ROWS_COUNT: Final = 2000
"""How many rows a table of a PDF has at most; the CSV has all."""
_ACTIVITY: Final = "/activity?"

_environment: Final = Environment(
    loader=PackageLoader("webui.reports"),
    autoescape=True,
    finalize=wording.plain,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def commission(order: Order) -> Commission:
    """Give what the exports keep of an order."""
    return Commission(
        maker=MAKER,
        title=order.definition.title,
        sentence=order.sentence,
        parameters={"kind": order.kind, "pairs": [list(pair) for pair in order.asked.pairs()]},
        link=f"/reports/{order.kind}?{order.asked.address}",
        scope=order.scope,
        window=order.window,
        zone=order.place.zone,
        place_name=order.place.name,
    )


def maker(reports: Reports) -> Maker:
    """Give what the workers of the exports make reports with."""

    def make(asked: Commission, facts: Mapping[str, str], alive: Callable[[], None]) -> Paper:
        pairs = ((name, value) for name, value in asked.parameters["pairs"])
        try:
            order = reports.order(
                Reader("", asked.scope), asked.parameters["kind"], parameters.read(pairs), file=True
            )
            report = reports.make(order, alive)
        except QuestionError as error:
            raise UnmakeableError(" ".join(error.problems.values())) from error
        except NotHereError as error:
            raise UnmakeableError("There is no such report, or no such tenant, any more.") from error
        header, rows = table_of(report)
        return Paper(header, rows, page(report, facts), incomplete(report))

    return make


def incomplete(report: Report) -> str:
    """Say which tables do not have all of their rows; empty: all do."""
    return " ".join(
        f"{table.title}: {len(table.rows):,} of {table.total:,} rows."
        for table in report.tables
        if table.total
    )


def table_of(report: Report) -> tuple[list[str], list[list[str]]]:
    """Give a report as one table: its columns are those of all its tables, `table` says whose a row is."""
    labels = dict.fromkeys(column.label for table in report.tables for column in table.columns)
    header = ["table", "name", "value", *labels, "evidence"]
    rows = []
    for table, values in _rows(report):
        row = {"table": table, **values}
        rows.append([row.get(name, "") for name in header])
    return header, rows


def page(report: Report, facts: Mapping[str, str]) -> str:
    """Give the page of HTML that a PDF is printed from."""
    return _environment.get_template("reports/print.html").render(
        report=report.cut(PRINTED_ROWS_COUNT), facts=[*report.facts, *facts.items()]
    )


def _rows(report: Report) -> Iterator[tuple[str, dict[str, str]]]:
    for label, value in report.facts:
        yield "About", {"name": label, "value": value}
    yield "About", {"name": "Events it rests on", "value": str(report.count), "evidence": _evidence(report)}
    for statement in report.statements:
        yield "About", {"name": "Note", "value": statement}
    for figure in report.figures:
        yield (
            "Figures",
            {"name": figure.label, "value": _value(figure.cell), "evidence": _leads([figure.cell])},
        )
    for picture in report.pictures:
        for bar in picture.chart.bars:
            leads = _ACTIVITY + bar.leads.address
            yield picture.title, {"name": bar.title, "evidence": leads}
    for table in report.tables:
        yield from ((table.title, _named(table, row)) for row in table.rows)


def _named(table: Table, row: tuple[Cell, ...]) -> dict[str, str]:
    found = {column.label: _value(cell) for column, cell in zip(table.columns, row, strict=True)}
    return found | {"evidence": _leads(row)}


def _value(cell: Cell) -> str:
    if cell.lines:
        return "; ".join(f"{name}: {before or ''} -> {after or ''}" for name, before, after in cell.lines)
    return cell.value or cell.text


def _leads(cells: tuple[Cell, ...] | list[Cell]) -> str:
    for cell in cells:
        if cell.event_id:
            return f"/activity/{cell.event_id}"
        if cell.leads:
            return _ACTIVITY + cell.leads.address
    return ""


def _evidence(report: Report) -> str:
    return _ACTIVITY + report.asked.address
