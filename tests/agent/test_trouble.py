"""A store, a clock and a disk that do what they should not, around the whole agent."""

import base64
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psutil
import pytest

from agent import pipeline, status
from agent.errors import StateError
from agent.normalise import encoder
from agent.state import state_lock
from indexer.settings import StoreSettings
from tests.support import certificates
from tests.support.fake_store import FakeStore, accept, fake_store, fine
from tests.support.read_only import read_only
from tests.support.running import CONFIG, Running, originals, running, started, until
from tests.support.scale import SCALE
from tests.support.shipping import PROGRAM, Writer
from tests.support.tailing import append


def test_2_the_day_rolls_in_a_storm_of_429(tmp_path: Path, fake: FakeStore) -> None:
    writer = Writer()
    fake.item = lambda _partition, id_, attempt: (
        429 if (sum(id_.encode()) + attempt) % 3 or attempt < 2 else 201
    )
    with running(tmp_path, fake) as agent:
        old, new = agent.logs / "smartwms-20261123.clef", agent.logs / "smartwms-20261124.clef"
        for _ in range(5):
            append(old, writer.lines(20))
        agent.until(lambda: agent.agent.counts.retried)
        for _ in range(5):
            append(new, writer.lines(20))
            append(old, writer.lines(4))
        agent.until(lambda: agent.stored() == len(writer.written))
        counts = agent.agent.counts
        agent.until(lambda: counts.read == counts.final)
        assert counts.duplicate == 0
    assert sorted(originals(fake)) == sorted(writer.written.values())


def test_what_comes_alone_does_not_wait_for_a_batch(tmp_path: Path, fake: FakeStore) -> None:
    with running(tmp_path, fake, CONFIG.replace("[delivery]", "[delivery]\nbatch_secs = 60")) as agent:
        since = time.monotonic()
        append(agent.logs / "a.clef", Writer().lines(2))
        agent.until(lambda: agent.stored() == 2)
        assert time.monotonic() - since < 60


def test_51_a_new_password_is_taken_from_its_file(tmp_path: Path, fake: FakeStore) -> None:
    password = tmp_path / "password"
    password.write_text("old\n")
    store = StoreSettings(
        opensearch_url=fake.url, opensearch_username="agent", opensearch_password_file=password
    )
    fake.authorization = _basic("agent:old")
    with running(tmp_path, fake, store=store) as agent:
        writer = Writer()
        append(agent.logs / "a.clef", writer.lines(4))
        agent.until(lambda: agent.stored() == 4)
        fake.authorization = _basic("agent:new")
        append(agent.logs / "a.clef", writer.lines(4))
        agent.until(lambda: any("401" in reason for reason in agent.reasons()))
        assert not list(agent.state.glob("dead-letters.jsonl"))
        password.write_text("new\n")
        agent.until(lambda: agent.stored() == 8)
        agent.until(lambda: not agent.reasons())


def test_51_a_new_ca_is_taken_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old, _ = certificates.make(tmp_path / "old", "127.0.0.1")
    new, certificate = certificates.make(tmp_path / "new", "127.0.0.1")
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(old.read_bytes())
    with fake_store(certificate) as fake:
        store = StoreSettings(opensearch_url=fake.url, opensearch_ca_file=trusted)
        with running(tmp_path, fake, store=store) as agent:
            append(agent.logs / "a.clef", Writer().lines(4))
            agent.until(lambda: agent.agent._tenants.problem)
            assert "certificate" in str(agent.agent._tenants.problem)
            trusted.write_bytes(new.read_bytes())
            agent.until(lambda: agent.stored() == 4)


def _basic(name_and_password: str) -> str:
    return f"Basic {base64.b64encode(name_and_password.encode()).decode()}"


