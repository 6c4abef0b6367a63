"""What an agent that stops or is reloaded leaves of files that are gone by then: nobody finds them again."""

from pathlib import Path

import pytest

from tests.support.fake_store import FakeStore, fine
from tests.support.running import CONFIG, Running, running
from tests.support.shipping import Writer
from tests.support.tailing import append

SHORT = CONFIG.replace("[delivery]", "[delivery]\nstop_secs = 0.5")


def reload(agent: Running) -> None:
    pipeline = agent.agent._pipeline
    agent.agent.reload()
    agent.until(lambda: agent.agent._pipeline is not pipeline)


def lost_bytes(agent: Running) -> list[object]:
    return [each["labels"]["Bytes"] for each in agent.events() if each["event"]["action"] == "lost"]


class TestADeletedFileWhoseEndIsNotRead:
    def test_is_read_to_its_end_before_a_stop(self, tmp_path: Path, fake: FakeStore) -> None:
        writer = Writer()
        with running(tmp_path, fake) as agent:
            log = agent.logs / "a.clef"
            append(log, writer.lines(10))
            agent.until(lambda: agent.stored() == 10)
            append(log, writer.lines(10) + b"half a line")
            log.unlink()
            agent.stop()
        assert agent.stored() == 21

    def test_is_read_to_its_end_before_a_reload(self, tmp_path: Path, fake: FakeStore) -> None:
        writer = Writer()
        with running(tmp_path, fake) as agent:
            log = agent.logs / "a.clef"
            append(log, writer.lines(10))
            agent.until(lambda: agent.stored() == 10)
            # The last one waits for the end of its request.
            append(log, writer.lines(11))
            log.unlink()
            reload(agent)
            assert agent.stored() == 21
            assert agent.told() == []


class TestADeletedFileThatTheStoreDidNotTake:
    @pytest.fixture
    def lost(self) -> bytes:
        return Writer().lines(10)

    def _delete_unstored(self, agent: Running, fake: FakeStore, lost: bytes) -> None:
        log = agent.logs / "a.clef"
        append(log, Writer().lines(10))
        agent.until(lambda: agent.stored() == 10)
        fake.whole = lambda _request: 503
        append(log, lost)
        agent.until(lambda: agent.agent.counts.read == 20)
        log.unlink()

    def test_is_told_to_be_lost_by_a_reload(self, tmp_path: Path, fake: FakeStore, lost: bytes) -> None:
        with running(tmp_path, fake, SHORT) as agent:
            self._delete_unstored(agent, fake, lost)
            reload(agent)
            fake.whole = fine
            agent.until(lambda: agent.told() == ["lost"])
            assert lost_bytes(agent) == [len(lost)]
            agent.until(lambda: f'lost_bytes_total{{source="app"}} {len(lost)}' in agent.ask("/metrics").text)

    def test_is_told_to_be_lost_after_a_stop(self, tmp_path: Path, fake: FakeStore, lost: bytes) -> None:
        with running(tmp_path, fake, SHORT) as agent:
            self._delete_unstored(agent, fake, lost)
        fake.whole = fine
        with running(tmp_path, fake, SHORT) as agent:
            agent.until(lambda: agent.told() == ["lost"])
        assert lost_bytes(agent) == [len(lost)]


def test_a_file_that_is_there_loses_nothing_by_a_stop(tmp_path: Path, fake: FakeStore) -> None:
    writer = Writer()
    with running(tmp_path, fake, SHORT) as agent:
        append(agent.logs / "a.clef", writer.lines(11))
        agent.until(lambda: agent.stored() == 10)
    with running(tmp_path, fake, SHORT) as agent:
        append(agent.logs / "a.clef", writer.lines(1))
        agent.until(lambda: agent.stored() == 12)
    assert not any("incomplete_request" in each["event"].get("flags", ()) for each in agent.events())
    assert agent.told() == []
