"""Events as a PDF: made by wkhtmltopdf in pieces, joined and numbered by pypdf.

wkhtmltopdf is an old browser. It is given only what our template has escaped, and may neither run script nor
read a file nor reach a network.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final, cast
from zoneinfo import ZoneInfo

import pdfkit
from jinja2 import Environment, PackageLoader, StrictUndefined
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, PdfObject

from indexer.search import StoredEvent
from webui import wording
from webui.exports.cells import change_text, local_time

PIECE_COUNT: Final = 1000
RENDER_SECS: Final = 50
"""How long a piece may take; less than a worker's lease."""
# Between two values in letters that are written from right to left, a bare arrow would run to the left.
_ARROW: Final = "\N{LEFT-TO-RIGHT MARK}->\N{LEFT-TO-RIGHT MARK}"
_CHANGE_CHARS: Final = 600
_WHAT_CHARS: Final = 400
_MARGIN_POINTS: Final = 24
_DIGIT_POINTS: Final = 4.5
_OPTIONS: Final = {
    "quiet": "",
    "encoding": "UTF-8",
    "page-size": "A4",
    "orientation": "Landscape",
    "margin-top": "12mm",
    "margin-bottom": "15mm",
    "margin-left": "12mm",
    "margin-right": "12mm",
    "disable-javascript": "",
    "disable-local-file-access": "",
    "disable-external-links": "",
    "disable-plugins": "",
    "no-images": "",
    # Nobody listens there: whatever would be loaded is not.
    "proxy": "http://127.0.0.1:9",
    "load-error-handling": "ignore",
    "load-media-error-handling": "ignore",
}


class PdfError(Exception):
    """A piece could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the table: the filter in words, and facts as label and value."""

    sentence: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Row:
    time: str
    who: str
    where: str
    what: str
    action: str
    entity: str
    change: str
    failed: bool


_environment: Final = Environment(
    loader=PackageLoader("webui.exports"),
    autoescape=True,
    finalize=wording.plain,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def write_pdf(
    events: Iterable[StoredEvent],
    head: Head,
    zone: ZoneInfo,
    out: BinaryIO,
    written: Callable[[int], None],
) -> None:
    """Write the whole document; `written` is told the number of events of each piece. PdfError."""
    writer = PdfWriter()
    for html, count in _pieces(events, head, zone):
        for page in PdfReader(BytesIO(rendered(html))).pages:
            writer.add_page(page)
        written(count)
    _close(writer, "SmartWMS Audit: Activity Log", head.sentence, out)


def write_page(html: str, title: str, subject: str, out: BinaryIO) -> None:
    """Write a page of HTML as a document with numbered pages. PdfError."""
    writer = PdfWriter()
    for page in PdfReader(BytesIO(rendered(html))).pages:
        writer.add_page(page)
    _close(writer, title, subject, out)


def _close(writer: PdfWriter, title: str, subject: str, out: BinaryIO) -> None:
    _number(writer)
    writer.add_metadata({"/Title": title, "/Subject": subject})
    writer.compress_identical_objects()
    writer.write(out)


def rendered(html: str) -> bytes:
    """Give a page as PDF. PdfError when wkhtmltopdf is missing, fails, or takes too long."""
    with TemporaryDirectory(prefix="smartwms-audit-pdf-") as folder:
        target = Path(folder) / "piece.pdf"
        try:
            command: list[str] = pdfkit.PDFKit(html, "string", options=_OPTIONS).command(str(target))
            done = subprocess.run(
                command, input=html.encode(), capture_output=True, timeout=RENDER_SECS, check=False
            )
        except OSError as error:
            raise PdfError("wkhtmltopdf is not installed where exports are made") from error
        except subprocess.TimeoutExpired as error:
            raise PdfError(f"wkhtmltopdf took more than {RENDER_SECS} seconds for a piece") from error
        # It also says 1 for a page whose pictures it was kept from loading: the file is what counts.
        if not target.exists() or not target.stat().st_size:
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise PdfError(f"wkhtmltopdf ended with {done.returncode} and made no file: {said}")
        return target.read_bytes()


def _pieces(events: Iterable[StoredEvent], head: Head, zone: ZoneInfo) -> Iterator[tuple[str, int]]:
    template = _environment.get_template("exports/pdf.html")
    waiting = iter(events)
    first: Head | None = head
    while rows := [_row(event, zone) for event in islice(waiting, PIECE_COUNT)]:
        yield template.render(head=first, rows=rows, zone=zone.key), len(rows)
        first = None
    if first is not None:
        yield template.render(head=first, rows=(), zone=zone.key), 0


def _row(event: StoredEvent, zone: ZoneInfo) -> _Row:
    number = event.text("entity.number") or event.text("entity.id")
    return _Row(
        time=local_time(event.moment, zone),
        who=event.text("user.name") or event.text("user.email") or event.text("user.id"),
        where=event.text("source.ip") or event.text("source.address"),
        what=_cut(event.text("message"), _WHAT_CHARS),
        action=f"{event.text('event.category')}/{event.text('event.action')}",
        entity=f"{event.text('entity.type')} {number}".strip(),
        change=_cut(change_text(event, _ARROW), _CHANGE_CHARS),
        failed=event.text("event.outcome") == "failure",
    )


def _cut(text: str, limit_chars: int) -> str:
    # Said where it happens; the other formats have the whole.
    return (
        text if len(text) <= limit_chars else f"{text[:limit_chars]} … (cut; CSV and NDJSON have all of it)"
    )


def _number(writer: PdfWriter) -> None:
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    shared = writer._add_object(font)  # noqa: SLF001  pypdf's own name for it
    for number, page in enumerate(writer.pages, 1):
        text = f"Page {number} of {len(writer.pages)}"
        x = float(page.mediabox.right) - _MARGIN_POINTS - _DIGIT_POINTS * len(text)
        resources = cast("DictionaryObject", page["/Resources"].get_object())
        fonts = resources.setdefault(NameObject("/Font"), DictionaryObject()).get_object()
        fonts[NameObject("/AuditPage")] = shared
        # Beside what is there, which stays compressed as it is; `q` and `Q` undo its own scale.
        around = [_stream(writer, b"q "), *_streams(page)]
        drawing = f" Q BT /AuditPage 8 Tf 0.3 g {x:.1f} {_MARGIN_POINTS - 4} Td ({text}) Tj ET"
        page[NameObject("/Contents")] = ArrayObject([*around, _stream(writer, drawing.encode())])


def _streams(page: PageObject) -> list[PdfObject]:
    contents = page.raw_get("/Contents")
    return list(contents) if isinstance(contents, ArrayObject) else [contents]


def _stream(writer: PdfWriter, data: bytes) -> PdfObject:
    made = DecodedStreamObject()
    made.set_data(data)
    return writer._add_object(made)  # noqa: SLF001  pypdf's own name for it
