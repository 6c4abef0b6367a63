"""The facts of an agent's report: written and read back the same, short enough to be found."""

from datetime import UTC, datetime
from typing import Any

import pytest

from indexer import agent_report
from indexer.agent_report import REASON_CHARS, REASONS_COUNT, Report, ReportError, SourceReport
from indexer.event import VALUE_LIMIT_BYTES

STARTED = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
COUNTS = {"read": 12, "stored": 9, "duplicate": 1, "rejected": 1, "expired": 1, "retried": 4}


def made(*reasons: str, sources: tuple[SourceReport, ...] = ()) -> Report:
    return agent_report.report(
        version="0.1.0",
        started=STARTED,
        every_secs=300.0,
        counts=COUNTS,
        dead_letters_bytes=77,
        reasons=reasons,
        sources=sources,
    )


def source(name: str, lag_bytes: int, lag_secs: float = 0.0) -> SourceReport:
    return SourceReport(name=name, lag_bytes=lag_bytes, lag_secs=lag_secs)


def test_what_was_written_is_read_back() -> None:
    report = made("one", "two", sources=(source("app", 10, 2.5), source("nginx", 0)))
    assert agent_report.read(agent_report.facts(report)) == report
    assert report.sentences == ("one", "two")


def test_its_labels_are_named_as_those_of_smartwms() -> None:
    assert agent_report.facts(made(sources=(source("app", 10, 2.5),))) == {
        "Version": "0.1.0",
        "Started": "2026-11-23T06:00:00Z",
        "EverySecs": 300.0,
        "LagBytes": 10,
        "LagSecs": 2.5,
        "Read": 12,
        "Stored": 9,
        "Duplicate": 1,
        "Rejected": 1,
        "Expired": 1,
        "DeadLettersBytes": 77,
        "Reasons": "",
        "Sources": [
            {
                "Name": "app",
                "LagBytes": 10,
                "LagSecs": 2.5,
                "LostBytes": 0,
                "Silent": False,
                "Stalled": False,
                "Unreadable": 0,
            }
        ],
    }


def test_it_is_as_far_behind_as_its_sources_are() -> None:
    report = made(sources=(source("a", 1, 9.0), source("b", 30, 4.0)))
    assert (report.lag_bytes, report.lag_secs) == (31, 9.0)
    assert [each.name for each in report.sources] == ["b", "a"]


def test_of_very_many_sources_those_furthest_behind_are_told() -> None:
    report = made(sources=tuple(source(f"s{number:03}", number) for number in range(300)))
    assert len(report.sources) == agent_report.SOURCES_COUNT
    assert (report.sources[0].name, report.lag_bytes) == ("s299", sum(range(300)))


def test_what_speaks_against_it_stays_short_enough_to_be_found() -> None:
    report = made(*(f"{number}: {'x' * 5000}\nand a second line" for number in range(50)))
    assert len(report.sentences) == REASONS_COUNT
    assert report.sentences[-1] == "and 31 more"
    assert all(len(each) <= REASON_CHARS for each in report.sentences)
    assert len(report.reasons.encode()) < VALUE_LIMIT_BYTES


@pytest.mark.parametrize(
    ("reasons", "says"),
    [
        ((), "The agent on app-1 reports: healthy, 12 s behind"),
        (("it is late",), "The agent on app-1 reports: not healthy, it is late"),
        (
            ("it is late", "it is slow", "it is old"),
            "The agent on app-1 reports: 3 reasons against it, the first: it is late",
        ),
    ],
)
def test_it_is_said_in_one_sentence(reasons: tuple[str, ...], says: str) -> None:
    assert agent_report.sentence("app-1", made(*reasons, sources=(source("app", 5, 12.3),))) == says


@pytest.mark.parametrize(
    "labels",
    [None, "text", {}, {"Version": "1", "Started": "never", "EverySecs": 300}, {"Version": "1"}],
    ids=["nothing", "text", "empty", "no time", "half"],
)
def test_labels_that_no_agent_wrote_are_refused(labels: object) -> None:
    with pytest.raises(ReportError, match="no report of an agent"):
        agent_report.read(labels)


def test_what_a_later_version_says_besides_is_passed_over() -> None:
    labels: dict[str, Any] = agent_report.facts(made("late"))
    assert agent_report.read({**labels, "Mood": "fine"}) == made("late")