def test_55_a_file_whose_partition_is_blocked_does_not_fill_the_memory_of_the_others(
    tmp_path: Path, fake: FakeStore
) -> None:
    yesterday, today = Writer(), Writer()
    yesterday.started -= timedelta(days=40)
    blocked = f"{yesterday.started:%Y.%m}"
    fake.item = lambda partition, _id, _attempt: 403 if partition.endswith(blocked) else 201
    config = CONFIG.replace("[delivery]", "[delivery]\nbatch_bytes = 50000")
    with running(tmp_path, fake, config) as agent:
        append(agent.logs / "old.clef", yesterday.lines(3000))
        agent.until(lambda: any("waits: 403" in reason for reason in agent.reasons()))
        for _ in range(20):
            append(agent.logs / "new.clef", today.lines(100))
            agent.until(lambda: agent.stored() == len(today.written))
        fake.item = accept
        agent.until(lambda: agent.stored() == 5000)
        assert agent.agent.counts.duplicate == 0


def test_56_a_retry_after_midnight_goes_where_the_first_attempt_went(tmp_path: Path, fake: FakeStore) -> None:
    partitions: dict[str, set[str]] = {}

    def item(partition: str, id_: str, attempt: int) -> int:
        partitions.setdefault(id_, set()).add(partition)
        return 429 if attempt < 3 else 201

    fake.item = item
    writer = Writer()
    # The last moments of last month: whoever asked the clock would place them in this one.
    writer.started = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0) - timedelta(
        milliseconds=5
    )
    with running(tmp_path, fake) as agent:
        append(agent.logs / "a.clef", writer.lines(10))
        agent.until(lambda: agent.stored() == 10)
        agent.until(lambda: agent.agent.counts.stored == 10)
    months = [writer.started, writer.started + timedelta(days=1)]
    assert {len(each) for each in partitions.values()} == {1}
    assert {name for each in partitions.values() for name in each} == {
        f"smartwms-audit-enterprise-{month:%Y.%m}" for month in months
    }


class TestDiskFull:
    """A state directory that takes nothing costs a resend after a restart, and no event and no restart."""

    def test_64_positions_wait_and_are_saved_when_there_is_room(
        self, tmp_path: Path, fake: FakeStore
    ) -> None:
        writer = Writer()
        log, state = tmp_path / "logs" / "a.clef", tmp_path / "state"
        with started(tmp_path, fake) as agent:
            process = psutil.Process(agent.pid)
            append(log, writer.lines(10))
            until(lambda: len(fake.documents) == 10 and (state / "checkpoint.json").exists(), agent)
            before = (state / "checkpoint.json").read_bytes()
            process.rlimit(psutil.RLIMIT_FSIZE, (0, psutil.RLIM_INFINITY))
            append(log, writer.lines(10))
            until(lambda: len(fake.documents) == 20, agent)
            fake.item = lambda _partition, _id, _attempt: 400
            append(log, writer.lines(2))
            until(lambda: fake.attempts.total() > 22, agent)
            assert (state / "checkpoint.json").read_bytes() == before
            assert agent.poll() is None
            process.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
            until(lambda: _lines(state / "dead-letters.jsonl") == 2, agent)
            until(
                lambda: f'"position":{log.stat().st_size}'.encode() in _bytes(state / "checkpoint.json"),
                agent,
            )
        assert len(fake.documents) == 20


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _lines(path: Path) -> int:
    return _bytes(path).count(b"\n")


def test_69_a_store_that_is_down_while_much_is_logged_costs_no_memory_and_is_caught_up_with(
    tmp_path: Path, fake: FakeStore
) -> None:
    writer = Writer()
    log = tmp_path / "logs" / "a.clef"
    with started(tmp_path, fake) as agent:
        process = psutil.Process(agent.pid)
        append(log, writer.lines(10))
        until(lambda: len(fake.documents) == 10, agent)
        fake.whole = lambda _request: 503
        for _ in range(10 * SCALE):
            append(log, writer.lines(2_000))
        waited = fake.requests + 8
        until(lambda: fake.requests >= waited, agent)
        assert process.memory_info().rss < 150 * 1024**2
        fake.whole = fine
        until(lambda: len(fake.documents) == len(writer.written), agent)
        assert process.memory_info().rss < 150 * 1024**2


