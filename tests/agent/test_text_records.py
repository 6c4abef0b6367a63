"""Records of text through the whole agent: what belongs together is one event, and nothing is in none."""

import shutil
import signal
from pathlib import Path

from tests.support.fake_store import DROP_AFTER, FakeStore, fine
from tests.support.running import CONFIG, originals, running, started, until
from tests.support.tailing import append

TEXT = CONFIG.replace("*.clef", "*.log").replace('"clef"', '"serilog-text"')
HEAD = b'2026-11-23 07:26:35.%03d +01:00 [ERR] It failed {"SourceContext":"SmartWMS.API","Number":%d}\n'
FRAMES = b"System.InvalidOperationException: no\n" + b"".join(
    b"   at SmartWMS.Frame%d() in /src/File.cs:line %d\n" % (number, number) for number in range(60)
)


def test_33_a_long_exception_split_over_writes_a_rotation_and_a_kill_is_one_event(
    tmp_path: Path, fake: FakeStore
) -> None:
    whole = HEAD % (1, 1) + FRAMES + HEAD % (2, 2)
    log = tmp_path / "logs" / "a.log"
    with started(tmp_path, fake, TEXT) as agent:
        append(log, HEAD % (0, 0) + whole[:1000])
        until(lambda: len(fake.documents) == 1, agent)
        agent.send_signal(signal.SIGKILL)
        agent.wait()
    append(log, whole[1000:2000])
    log.rename(tmp_path / "logs" / "a.1.log")
    with started(tmp_path, fake, TEXT) as agent:
        append(tmp_path / "logs" / "a.1.log", whole[2000:3000])
        append(tmp_path / "logs" / "a.1.log", whole[3000:])
        until(lambda: len(fake.documents) == 3, agent)
    assert sorted(len(each) for each in originals(fake)) == sorted(
        len(each) for each in (HEAD[:-1] % (0, 0), (HEAD % (1, 1) + FRAMES)[:-1], HEAD[:-1] % (2, 2))
    )


def test_33_what_comes_after_the_quiet_time_is_an_event_of_its_own_and_a_resend_adds_none(
    tmp_path: Path, fake: FakeStore
) -> None:
    with running(tmp_path, fake, TEXT) as agent:
        append(agent.logs / "a.log", HEAD % (1, 1) + FRAMES[:37])
        agent.until(lambda: agent.stored() == 1)
        append(agent.logs / "a.log", FRAMES[37:] + HEAD % (2, 2))
        agent.until(lambda: agent.stored() == 3)
    ids = set(fake.documents)
    (tmp_path / "state" / "checkpoint.json").unlink()
    (tmp_path / "state" / "status.json").unlink()
    with running(tmp_path, fake, TEXT) as agent:
        agent.until(lambda: agent.agent.counts.duplicate == 2)
        assert agent.agent.counts.stored == 0
    assert set(fake.documents) == ids


def test_33_killed_after_the_quiet_time_what_comes_later_is_still_an_event_of_its_own(
    tmp_path: Path, fake: FakeStore
) -> None:
    fake.whole = lambda _request: DROP_AFTER
    log = tmp_path / "logs" / "a.log"
    with started(tmp_path, fake, TEXT) as agent:
        append(log, HEAD % (1, 1))
        until(lambda: len(fake.documents) == 1, agent)
        agent.send_signal(signal.SIGKILL)
        agent.wait()
    append(log, FRAMES + HEAD % (2, 2))
    fake.whole = fine
    with started(tmp_path, fake, TEXT) as agent:
        until(lambda: len(fake.documents) == 3, agent)
    assert sorted(originals(fake)) == sorted((HEAD[:-1] % (1, 1), FRAMES[:-1], HEAD[:-1] % (2, 2)))


def test_33_without_its_state_what_followed_a_head_that_is_stored_is_not_told_apart_from_it(
    tmp_path: Path, fake: FakeStore
) -> None:
    with running(tmp_path, fake, TEXT) as agent:
        append(agent.logs / "a.log", HEAD % (1, 1))
        agent.until(lambda: agent.stored() == 1)
    shutil.rmtree(tmp_path / "state")
    append(tmp_path / "logs" / "a.log", FRAMES)
    with running(tmp_path, fake, TEXT) as agent:
        agent.until(lambda: agent.agent.counts.duplicate == 1)
        append(agent.logs / "a.log", HEAD % (2, 2))
        agent.until(lambda: agent.stored() == 2)
    assert sorted(originals(fake)) == [HEAD[:-1] % (1, 1), HEAD[:-1] % (2, 2)]


def test_64_while_it_cannot_be_written_where_a_record_ends_it_waits(tmp_path: Path, fake: FakeStore) -> None:
    with running(tmp_path, fake, TEXT) as agent:
        agent.until(lambda: agent.agent.state)
        in_the_way = agent.state / "checkpoint.json.new"
        in_the_way.mkdir()
        append(agent.logs / "a.log", HEAD % (1, 1))
        agent.until(lambda: any("checkpoint" in reason for reason in agent.reasons()))
        append(agent.logs / "a.log", FRAMES)
        agent.until(
            lambda: agent.agent._pipeline and agent.agent._pipeline.feeds[0].tail.streams[0].waits_to_cut
        )
        assert agent.stored() == 0
        in_the_way.rmdir()
        agent.until(lambda: agent.stored() == 1)
        agent.until(lambda: not agent.reasons())
    assert originals(fake) == [(HEAD % (1, 1) + FRAMES)[:-1]]
