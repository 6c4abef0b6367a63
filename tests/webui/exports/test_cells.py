"""CSV: RFC 4180, a column a field, nothing that a spreadsheet would run, and numbers that stay numbers."""

import csv
import io
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.cursors import Position
from indexer.event import FIELDS
from indexer.search import StoredEvent
from tests.support import events
from webui.exports import cells

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NANOS = 1795415206688466500


def stored(fields: dict[str, object]) -> StoredEvent:
    made = events.document(1, fields)
    return StoredEvent(made, Position(NANOS, made["event"]["id"]))


def written(*found: StoredEvent, bom: bool = False) -> bytes:
    return b"".join(piece for piece, _ in cells.csv_bytes(found, STOCKHOLM, bom=bom))


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


class TestColumns:
    def test_every_field_has_one(self) -> None:
        elsewhere = {"@timestamp", "search", "change.before", "change.after"}
        assert set(cells.COLUMNS) == (set(FIELDS) - elsewhere) | {"timestamp", "change"}
        assert len(set(cells.COLUMNS)) == len(cells.COLUMNS)

    def test_the_time_is_local_with_its_zone_and_exact_in_utc(self) -> None:
        (row,) = read(written(stored({})))
        assert row["time (Europe/Stockholm)"] == "2026-11-23 07:26:46.688+01:00"
        assert row["timestamp"] == events.document(1)["@timestamp"]

    def test_a_change_says_before_and_after(self) -> None:
        (row,) = read(
            written(
                stored(
                    {
                        "change.before": {"Status": "Draft", "Quantity": -3, "Same": 1},
                        "change.after": {"Status": "Confirmed", "Quantity": 2.5, "Same": 1, "Note": None},
                    }
                )
            )
        )
        assert row["change"] == "Status: Draft -> Confirmed; Quantity: -3 -> 2.5"

    def test_what_came_or_went_has_one_side(self) -> None:
        came = stored({"change.before": None, "change.after": {"Name": "mug"}})
        went = stored({"change.before": {"Name": "mug"}, "change.after": None})
        assert [row["change"] for row in read(written(came, went))] == ["Name: -> mug", "Name: mug ->"]

    def test_what_has_parts_is_json(self) -> None:
        (row,) = read(written(stored({"labels": {"A": {"b": [1, "ü"]}}})))
        assert orjson.loads(row["labels"]) == {"A": {"b": [1, "ü"]}}


class TestTheFile:
    def test_lines_end_and_quotes_double_as_rfc_4180_says(self) -> None:
        data = written(stored({"message": 'a "b", c\r\nd'}))
        assert data.endswith(b"\r\n")
        assert b'"a ""b"", c\r\nd"' in data

    @pytest.mark.parametrize("bom", [True, False])
    def test_a_byte_order_mark_goes_first_if_wanted(self, *, bom: bool) -> None:
        data = written(stored({"message": "Åström"}), bom=bom)
        assert data.startswith(cells.BOM) is bom
        assert read(data)[0]["message"] == "Åström"

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
    def test_any_text_comes_back(self, text: str) -> None:
        (row,) = read(written(stored({"message": text or None})))
        assert row["message"].removeprefix("'" if cells.defused(text) != text else "") == text

    def test_ndjson_is_the_event_itself(self) -> None:
        found = stored({"message": "=SUM(A1)", "change.after": {"Quantity": -8, "Price": 26.0}})
        ((line, count),) = cells.ndjson_bytes([found])
        assert count == 1
        assert line.endswith(b"\n")
        assert orjson.loads(line) == found.document
        assert b'"Price":26.0' in line


class TestDefusing:
    @pytest.mark.parametrize(
        "text",
        ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "-", "+", "--1"],  # noqa: RUF001
    )
    def test_what_would_run_is_text(self, text: str) -> None:
        assert cells.defused(text) == f"'{text}"

    @pytest.mark.parametrize(
        "text", ["-8", "+46", "-0.5", "-.5", "-1e-7", "12", "", "a=1", "2026-11-23", "'=1", "Δ"]
    )
    def test_what_would_not_stays(self, text: str) -> None:
        assert cells.defused(text) == text

    @given(st.text())
    def test_no_cell_begins_like_a_formula(self, text: str) -> None:
        kept = cells.defused(text)
        assert kept[:1] not in set("=@\t\r\n＝＋－＠")  # noqa: RUF001
        if kept[:1] in set("+-") and kept:
            float(kept)

    def test_a_negative_quantity_that_stands_alone_stays_a_number(self) -> None:
        (row,) = read(written(stored({"entity.number": "-8", "message": "-8 boxes"})))
        assert (row["entity.number"], row["message"]) == ("-8", "'-8 boxes")
