"""What operators are told is what the agent does: errors, limits and scenarios, each with its test."""

import re

import pytest

from agent.alarms import ALARMS
from indexer.retention.alarms import ALARMS as RETENTION
from tests.support.checkout import ROOT, tracked_text

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
TAILING = (ROOT / "docs" / "tailing.md").read_text(encoding="utf-8")
LIMITS, _, SCENARIOS = TAILING.partition("## Scenarios")
NAMED = re.compile(r"`(test_\w+)`")
# As the design numbers them.
NUMBERS = {
    *range(1, 14), 15, 16, 18, 20, *range(22, 41), *range(43, 54), *range(55, 58), 59, 60, 61, 62, 64, 65,
    67, *range(69, 74),
} - {14, 17, 19, 21}  # fmt: skip


@pytest.mark.parametrize("name", ALARMS)
def test_every_error_is_in_the_runbook_with_what_to_do(name: str) -> None:
    assert f"| `{name}` | {ALARMS[name].means} | {ALARMS[name].do} |" in RUNBOOK


def test_the_runbook_knows_no_other_error() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", RUNBOOK, re.MULTILINE)) == set(ALARMS)


@pytest.mark.parametrize("name", RETENTION)
def test_every_error_of_retention_is_in_the_runbook_with_what_to_do(name: str) -> None:
    assert f"| `{name}` | {RETENTION[name].means} | {RETENTION[name].do} |" in RUNBOOK


def test_every_error_that_is_logged_is_an_alarm() -> None:
    logged = re.compile(r'log\.error\(\s*"(\w+)"')
    found = {name for text in tracked_text("agent/*.py").values() for name in logged.findall(text)}
    assert found
    assert found <= set(ALARMS)


def test_every_limit_and_scenario_has_a_test_that_exists() -> None:
    tests = "\n".join(tracked_text("tests/*.py").values())
    named = set(NAMED.findall(TAILING))
    assert len(named) > 60
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_every_limit_names_its_test() -> None:
    rows = LIMITS.partition("## Known limits")[2].strip().split("\n")[2:]
    assert len(rows) > 10
    assert [row for row in rows if not NAMED.search(row)] == []


def test_every_scenario_of_the_design_has_its_tests() -> None:
    rows = dict(re.findall(r"^\| (\d+) \|(.*)\|$", SCENARIOS, re.MULTILINE))
    assert {int(number) for number in rows} == NUMBERS
    assert [number for number, row in rows.items() if "`" not in row] == []