def test_64_a_state_directory_that_becomes_read_only_is_survived_without_a_restart(
    open_folder: Path, fake: FakeStore
) -> None:
    writer = Writer()
    with running(open_folder, fake) as agent:
        log, checkpoint = agent.logs / "a.clef", agent.state / "checkpoint.json"
        append(log, writer.lines(4))
        append(agent.logs / "half.clef", b"half a line")
        agent.logs.chmod(0o777)
        log.chmod(0o666)
        agent.until(lambda: agent.stored() == 4 and checkpoint.exists())
        before = checkpoint.read_bytes()
        with read_only(agent.state):
            append(log, writer.lines(4))
            agent.until(lambda: agent.stored() == 8)
            agent.until(lambda: any("checkpoint" in reason for reason in agent.reasons()))
            (agent.logs / "half.clef").unlink()
            agent.until(lambda: any("own events cannot be written" in reason for reason in agent.reasons()))
            assert checkpoint.read_bytes() == before
        agent.until(lambda: agent.told() == ["lost"])
        agent.until(lambda: not agent.reasons())
        fake.item = lambda _partition, _id, _attempt: 400
        with read_only(agent.state):
            append(log, writer.lines(2))
            agent.until(lambda: any("dead letters cannot be written" in each for each in agent.reasons()))
        agent.until(lambda: agent.agent.counts.rejected == 2)
        assert agent.stored() == 8
    with running(open_folder, fake) as agent:
        agent.until(lambda: agent.agent.state and not agent.reasons())
        assert agent.agent.counts.read == 0


def test_64_a_state_directory_that_is_read_only_at_the_start_is_a_sentence(open_folder: Path) -> None:
    state = open_folder / "state"
    state.mkdir()
    says = pytest.raises(StateError, match=f"state_dir {state} cannot be used")
    with read_only(state), says, state_lock(state):
        raise AssertionError("it was locked")


def test_29_more_files_than_the_system_lets_it_open(tmp_path: Path, fake: FakeStore) -> None:
    count = 400 * min(SCALE, 5)
    (tmp_path / "logs").mkdir()
    writer = Writer()
    for number in range(count):
        append(tmp_path / "logs" / f"{number:05}.clef", writer.lines(2))
    with started(tmp_path, fake, limits="ulimit -n 256;") as agent:
        until(lambda: len(fake.documents) == 2 * count, agent)
        for number in range(0, count, 7):
            append(tmp_path / "logs" / f"{number:05}.clef", writer.lines(2))
        until(lambda: len(fake.documents) == len(writer.written), agent)
        assert psutil.Process(agent.pid).num_fds() < 256


def test_too_many_open_files_while_records_are_worked_on_delay_them(
    tmp_path: Path, fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_minute: str, _zone: str) -> bytes:
        raise OSError(24, "Too many open files")

    with running(tmp_path, fake) as agent:
        with monkeypatch.context() as patched:
            patched.setattr(encoder, "_wall_clock", refused)
            append(agent.logs / "a.clef", Writer().lines(2))
            agent.until(lambda: any("Too many open files" in reason for reason in agent.reasons()))
        agent.until(lambda: agent.stored() == 2)
        agent.until(lambda: not agent.reasons())
        assert agent.agent.counts.rejected == 0


def test_records_that_are_ahead_of_the_clock_are_bounded_in_bytes_too(
    tmp_path: Path, fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "AHEAD_BYTES_MAX", 1024**2)
    moment = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    line = orjson.dumps({"@t": moment, "@mt": "x", "Values": "v" * 30_000}) + b"\n"
    with running(tmp_path, fake) as agent:
        append(agent.logs / "a.clef", line * 200)
        agent.until(lambda: any("are ahead of the clock" in reason for reason in agent.reasons()))
        made = agent.agent._pipeline
        assert made is not None
        assert 1024**2 < made.feeds[0].normaliser.ahead.bytes < 2 * 1024**2
        assert made.ahead_count < 100


