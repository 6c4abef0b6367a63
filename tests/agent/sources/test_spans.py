"""What waits at the front of a log must not make everything behind it pile up in memory."""

from pathlib import Path

from agent.sources.spans import APART_COUNT
from tests.support.tailing import Reading, append, line


def test_what_is_final_behind_a_record_that_waits_is_kept_as_one(tmp_path: Path) -> None:
    log = tmp_path / "a.clef"
    reading = Reading(tmp_path)
    append(log, line(0))
    reading.poll()
    [waiting] = reading.chunks
    [stream] = reading.tail.streams
    for number in range(1, 20 * APART_COUNT):
        append(log, line(number))
        reading.tail.poll(reading.now)
        chunk = reading.tail.read(reading.now)
        assert chunk is not None
        chunk.span.open_count = 0
        chunk.span.last_time = f"{number}"
        reading.tail.settle()
    assert len(stream._spans) <= 2 * APART_COUNT
    assert (stream.position, stream.last_time) == (0, "")
    waiting.span.open_count = 0
    reading.tail.settle()
    assert (stream.position, stream.last_time) == (log.stat().st_size, f"{number}")
    append(log, line(number + 1))
    assert len(reading.restarted().poll()) == 1
