"""Random programs of writing, rolling, truncating and restarting, against what was written."""

import gzip
import random
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.sources.stream import Chunk
from tests.support.scale import SCALE
from tests.support.tailing import Reading, append, line, numbers


class LogAndTail(RuleBasedStateMachine):
    """A writer with all the ways of rolling a log, and a tail that may die at any moment.

    However it goes: every line comes to be final, and a line that is read again is read as the same event,
    that is with the same identity of its file and at the same position.
    """

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.current = self.folder / "log.clef"
        self.written = 0
        self.unfinished = b""
        self.rolls = 0
        self.places: dict[int, tuple[bytes, int]] = {}
        self.final: set[int] = set()
        self.reading = Reading(self.folder, "*.clef*")

    # -- the writer

    @rule(count=st.integers(1, 5))
    def write(self, count: int) -> None:
        data = self.unfinished
        for _ in range(count if data == b"" else count - 1):
            data += line(self.written)
            self.written += 1
        self.unfinished = b""
        append(self.current, data)

    @precondition(lambda self: not self.unfinished)
    @rule(size=st.integers(1, 20))
    def write_part_of_a_line(self, size: int) -> None:
        data = line(self.written)
        self.written += 1
        self.unfinished = data[size:]
        append(self.current, data[:size])

    @precondition(lambda self: not self.unfinished and self.current.exists())
    @rule()
    def rename_and_create(self) -> None:
        self.rolls += 1
        self.current.rename(self.folder / f"log.{self.rolls}.clef")

    @precondition(lambda self: not self.unfinished and self.current.exists())
    @rule(regrow=st.booleans())
    def copy_and_truncate(self, *, regrow: bool) -> None:
        self.rolls += 1
        shutil.copyfile(self.current, self.folder / f"log.{self.rolls}.clef")
        old_size = self.current.stat().st_size
        self.current.write_bytes(b"")
        while regrow and self.current.stat().st_size <= old_size:
            self.write(1)

    @rule()
    def roll_by_name(self) -> None:
        if not self.unfinished:
            self.rolls += 1
            self.current = self.folder / f"day-{self.rolls}.clef"

    @precondition(lambda self: self.rolls)
    @rule(at=st.floats(0, 0.999))
    def rename_an_old_one(self, at: float) -> None:
        old = [path for path in sorted(self.folder.glob("*.clef")) if path != self.current]
        if old:
            self.rolls += 1
            old[int(at * len(old))].rename(self.folder / f"old.{self.rolls}.clef")

    @precondition(lambda self: self.rolls)
    @rule(at=st.floats(0, 0.999))
    def compress_an_old_one(self, at: float) -> None:
        old = [path for path in sorted(self.folder.glob("*.clef")) if path != self.current]
        if old:
            path = old[int(at * len(old))]
            path.with_suffix(".clef.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()

    # -- the agent

    @rule(secs=st.sampled_from([0.0, 1.0, 10.0]))
    def poll(self, secs: float) -> None:
        known = len(self.reading.chunks)
        self.reading.poll(secs)
        for chunk in self.reading.chunks[known:]:
            identity = chunk.stream.head.identity
            for position, record in chunk.records:
                [number] = numbers([record])
                place = self.places.setdefault(number, (identity, position))
                assert place == (identity, position), "the same line became two events"

    @rule(share=st.floats(0, 1), seed=st.integers(0, 1000))
    def answer(self, share: float, seed: int) -> None:
        chooser = random.Random(seed)
        open_chunks: list[Chunk] = []
        for chunk in self.reading.chunks:
            if chooser.random() < share:
                chunk.span.open_count = 0
                self.final.update(numbers([record for _, record in chunk.records]))
            else:
                open_chunks.append(chunk)
        self.reading.chunks = open_chunks
        self.reading.tail.settle()

    @rule()
    def restart(self) -> None:
        self.reading = self.reading.restarted()

    @rule()
    def restart_without_state(self) -> None:
        self.reading.tail.close()
        self.reading = Reading(self.folder, "*.clef*")

    @invariant()
    def no_position_has_passed_what_is_open(self) -> None:
        if hasattr(self, "reading"):
            for chunk in self.reading.chunks:
                assert chunk.stream.position <= chunk.span.start

    def teardown(self) -> None:
        if not hasattr(self, "reading"):
            return
        try:
            append(self.current, self.unfinished)
            for _ in range(4):
                self.poll(10.0)
                self.answer(1.0, 0)
            assert self.final == set(range(self.written))
            assert self.reading.tail.troubles.lost_bytes == 0
        finally:
            while Reading.alive:
                Reading.alive.pop().tail.close()
            shutil.rmtree(self.folder)


LogAndTail.TestCase.settings = settings(max_examples=60 * SCALE, stateful_step_count=30)
test_70_random_programs_against_the_model = LogAndTail.TestCase
