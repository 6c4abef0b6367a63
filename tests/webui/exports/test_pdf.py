"""The PDF shows what the events say and runs nothing of it."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from indexer.cursors import Position
from indexer.search import StoredEvent
from tests.support import events
from webui.exports import pdf
from webui.exports.pdf import Head, PdfError

HEAD = Head("All activity.", (("Asked for by", "anna"),))
STOCKHOLM = ZoneInfo("Europe/Stockholm")


def stored(number: int, fields: dict[str, object]) -> StoredEvent:
    made = events.document(number, fields)
    return StoredEvent(made, Position(1795415206688466500 + number, made["event"]["id"]))


def made(*found: StoredEvent) -> tuple[list[str], list[int]]:
    """The text of each page, and how the rows were told."""
    out, told = io.BytesIO(), list[int]()
    pdf.write_pdf(found, HEAD, STOCKHOLM, out, told.append)
    return [text_of(page) for page in PdfReader(out).pages], told


def text_of(page: object) -> str:
    return " ".join(page.extract_text().split())  # type: ignore[attr-defined]


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that writes down what it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_pieces_are_joined_and_numbered_throughout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "PIECE_COUNT", 2)
    pages, told = made(*(stored(number, {"message": f"row {number} end"}) for number in range(5)))
    assert told == [2, 2, 1]
    assert [page.rpartition("Page ")[2] for page in pages] == ["1 of 3", "2 of 3", "3 of 3"]
    assert "row 0 end" in pages[0]
    assert "row 4 end" in pages[2]
    assert [("Asked for by" in page, "Time (Europe/Stockholm)" in page) for page in pages] == [
        (True, True),
        (False, True),
        (False, True),
    ]


def test_what_an_event_says_is_text_whatever_it_is() -> None:
    hostile = "<script>document.write('RAN')</script><b>bold</b> & Göteborg Проверка"
    (page,), _ = made(stored(1, {"message": hostile}))
    assert "<script>document.write('RAN')</script><b>bold</b> & Göteborg Проверка" in page


def test_a_long_text_is_cut_and_says_so() -> None:
    pages, _ = made(stored(1, {"message": "x" * 500}))
    assert "cut; CSV and NDJSON have all of it" in " ".join(pages)


def test_a_name_turns_nothing_around() -> None:
    (page,), _ = made(stored(1, {"message": "anna\u202egnp.exe changed it", "user": {"name": "a\x00b"}}))
    assert "anna[U+202E]gnp.exe changed it" in page
    assert "a[U+0000]b" in page


def test_an_arrow_does_not_turn_where_people_write_from_right_to_left() -> None:
    change = {"before": {"Status": "חדש"}, "after": {"Status": "שולם"}, "fields": ["Status"]}
    (page,), _ = made(stored(1, {"change": change}))
    told = page.partition("Status")[2]
    assert ">" in told
    # As it is drawn in a text that runs to the left.
    assert "<" not in told


class TestWkhtmltopdf:
    """Even if something slipped through the template."""

    def test_reaches_no_network(self) -> None:
        with listener() as (address, asked):
            pdf.rendered(
                f'<html><head><link rel="stylesheet" href="{address}/style"></head><body>shown'
                f'<img src="{address}/picture"><iframe src="{address}/frame"></iframe></body></html>'
            )
        assert asked == []

    def test_reads_no_file(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret.html"
        secret.write_text("<p>SECRET</p>", encoding="utf-8")
        data = pdf.rendered(f'<html><body>shown<iframe src="file://{secret}"></iframe></body></html>')
        assert "SECRET" not in "".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)

    def test_runs_no_script(self) -> None:
        data = pdf.rendered("<html><body>shown<script>document.write('RAN')</script></body></html>")
        text = PdfReader(io.BytesIO(data)).pages[0].extract_text()
        assert "shown" in text
        assert "RAN" not in text

    def test_that_is_missing_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def absent(*_: object, **__: object) -> None:
            raise FileNotFoundError

        monkeypatch.setattr("subprocess.run", absent)
        with pytest.raises(PdfError, match="wkhtmltopdf is not installed"):
            pdf.rendered("<p>")
