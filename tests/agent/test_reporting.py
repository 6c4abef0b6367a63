"""An agent tells now and then how it is: in its journal, in the words of /health, and never in between."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from agent import settings
from agent.errors import SettingsError
from agent.health import SourceState, State
from agent.journal import FOLDER, Journal
from agent.reporting import Reporter, report
from agent.settings import AgentSettings
from indexer import agent_report
from tests.support.fake_store import FakeStore, fine
from tests.support.running import CONFIG, Running, running
from tests.support.shipping import Writer
from tests.support.tailing import append

STARTED = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
STATE = State(
    taken_at=1000.0,
    counts={"read": 3, "stored": 3, "duplicate": 0, "rejected": 0, "expired": 0, "retried": 0},
    sources=(SourceState("app", 120, 4.26, 0, 0, silent=False, stalled=True, unreadable=0),),
    in_flight=0,
    open_bytes=0,
    held={},
    dead_letters_bytes=0,
    answer_age_secs=1.0,
    checkpoint_age_secs=1.0,
    reasons=(),
)
OFTEN = "report_secs = 1\n" + CONFIG


class Journalled:
    """A reporter on a journal of its own, and what it wrote there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reporter = Reporter(STARTED, 1000.0)
        self.journal = Journal(folder)

    def turn(self, now: float, report_secs: float = 300.0, state: State = STATE) -> None:
        made = AgentSettings.model_validate(
            {
                "state_dir": self.folder,
                "host": "app-1",
                "report_secs": report_secs,
                "sources": [{"name": "app", "paths": ["*.clef"], "format": "clef"}],
            }
        )
        self.reporter.turn(made, replace(state, taken_at=now), self.journal, now)

    def lines(self) -> list[dict[str, Any]]:
        return [
            orjson.loads(line)
            for path in sorted((self.folder / FOLDER).glob("*.jsonl"))
            for line in path.read_bytes().splitlines()
        ]


@pytest.fixture
def journalled(tmp_path: Path) -> Journalled:
    return Journalled(tmp_path)


class TestWhenItReports:
    def test_the_first_one_comes_an_interval_after_the_start(self, journalled: Journalled) -> None:
        journalled.turn(1299.9)
        assert journalled.lines() == []
        journalled.turn(1300.0)
        assert len(journalled.lines()) == 1

    def test_once_an_interval(self, journalled: Journalled) -> None:
        for now in range(1000, 2000):
            journalled.turn(float(now))
        assert len(journalled.lines()) == 3

    def test_never_when_it_is_switched_off(self, journalled: Journalled) -> None:
        journalled.turn(99_999.0, report_secs=0)
        assert journalled.lines() == []

    def test_a_changed_interval_counts_from_the_last_report(self, journalled: Journalled) -> None:
        journalled.turn(1300.0)
        journalled.turn(1360.0, report_secs=60)
        assert [line["EverySecs"] for line in journalled.lines()] == [300, 60]

    @pytest.mark.parametrize("value", ["-1", "0.5", "86401"])
    def test_an_interval_that_is_none_is_refused(self, tmp_path: Path, value: str) -> None:
        (tmp_path / "agent.toml").write_text(f"report_secs = {value}\n" + CONFIG)
        with pytest.raises(SettingsError, match=f"report_secs = {value}"):
            settings.load(tmp_path / "agent.toml")


class TestWhatItTells:
    def test_a_healthy_one_is_information(self, journalled: Journalled) -> None:
        journalled.turn(1300.0)
        [line] = journalled.lines()
        assert (line["@l"], line["Outcome"], line["Action"]) == ("Information", "success", "reported")
        assert line["Message"] == "The agent on app-1 reports: healthy, 4 s behind"

    def test_one_that_is_not_healthy_is_a_warning(self, journalled: Journalled) -> None:
        journalled.turn(1300.0, state=replace(STATE, reasons=("it is late", "it is old")))
        [line] = journalled.lines()
        assert (line["@l"], line["Outcome"]) == ("Warning", "failure")
        assert line["Message"] == "The agent on app-1 reports: 2 reasons against it, the first: it is late"
        assert line["Reasons"] == "it is late\nit is old"

    def test_it_says_what_the_state_says(self) -> None:
        made = report(STATE, STARTED, 300.0, 1001.0)
        assert (made.started, made.every_secs, made.read, made.stored) == (STARTED, 300.0, 3, 3)
        assert (made.lag_bytes, made.lag_secs, made.is_healthy) == (120, 4.3, True)
        assert (made.sources[0].name, made.sources[0].stalled, made.sources[0].silent) == ("app", True, False)

    def test_a_state_that_is_too_old_speaks_against_it(self) -> None:
        assert "loop has not turned" in report(STATE, STARTED, 300.0, 1100.0).reasons


def reports(agent: Running) -> list[dict[str, Any]]:
    return [each for each in agent.events() if each["event"]["action"] == agent_report.ACTION]


class TestARunningAgent:
    def test_ships_its_report_like_any_other_event(self, tmp_path: Path, fake: FakeStore) -> None:
        with running(tmp_path, fake, OFTEN) as agent:
            append(agent.logs / "a.clef", Writer().lines(10))
            agent.until(lambda: any(each["labels"]["Stored"] >= 10 for each in reports(agent)))
            event = reports(agent)[-1]
        assert (event["event"]["category"], event["event"]["outcome"]) == ("audit", "success")
        assert event["event"]["flags"] == ["bookkeeping"]
        assert (event["log"]["source"], event["log"]["level"]) == ("audit-agent", "Information")
        assert (event["tenant"]["id"], event["host"]["name"]) == ("-", "app-1")
        assert "user" not in event
        read = agent_report.read(event["labels"])
        assert {each.name for each in read.sources} == {"app", "audit-agent"}

    def test_tells_afterwards_what_was_wrong_while_the_store_was_away(
        self, tmp_path: Path, fake: FakeStore
    ) -> None:
        with running(tmp_path, fake, OFTEN) as agent:
            fake.whole = lambda _request: 503
            append(agent.logs / "a.clef", Writer().lines(2))
            agent.until(lambda: any("no usable answer" in reason for reason in agent.reasons()))
            journal = agent.state / FOLDER

            def noted() -> bool:
                return any(b"no usable answer" in path.read_bytes() for path in journal.glob("*.jsonl"))

            agent.until(noted)
            fake.whole = fine
            agent.until(lambda: any(each["event"]["outcome"] == "failure" for each in reports(agent)))
            agent.until(lambda: any(each["event"]["outcome"] == "success" for each in reports(agent)))
        found = next(each for each in reports(agent) if each["event"]["outcome"] == "failure")
        assert any("no usable answer" in each for each in agent_report.read(found["labels"]).sentences)

    def test_takes_a_changed_interval_over(self, tmp_path: Path, fake: FakeStore) -> None:
        with running(tmp_path, fake) as agent:
            agent.until(lambda: agent.agent.state)
            agent.config.write_text(OFTEN)
            agent.agent.reload()
            agent.until(lambda: reports(agent))
        assert reports(agent)[0]["labels"]["EverySecs"] == 1

    def test_a_run_that_ends_reports_nothing(self, tmp_path: Path, fake: FakeStore) -> None:
        agent = Running(tmp_path, fake, OFTEN)
        append(agent.logs / "a.clef", Writer().lines(2))
        agent.agent._reporter._last = time.monotonic() - 1000.0
        agent.agent.once(10.0)
        agent._client.close()
        assert (agent.stored(), agent.told()) == (2, [])
