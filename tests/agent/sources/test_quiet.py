"""Records of text that quiet has ended: each line that was written is in an event, whatever dies when."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.support.scale import SCALE
from tests.support.tailing import Reading, append

HEAD = b'2026-11-23 06:26:35.363 +00:00 [ERR] It failed {"Number":%d}\n'
FRAME = b"   at SmartWMS.Frame%d()\n"


class TextAndQuiet(RuleBasedStateMachine):
    """A writer of heads and of the lines that belong to them, and a tail that may die at any moment.

    The store keeps the first event under an id, that is under the position of its record; what is sent again
    under the same id changes nothing there.
    """

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "a.log"
        self.written: list[bytes] = []
        self.stored: dict[int, bytes] = {}
        self.reading = Reading(self.folder, "*.log", "serilog-text")
        self.write_a_head()

    @rule()
    def write_a_head(self) -> None:
        self.written.append(HEAD % len(self.written))
        append(self.path, self.written[-1])

    @rule()
    def write_what_belongs_to_it(self) -> None:
        self.written.append(FRAME % len(self.written))
        append(self.path, self.written[-1])

    @rule(secs=st.sampled_from([0.1, 1.0, 10.0]))
    def poll(self, secs: float) -> None:
        known = len(self.reading.chunks)
        self.reading.poll(secs)
        for chunk in self.reading.chunks[known:]:
            for position, record in chunk.records:
                self.stored.setdefault(position, record)

    @rule()
    def answer(self) -> None:
        self.reading.finish()

    @rule()
    def kill(self) -> None:
        self.reading = self.reading.killed()

    @rule()
    def restart(self) -> None:
        self.reading = self.reading.restarted()

    def teardown(self) -> None:
        if not hasattr(self, "reading"):
            return
        try:
            for _ in range(3):
                self.poll(10.0)
            found = b"\n".join(record for _, record in sorted(self.stored.items())) + b"\n"
            assert found == b"".join(self.written)
        finally:
            while Reading.alive:
                Reading.alive.pop().tail.close()
            shutil.rmtree(self.folder)


TextAndQuiet.TestCase.settings = settings(max_examples=60 * SCALE, stateful_step_count=20)
test_33_random_programs_of_lines_quiet_and_kills = TextAndQuiet.TestCase


def test_64_a_record_that_may_not_be_ended_is_left_to_the_next_run(tmp_path: Path) -> None:
    append(tmp_path / "a.log", HEAD % 1)
    reading = Reading(tmp_path, "*.log", "serilog-text")
    reading.tail.keep_cuts = lambda _: False
    assert reading.poll() == []
    assert not reading.tail.is_at_end
    assert reading.poll(after_secs=1.0) == []
    assert reading.tail.is_at_end


def test_64_nor_is_a_file_let_go_whose_last_record_may_not_be_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    append(path, HEAD % 1)
    reading = Reading(tmp_path, "*.log", "serilog-text")
    reading.tail.keep_cuts = lambda _: False
    reading.poll()
    path.unlink()
    reading.poll()
    assert reading.poll(after_secs=60.0) == []
    assert reading.tail.troubles.lost_bytes == 0
    reading.tail.keep_cuts = lambda _: True
    assert reading.poll(after_secs=60.0) == [(HEAD % 1)[:-1]]
    assert reading.tail.streams == []
