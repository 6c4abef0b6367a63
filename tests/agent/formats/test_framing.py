"""Lines become records, in bounded memory and whatever chunks they come in."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.formats import MAX_RECORD_BYTES
from agent.formats.framing import LineFramer
from tests.agent.formats.files import framed

SMALL = 20
PIECES = st.sampled_from(
    [
        b"a",
        b"{}",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"x" * SMALL,
        b"12345678",
    ]
)


@st.composite
def chunked(draw: st.DrawFn, pieces: st.SearchStrategy[bytes] = PIECES) -> list[bytes]:
    """A file in chunks that end anywhere."""
    data = b"".join(draw(st.lists(pieces, max_size=30)))
    ends = sorted(draw(st.sets(st.integers(0, len(data)), max_size=12)) | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(ends)]


class TestLines:
    def test_a_line_is_a_record_at_the_position_of_its_first_byte(self) -> None:
        assert framed(LineFramer(), [b"one\ntwo\n"]) == [(0, b"one"), (4, b"two")]

    def test_a_line_without_its_end_is_held_until_the_end_comes(self) -> None:
        framer = LineFramer()
        assert framer.split(b"one\ntw", 0) == [(0, b"one")]
        assert (framer.pending, framer.mid_line) == ((4, 2), True)
        assert framer.split(b"o\n", 6) == [(4, b"two")]
        assert (framer.pending, framer.mid_line) == (None, False)

    def test_what_continues_a_flushed_line_is_a_record_of_its_own(self) -> None:
        framer = LineFramer()
        framer.split(b"fir", 0)
        assert framer.flush() == [(0, b"fir")]
        assert framer.split(b"st\nsecond\n", 3) == [(3, b"st"), (6, b"second")]

    def test_a_flush_of_nothing_gives_nothing(self) -> None:
        assert LineFramer().flush() == []

    @pytest.mark.parametrize(
        ("data", "records"),
        [
            pytest.param(b"one\r\ntwo\r\n", [(0, b"one"), (5, b"two")], id="CRLF"),
            pytest.param(b"\n\r\n\none\n\n", [(4, b"one")], id="empty lines"),
            pytest.param(b"\xef\xbb\xbfone\n", [(3, b"one")], id="byte order mark"),
            pytest.param(b"\xef\xbb\xbf", [], id="only a byte order mark"),
            pytest.param(b"a\n\xef\xbb\xbfone\n", [(0, b"a"), (2, b"\xef\xbb\xbfone")], id="mark elsewhere"),
            pytest.param(b"\0\0\0one\n", [(3, b"one")], id="hole at the start"),
            pytest.param(b"one\n\0\0two\n\0", [(0, b"one"), (6, b"two")], id="hole between lines"),
            pytest.param(b"o\0ne\n", [(0, b"o\0ne")], id="NUL inside a line"),
            pytest.param(b"\xff\n\xc3\n", [(0, b"\xff"), (2, b"\xc3")], id="invalid UTF-8"),
            pytest.param("é\u2028\x85\n".encode(), [(0, "é\u2028\x85".encode())], id="other line separators"),
        ],
    )
    @pytest.mark.parametrize("size", [1, 2, 100])
    def test_only_a_newline_ends_a_line(
        self, data: bytes, records: list[tuple[int, bytes]], size: int
    ) -> None:
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        assert framed(LineFramer(), chunks) == records

    @given(chunks=chunked())
    def test_any_chunks_give_the_same_records_and_flags(self, chunks: list[bytes]) -> None:
        whole, parts = LineFramer(SMALL), LineFramer(SMALL)
        assert framed(parts, chunks) == framed(whole, [b"".join(chunks)])
        assert parts.flags == whole.flags

    @given(chunks=chunked())
    def test_every_record_stands_in_the_file_at_its_position(self, chunks: list[bytes]) -> None:
        data = b"".join(chunks)
        for position, raw in framed(LineFramer(SMALL), chunks):
            assert data[position:].startswith(raw)
            assert 0 < len(raw) <= SMALL


class TestLinesAboveTheLimit:
    @pytest.mark.parametrize("size", [1000, 1 << 16, 1 << 22])
    def test_one_is_cut_and_flagged_and_its_neighbours_are_whole(self, size: int) -> None:
        data = b"before\n" + b"x" * (MAX_RECORD_BYTES + 5000) + b"\nafter\n"
        framer = LineFramer()
        records = framed(framer, [data[at : at + size] for at in range(0, len(data), size)])
        assert records == [
            (0, b"before"),
            (7, b"x" * MAX_RECORD_BYTES),
            (len(data) - 6, b"after"),
        ]
        assert framer.flags == {7: ("truncated",)}

    def test_one_of_exactly_the_limit_is_whole(self) -> None:
        framer = LineFramer()
        assert framed(framer, [b"x" * MAX_RECORD_BYTES, b"\r\n"]) == [(0, b"x" * MAX_RECORD_BYTES)]
        assert framer.flags == {}

    def test_one_of_100_mb_without_newline_does_not_grow_the_memory(self) -> None:
        framer = LineFramer()
        chunk = b"x" * MAX_RECORD_BYTES
        tracemalloc.start()
        for count in range(100):
            assert framer.split(chunk, count * len(chunk)) == []
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak_bytes < 4 * MAX_RECORD_BYTES
        assert framer.split(b"x\nnext\n", 100 * len(chunk)) == [(0, chunk), (100 * len(chunk) + 2, b"next")]

    def test_a_hole_of_any_size_before_a_line_costs_nothing(self) -> None:
        framer = LineFramer()
        for count in range(8):
            framer.split(bytes(MAX_RECORD_BYTES), count * MAX_RECORD_BYTES)
            assert framer.pending is None
        assert framer.split(b"line\n", 8 * MAX_RECORD_BYTES) == [(8 * MAX_RECORD_BYTES, b"line")]
