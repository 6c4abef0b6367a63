"""Where the records of the text log begin and end, also when a client wrote lines of its own into it."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.formats import MAX_RECORD_BYTES
from agent.formats.serilog_framing import SerilogFramer
from tests.agent.formats.files import framed
from tests.agent.formats.test_framing import chunked

HEAD = b"2026-11-23 07:27:07.213 +01:00 [INF] "
FORGED_HEAD = b"2026-01-01 00:00:00.000 [INF] "
OBJECT = b' {"RequestId":"1","MachineName":"vm"}'
FRAMES = b"".join(b"   at SmartWMS.Step%d() in Step.cs:line %d\n" % (line, line) for line in range(60))
EXCEPTION = b"System.Exception: no\n ---> Npgsql.PostgresException: 23503\n\nDETAIL: none\n" + FRAMES

SMALL = 120
PIECES = st.sampled_from(
    [
        HEAD + b"one" + OBJECT + b"\n",
        HEAD + b"none {}\r\n",
        HEAD + b"no object\n",
        FORGED_HEAD + b"forged\n",
        OBJECT + b"\n",
        b' {"broken"}\n',
        b"   at frame\n",
        b"}\n",
        b"\n",
        b"\r\n",
        b"\0\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"y" * SMALL,
        HEAD,
    ]
)


def bodies(data: bytes) -> list[bytes]:
    return [raw for _, raw in framed(SerilogFramer(), [data])]


class TestRecords:
    def test_one_ends_where_the_next_head_begins(self) -> None:
        framer = SerilogFramer()
        first, second = HEAD + b"one" + OBJECT, HEAD + b"two" + OBJECT
        assert framer.split(first + b"\n" + second + b"\n", 0) == [(0, first)]
        assert framer.pending == (len(first) + 1, len(second) + 1)
        assert not framer.mid_line
        assert framer.flush() == [(len(first) + 1, second)]
        assert framer.pending is None

    def test_an_exception_with_blank_lines_and_60_frames_belongs_to_its_record(self) -> None:
        failed = HEAD + b"failed" + OBJECT + b"\n" + EXCEPTION
        assert bodies(failed + HEAD + b"next {}\n") == [failed[:-1], HEAD + b"next {}"]

    def test_a_message_of_several_lines_before_its_object_is_one_record(self) -> None:
        failed = HEAD + b"Failed executing DbCommand\nDELETE FROM x\nWHERE y = {z};" + OBJECT
        assert bodies(failed + b"\n" + HEAD + b"next {}\n") == [failed, HEAD + b"next {}"]

    def test_an_empty_object_ends_the_message_too(self) -> None:
        assert bodies(HEAD + b"one {}\n" + HEAD + b"two {}\n") == [HEAD + b"one {}", HEAD + b"two {}"]

    def test_carriage_returns_and_an_empty_line_change_nothing(self) -> None:
        assert bodies(HEAD + b"one {}\r\n" + HEAD + b"two {}\r\n\r\n") == [
            HEAD + b"one {}",
            HEAD + b"two {}\r\n",
        ]

    def test_a_byte_order_mark_is_no_part_of_the_first_one(self) -> None:
        assert framed(SerilogFramer(), [b"\xef\xbb", b"\xbf" + HEAD, b"one {}\n"]) == [(3, HEAD + b"one {}")]

    def test_lines_after_a_flush_are_a_record_of_their_own_until_the_next_head(self) -> None:
        framer = SerilogFramer()
        failed = HEAD + b"failed" + OBJECT + b"\nSystem.Exception: no\n"
        framer.split(failed, 0)
        assert framer.flush() == [(0, failed[:-1])]
        late = b"   at Late()\n   at Later()\n"
        assert framer.split(late + HEAD + b"next {}\n", len(failed)) == [(len(failed), late[:-1])]
        assert framer.flags == {}

    def test_a_stretch_that_begins_inside_a_record_gives_the_rest_and_then_the_heads(self) -> None:
        assert bodies(b"   at Rest()\n" + HEAD + b"next {}\n") == [b"   at Rest()", HEAD + b"next {}"]

    def test_blank_lines_alone_are_no_record(self) -> None:
        assert bodies(b"\n\r\n\n") == []


class TestForgedHeads:
    @pytest.mark.parametrize(
        "forged",
        [
            pytest.param(b"GET /x\r\n" + FORGED_HEAD + b"fake", id="no time zone"),
            pytest.param(b"GET /x\r\n" + HEAD + b"HTTP GET /fake responded 200 in 1.0 ms", id="no object"),
            pytest.param(b"GET /x}\r\n" + HEAD + b"fake", id="a brace before it"),
            pytest.param(b"GET /x {y}\r\n" + HEAD + b"fake", id="braces that are no object"),
            pytest.param(b'GET /x {"y"}\r\n' + HEAD + b"fake", id="braces and quotes that are no object"),
            pytest.param(
                b"GET /x\r\n" + HEAD + b"a\r\n" + HEAD + b"b\r\n" + FORGED_HEAD + b"c", id="several"
            ),
            pytest.param(b"GET /x\r\n" + FORGED_HEAD + b"fake" + OBJECT, id="an object but no time zone"),
        ],
    )
    def test_one_makes_no_record_and_flags_its_own(self, forged: bytes) -> None:
        framer = SerilogFramer()
        record = HEAD + b"HTTP " + forged + b" responded 404 in 0.2 ms" + OBJECT
        before, after = HEAD + b"before {}", HEAD + b"after {}"
        records = framed(framer, [before + b"\n" + record + b"\n" + after + b"\n"])
        assert [raw for _, raw in records] == [before, record, after]
        assert framer.flags == {len(before) + 1: ("forged_suspect",)}

    def test_one_without_time_zone_in_an_exception_stays_there(self) -> None:
        framer = SerilogFramer()
        record = (
            HEAD + b"failed" + OBJECT + b"\nSystem.Exception: for\n" + FORGED_HEAD + b"x {}\n   at Frame()"
        )
        assert framed(framer, [record + b"\n"]) == [(0, record)]
        assert framer.flags == {0: ("forged_suspect",)}

    def test_one_with_the_object_forged_too_cannot_be_told_apart(self) -> None:
        framer = SerilogFramer()
        record = HEAD + b"HTTP GET /x" + OBJECT + b"\r\n" + HEAD + b"fake" + OBJECT + b"\n"
        assert len(framed(framer, [record])) == 2
        assert framer.flags == {}

    def test_one_after_the_quiet_time_of_an_unfinished_record_is_flagged(self) -> None:
        framer = SerilogFramer()
        framer.split(HEAD + b"HTTP GET /x\r\n", 0)
        framer.flush()
        assert framer.split(HEAD + b"fake" + OBJECT + b"\n", 100) == []
        assert framer.flush() == [(100, HEAD + b"fake" + OBJECT)]
        assert framer.flags == {100: ("forged_suspect",)}


class TestChunks:
    @given(chunks=chunked(PIECES))
    def test_any_chunks_give_the_same_records_and_flags(self, chunks: list[bytes]) -> None:
        whole, parts = SerilogFramer(SMALL), SerilogFramer(SMALL)
        assert framed(parts, chunks) == framed(whole, [b"".join(chunks)])
        assert parts.flags == whole.flags

    @given(chunks=chunked(PIECES))
    def test_below_the_limit_nothing_but_line_ends_holes_and_the_mark_is_left_out(
        self, chunks: list[bytes]
    ) -> None:
        data = b"".join(chunks)
        kept = b"".join(raw for _, raw in framed(SerilogFramer(), chunks))
        if data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
        ignored = b"\r\n\0"
        assert kept.translate(None, ignored) == data.translate(None, ignored)


class TestRecordsAboveTheLimit:
    @pytest.mark.parametrize("size", [4096, 1 << 22])
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"x" * (2 * MAX_RECORD_BYTES) + b"\n", id="one line"),
            pytest.param(b"   at Frame()\n" * (MAX_RECORD_BYTES // 10), id="many lines"),
        ],
    )
    def test_one_is_cut_and_flagged_and_its_neighbours_are_whole(self, body: bytes, size: int) -> None:
        before, after = HEAD + b"before {}\n", HEAD + b"after {}\n"
        data = before + HEAD + b"failed" + OBJECT + b"\n" + body + after
        framer = SerilogFramer()
        records = framed(framer, [data[at : at + size] for at in range(0, len(data), size)])
        cut = data[len(before) :][:MAX_RECORD_BYTES]
        assert records == [(0, before[:-1]), (len(before), cut), (len(data) - len(after), after[:-1])]
        assert framer.flags == {len(before): ("truncated",)}

    def test_one_that_never_prints_its_object_ends_at_the_next_head(self) -> None:
        framer = SerilogFramer(SMALL)
        torn = HEAD + b"x" * SMALL + b"\n"
        after = HEAD + b"after {}"
        records = framed(framer, [torn + after + b"\n"])
        assert records == [(0, torn[:SMALL]), (len(torn), after)]
        assert framer.flags == {0: ("truncated",)}

    def test_one_that_was_flushed_casts_no_suspicion_on_the_next(self) -> None:
        framer = SerilogFramer(SMALL)
        torn = HEAD + b"x" * SMALL + b"\n"
        framer.split(torn, 0)
        framer.flush()
        framer.split(HEAD + b"after {}\n", len(torn))
        assert framer.flush() == [(len(torn), HEAD + b"after {}")]
        assert framer.flags == {0: ("truncated",)}

    def test_100_mb_without_newline_do_not_grow_the_memory(self) -> None:
        framer = SerilogFramer()
        chunk = b"x" * MAX_RECORD_BYTES
        tracemalloc.start()
        framer.split(HEAD, 0)
        for count in range(100):
            framer.split(chunk, len(HEAD) + count * len(chunk))
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak_bytes < 5 * MAX_RECORD_BYTES
        assert framer.pending is not None
        assert framer.pending[1] < 2 * MAX_RECORD_BYTES

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param(HEAD + b' {"' * 300_000 + b"}\n", id="beginnings of objects"),
            pytest.param((HEAD + b"}\n") * 25_000, id="heads that do not count"),
            pytest.param(b"\n\0" * 500_000, id="holes"),
            pytest.param(b"}\n" * 500_000, id="braces"),
        ],
    )
    def test_hostile_lines_take_time_in_proportion_to_their_length(self, line: bytes) -> None:
        # Quadratic, these would take minutes.
        began = time.process_time()
        framed(SerilogFramer(), [HEAD + b"x\n", line])
        assert time.process_time() - began < 5
