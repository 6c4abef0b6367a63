"""The running agent: its health is true, its settings change only for better ones, its alarms are events."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent import reload
from agent.cli import main
from agent.errors import SettingsError
from agent.normalise.reader import Reader
from agent.sources.watch import Watch
from agent.state import state_lock
from tests.support.fake_store import FakeStore, accept, fine
from tests.support.running import CONFIG, Running, running
from tests.support.shipping import Writer
from tests.support.tailing import append


@pytest.fixture
def agent(tmp_path: Path, fake: FakeStore) -> Iterator[Running]:
    with running(tmp_path, fake) as made:
        yield made


def metric(agent: Running, name: str) -> float:
    lines = agent.ask("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(name)).rpartition(" ")[2])


class TestHealth:
    """Green only when true."""

    def test_71_is_green_when_all_is_well_and_metrics_count(self, agent: Running) -> None:
        append(agent.logs / "a.clef", Writer().lines(10))
        agent.until(lambda: agent.stored() == 10)
        agent.until(lambda: agent.agent.state and not agent.reasons())
        agent.until(lambda: metric(agent, "smartwms_audit_stored_total") == 10)
        agent.until(lambda: metric(agent, 'smartwms_audit_source_lag_bytes{source="app"}') == 0)
        text = agent.ask("/metrics").text
        for name in (
            "read_total", "stored_total", "duplicate_total", "rejected_total", "expired_total",
            "retried_total",
            "in_flight", "last_answer_age_seconds", "checkpoint_age_seconds", "held", "healthy", "open_bytes",
            "source_lag_bytes", "source_lag_seconds", "source_lost_bytes_total", "dead_letters_bytes",
        ):  # fmt: skip
            assert f"\nsmartwms_audit_{name}" in text, name
        assert agent.ask("/nothing").status_code == 404

    def test_71_is_red_before_the_store_answered(self, tmp_path: Path, fake: FakeStore) -> None:
        fake.reading = 503
        with running(tmp_path, fake) as agent:
            agent.until(lambda: agent.agent.endpoint)
            assert agent.reasons() == ["the agent has not begun to read: it waits for the store"]
            fake.reading = 0
            agent.until(lambda: not agent.reasons())

    @pytest.mark.parametrize(("status", "says"), [(503, "no usable answer"), (401, "no usable answer")])
    def test_71_is_red_while_the_store_fails_and_green_again(
        self, agent: Running, fake: FakeStore, status: int, says: str
    ) -> None:
        fake.whole = lambda _request: status
        append(agent.logs / "a.clef", Writer().lines(10))
        agent.until(lambda: any(says in reason for reason in agent.reasons()))
        assert metric(agent, "smartwms_audit_healthy") == 0
        assert metric(agent, "smartwms_audit_held") == (status == 401)
        fake.whole = fine
        agent.until(lambda: not agent.reasons())
        assert agent.stored() == 10

    def test_71_is_red_while_a_partition_waits(self, agent: Running, fake: FakeStore) -> None:
        fake.item = lambda _partition, _id, _attempt: 403
        append(agent.logs / "a.clef", Writer().lines(10))
        agent.until(lambda: any("waits: 403" in reason for reason in agent.reasons()))
        fake.item = accept
        agent.until(lambda: not agent.reasons())

    def test_71_is_red_while_dead_letters_find_no_place(self, agent: Running, fake: FakeStore) -> None:
        fake.item = lambda _partition, _id, _attempt: 400
        agent.until(lambda: agent.agent.state)
        (agent.state / "dead-letters.jsonl").mkdir()
        append(agent.logs / "a.clef", Writer().lines(2))
        agent.until(lambda: any("dead letters cannot be written" in reason for reason in agent.reasons()))
        (agent.state / "dead-letters.jsonl").rmdir()
        agent.until(lambda: agent.agent.counts.rejected == 2)

    def test_71_is_red_when_the_loop_stands_still(self, agent: Running) -> None:
        agent.until(lambda: agent.agent.state and not agent.reasons())
        state = agent.agent.state
        assert state is not None
        object.__setattr__(state, "taken_at", state.taken_at - 1000.0)
        standing, agent.agent._state_at = agent.agent._state_at, time.monotonic() + 1000.0
        agent.agent.state = state
        assert "loop has not turned" in agent.reasons()[0]
        agent.agent._state_at = standing

    def test_an_address_that_cannot_be_had_is_said_and_the_agent_runs(
        self, tmp_path: Path, fake: FakeStore, agent: Running, capsys: pytest.CaptureFixture[str]
    ) -> None:
        agent.until(lambda: agent.agent.endpoint)
        assert agent.agent.endpoint is not None
        taken = CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{agent.agent.endpoint.port}")
        (tmp_path / "other").mkdir()
        with running(tmp_path / "other", fake, taken) as other:
            append(other.logs / "a.clef", Writer().lines(2))
            other.until(lambda: other.stored() == 2)
        assert "http_not_listening" in capsys.readouterr().out


class TestReload:
    """Better settings are taken over, wrong ones are not."""

    def test_a_new_source_is_followed(self, agent: Running) -> None:
        append(agent.logs / "a.clef", Writer().lines(2))
        agent.until(lambda: agent.stored() == 2)
        agent.config.write_text(
            CONFIG + '[[sources]]\nname = "b"\npaths = ["logs/*.json"]\nformat = "clef"\n'
        )
        says = reload.ask(agent.state, 10.0)
        assert says == "reloaded; sources: app, b"
        append(agent.logs / "b.json", Writer().lines(2))
        append(agent.logs / "a.clef", Writer().lines(2))
        agent.until(lambda: agent.stored() == 6)
        assert agent.agent.counts.duplicate == 0
        agent.until(lambda: not agent.reasons())

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (('format = "clef"', 'format = "celf"'), "'celf' is not known"),
            (("[http]", "[htpp]"), "unknown setting"),
            (("app-1", "app-2"), "host = 'app-2': cannot change while the agent runs"),
            (('"state"', '"other"'), "state_dir = "),
            (("127.0.0.1:0", "0.0.0.0:80"), "loopback"),
        ],
        ids=["format", "misspelt", "host", "state_dir", "open to the network"],
    )  # fmt: skip
    def test_67_wrong_settings_keep_the_old_ones_and_are_said(
        self, agent: Running, change: tuple[str, str], says: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        agent.until(lambda: agent.agent.state)
        agent.config.write_text(CONFIG.replace(*change))
        with pytest.raises(reload.NotReloadedError) as refused:
            reload.ask(agent.state, 10.0)
        assert says in str(refused.value)
        assert "settings_not_reloaded" in capsys.readouterr().out
        append(agent.logs / "a.clef", Writer().lines(4))
        agent.until(lambda: agent.stored() == 4)

    def test_67_nobody_answers_is_a_sentence(self, tmp_path: Path) -> None:
        config = tmp_path / "agent.toml"
        config.write_text(CONFIG)
        asked = CliRunner().invoke(main, ["reload", "--config", str(config)])
        assert asked.exit_code == 2
        assert "no agent is running" in asked.stderr

    def test_what_was_under_way_is_neither_lost_nor_repeated(self, agent: Running) -> None:
        writer = Writer()
        done = threading.Event()

        def write() -> None:
            while not done.wait(0.01):
                append(agent.logs / "a.clef", writer.lines(20))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(3):
                reload.ask(agent.state, 10.0)
        finally:
            done.set()
            thread.join()
        agent.until(lambda: agent.stored() == len(writer.written))
        assert {each["event"]["original"].encode() for each in agent.events()} == set(writer.written.values())


class TestWhatIsDatedAhead:
    """It waits with an alarm until an operator says so; test_times.py has the day that comes."""

    def test_is_sent_when_an_operator_says_so(
        self, agent: Running, fake: FakeStore, capsys: pytest.CaptureFixture[str]
    ) -> None:
        later = Writer()
        later.started += timedelta(days=400)
        append(agent.logs / "a.clef", Writer().lines(2) + later.lines(2))
        agent.until(lambda: agent.stored() == 2)
        agent.until(lambda: "ahead_of_clock" in capsys.readouterr().out)
        asked = CliRunner().invoke(main, ["accept-ahead", "--config", str(agent.config)])
        assert asked.exit_code == 0
        assert asked.stdout.endswith("2 records that were dated ahead are sent\n")
        agent.until(lambda: agent.stored() == 4)
        agent.until(
            lambda: agent.agent._pipeline and not agent.agent._pipeline.feeds[0].tail.streams[0].lag_bytes
        )
        assert any(f"{later.started:%Y.%m}" in partition for partition in fake.partitions)

    def test_of_no_agent_is_a_sentence(self, tmp_path: Path) -> None:
        config = tmp_path / "agent.toml"
        config.write_text(CONFIG)
        asked = CliRunner().invoke(main, ["accept-ahead", "--config", str(config)])
        assert asked.exit_code == 2
        assert "no agent is running" in asked.stderr


class TestEventsOfItsOwn:
    """What endangers the trail is in the trail."""

    def test_26_a_file_that_was_deleted_unread(self, agent: Running) -> None:
        agent.until(lambda: agent.agent.state)
        path = agent.logs / "a.clef"
        append(path, b"half a line")
        agent.until(lambda: agent.agent._pipeline and agent.agent._pipeline.feeds[0].tail._unbound)
        path.unlink()
        agent.until(lambda: agent.told() == ["lost"])
        [event] = agent.events()
        labels: Any = event["labels"]
        assert (labels["Bytes"], labels["File"]) == (11, str(path))
        assert event["event"]["category"] == "audit"
        assert event["host"]["name"] == "app-1"

    def test_62_a_checkpoint_that_went_back(self, tmp_path: Path, fake: FakeStore) -> None:
        with running(tmp_path, fake) as first:
            append(first.logs / "a.clef", Writer().lines(4))
            first.until(lambda: first.stored() == 4)
        checkpoint = tmp_path / "state" / "checkpoint.json"
        before = checkpoint.read_bytes()
        with running(tmp_path, fake) as second:
            append(second.logs / "a.clef", Writer().lines(4))
            second.until(lambda: second.stored() == 8)
        assert second.told() == []
        checkpoint.write_bytes(before)
        with running(tmp_path, fake) as third:
            third.until(lambda: third.told() == ["went_back"])
            third.until(lambda: third.agent.counts.duplicate == 4)
        with running(tmp_path, fake) as fourth:
            fourth.until(lambda: fourth.agent.state)
        assert fourth.told() == ["went_back"]
        assert fourth.stored() == 8

    def test_62_a_checkpoint_that_cannot_be_believed(self, tmp_path: Path, fake: FakeStore) -> None:
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "checkpoint.json").write_bytes(b'{"version":1,"dig')
        with running(tmp_path, fake) as agent:
            agent.until(lambda: agent.told() == ["went_back"])


class TestARecordThatMakesTheNormaliserFail:
    """It is set aside and told; the others go on, and the agent does not go round in circles."""

    POISON = (b'"Number":4,', b'"Number":10,')

    @pytest.fixture(autouse=True)
    def _poison(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Records that can neither be read nor be freed of secrets."""
        for name in ("read", "as_text"):
            monkeypatch.setattr(Reader, name, self.failing(getattr(Reader, name)))

    def failing(self, step: Any) -> Any:  # noqa: ANN401 - a method of Reader
        def failing(reader: Reader, raw: bytes, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as it is
            if any(word in raw for word in self.POISON):
                raise LookupError(f"cannot do {raw!r}")
            return step(reader, raw, *given, **named)

        return failing

    def test_becomes_a_dead_letter_without_its_text(self, agent: Running) -> None:
        writer = Writer()
        path = agent.logs / "a.clef"
        append(path, writer.lines(20))
        agent.until(lambda: agent.agent.counts.rejected == 2)
        agent.until(lambda: agent.stored() == 18)
        counts = agent.agent.counts
        agent.until(lambda: counts.final == counts.stored + counts.duplicate + 2 == counts.read)
        letters = (agent.state / "dead-letters.jsonl").read_text()
        assert letters.count("cannot be normalised: LookupError at test_daemon.py") == 2
        assert str(path) in letters
        assert "Hash" not in letters
        assert "looked up" not in letters
        append(path, writer.lines(10))
        agent.until(lambda: agent.stored() == 28)
        agent.until(
            lambda: agent.agent._pipeline and not agent.agent._pipeline.feeds[0].tail.streams[0].lag_bytes
        )

    @pytest.mark.parametrize("count", [20, 11, 5], ids=["inside", "at the end", "the only one"])
    def test_does_not_keep_a_run_that_ends_from_ending(
        self, tmp_path: Path, fake: FakeStore, count: int
    ) -> None:
        agent = Running(tmp_path, fake, CONFIG)
        append(agent.logs / "a.clef", Writer().lines(count))
        with state_lock(agent.state):
            agent.agent.once(20.0)
        account = agent.agent.account
        poisoned = sum(number < count for number in (4, 10))
        assert (account.rejected, agent.stored()) == (poisoned, count - poisoned)
        assert account.read == account.final

    def test_is_kept_by_a_replay(self, agent: Running) -> None:
        append(agent.logs / "a.clef", Writer().lines(6))
        agent.until(lambda: agent.agent.counts.rejected == 1)
        environment = {"AUDIT_OPENSEARCH_URL": agent.fake.url}
        replayed = CliRunner(env=environment).invoke(
            main, ["dead-letters", "replay", "--config", str(agent.config)]
        )
        assert replayed.exit_code == 1
        assert '"rejected":1' in replayed.stdout
        assert (agent.state / "dead-letters.jsonl").read_text().count("\n") == 1


def test_30_without_inotify_polling_alone_does_the_work(
    tmp_path: Path, fake: FakeStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> None:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.start", refuse)
    assert "inotify instance limit" in Watch(lambda: None).start()
    with running(tmp_path, fake) as agent:
        agent.until(lambda: agent.agent.state)
        append(agent.logs / "a.clef", Writer().lines(2))
        agent.until(lambda: agent.stored() == 2)
        (agent.logs / "a.clef").rename(agent.logs / "b.clef")
        append(agent.logs / "b.clef", Writer().lines(2))
        append(agent.logs / "a.clef", Writer().lines(2))
        agent.until(lambda: agent.stored() == 6)
    assert "watching_by_polling_only" in capsys.readouterr().out


def test_43_a_store_that_goes_down_in_the_middle_is_waited_for(agent: Running, fake: FakeStore) -> None:
    writer = Writer()
    for _ in range(3):
        append(agent.logs / "a.clef", writer.lines(50))
        agent.until(lambda: agent.stored() >= len(writer.written) - 50)
        fake.whole = lambda _request: 503
        fake.reading = 503
        append(agent.logs / "a.clef", writer.lines(50))
        agent.until(agent.reasons)
        fake.whole, fake.reading = fine, 0
        agent.until(lambda: agent.stored() == len(writer.written))
    assert {each["event"]["original"].encode() for each in agent.events()} == set(writer.written.values())


def test_65_with_a_dead_store_it_stops_within_the_limit_and_goes_on_exactly_there(
    tmp_path: Path, fake: FakeStore
) -> None:
    writer = Writer()
    config = CONFIG.replace("[delivery]", "[delivery]\nstop_secs = 1.5")
    with running(tmp_path, fake, config) as agent:
        append(agent.logs / "a.clef", writer.lines(20))
        agent.until(lambda: agent.stored() == 20)
        asked, hanging = threading.Event(), threading.Event()

        def hang(_request: int) -> int:
            asked.set()
            hanging.wait(4.0)
            return 503

        fake.whole = hang
        append(agent.logs / "a.clef", writer.lines(20))
        agent.until(asked.is_set)
        assert 1.0 < agent.stop() < 3.5
        hanging.set()
    fake.whole = fine
    with running(tmp_path, fake, config) as again:
        again.until(lambda: again.stored() == 40)
        again.until(lambda: again.agent.counts.final == 20)
        assert (again.agent.counts.stored, again.agent.counts.duplicate) == (20, 0)


def test_unchangeable_settings_are_named(tmp_path: Path, fake: FakeStore) -> None:
    agent = Running(tmp_path, fake, CONFIG)
    other = agent.agent.settings.model_copy(update={"host": "b"})
    with pytest.raises(SettingsError, match="restart it"):
        reload.refuse_unchangeable(agent.agent.settings, other)


def test_67_a_hang_up_signal_reloads(agent: Running) -> None:
    agent.until(lambda: agent.agent.state)
    before = signal.signal(signal.SIGHUP, lambda *_: agent.agent.reload())
    try:
        agent.config.write_text(CONFIG.replace('name = "app"', 'name = "other"'))
        os.kill(os.getpid(), signal.SIGHUP)
        agent.until(lambda: agent.agent.settings.sources[0].name == "other")
    finally:
        signal.signal(signal.SIGHUP, before)