def test_27_serilogs_stop_at_1_gib_is_told(tmp_path: Path, fake: FakeStore) -> None:
    log = tmp_path / "logs" / "a.clef"
    log.parent.mkdir()
    append(log, Writer().lines(2))
    os.truncate(log, 1024**3)
    old = datetime.now(UTC).timestamp() - 300
    os.utime(log, (old, old))
    with running(tmp_path, fake) as agent:
        agent.until(lambda: agent.told() == ["stalled"])
        agent.until(lambda: any("has stalled" in reason for reason in agent.reasons()))
        agent.until(lambda: agent.stored() == 2)
    told = subprocess.run(
        [PROGRAM, "status", "--config", tmp_path / "agent.toml"], capture_output=True, text=True, check=True
    ).stdout
    assert f"stalled  app  {log} has reached 1 GiB" in told


def test_a_file_whose_name_is_no_utf8_is_read_shown_and_told_of(tmp_path: Path, fake: FakeStore) -> None:
    writer = Writer()
    with running(tmp_path, fake) as agent:
        agent.until(lambda: agent.agent.state)
        log, half = (agent.logs / os.fsdecode(name) for name in (b"caf\xe9.clef", b"half\xe9.clef"))
        append(half, b"half a line")
        append(log, writer.lines(4))
        agent.until(lambda: agent.stored() == 4)
        assert {each["log"]["file"] for each in agent.events()} == {f"{agent.logs}/caf\\udce9.clef"}
        half.unlink()
        agent.until(lambda: agent.told() == ["lost"])
    assert any(r"caf\udce9.clef" in line for line in status.lines(agent.state, datetime.now(UTC)))


def test_health_is_red_while_a_folder_of_logs_is_away(tmp_path: Path, fake: FakeStore) -> None:
    writer = Writer()
    with running(tmp_path, fake) as agent:
        append(agent.logs / "a.clef", writer.lines(4))
        agent.until(lambda: agent.stored() == 4)
        agent.until(lambda: agent.agent.state and not agent.reasons())
        agent.logs.rename(tmp_path / "away")
        agent.until(lambda: any(f"{agent.logs} cannot be read" in reason for reason in agent.reasons()))
        (tmp_path / "away").rename(agent.logs)
        agent.until(lambda: not agent.reasons())
        append(agent.logs / "a.clef", writer.lines(4))
        agent.until(lambda: agent.stored() == 8)


def test_a_source_that_falls_silent_while_its_neighbours_speak_is_told(
    tmp_path: Path, fake: FakeStore
) -> None:
    config = (
        CONFIG + 'silent_secs = 1\n[[sources]]\nname = "proxy"\npaths = ["logs/*.json"]\nformat = "clef"\n'
    )
    with running(tmp_path, fake, config) as agent:
        _both_speak(agent)
        silent = Writer()
        append(agent.logs / "n.json", silent.lines(2))

        def told() -> bool:
            append(agent.logs / "n.json", silent.lines(2))
            return agent.told() == ["fell_silent"]

        agent.until(told)
        [event] = [each for each in agent.events() if each["event"]["action"] == "fell_silent"]
        assert event["labels"]["Source"] == "app"
        agent.until(lambda: any("app has fallen silent" in reason for reason in agent.reasons()))
        again = Writer()

        def speaks() -> bool:
            # A single line could be older than a second already when it is looked at.
            append(agent.logs / "a.clef", again.lines(1))
            return not any("app has fallen silent" in reason for reason in agent.reasons())

        agent.until(speaks)


def _both_speak(agent: Running) -> None:
    append(agent.logs / "a.clef", Writer().lines(2))
    append(agent.logs / "n.json", Writer().lines(2))
    agent.until(lambda: agent.stored() == 4)
