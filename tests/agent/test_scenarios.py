"""Every scenario that the agent must survive has a test that bears its number, and is documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, tracked

_MERGED = {14, 17, 19, 21, 41, 42, 54, 58, 63, 66, 68}
SCENARIOS = sorted(set(range(1, 74)) - _MERGED)
"""The numbers of the design; those that are missing were merged into others."""

NUMBERED = re.compile(r"test_((?:\d+_)+)")


def _found() -> Iterator[tuple[Path, str]]:
    """File and name of every test of the agent; a test may also be a class that Hypothesis runs."""
    for name in tracked("tests/agent/*.py"):
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield name, node.name
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                yield name, node.targets[0].id


TESTS = list(_found())
COVERED = {
    int(number)
    for _, name in TESTS
    if (found := NUMBERED.match(name))
    for number in found[1].strip("_").split("_")
}
TAILING = (ROOT / "docs" / "tailing.md").read_text(encoding="utf-8")
ROWS = {int(row[1]): row[0] for row in re.finditer(r"^\| (\d+) \|.*$", TAILING, re.MULTILINE)}


@pytest.mark.parametrize("number", SCENARIOS)
def test_each_has_a_test(number: int) -> None:
    assert number in COVERED


@pytest.mark.parametrize("number", SCENARIOS)
def test_each_stands_in_the_documents_with_tests_that_exist(number: int) -> None:
    named = set(re.findall(r"`(test_\w+|LogAndTail|AgentAndStore)`", ROWS[number]))
    assert named
    assert named - EVERYWHERE == set()


def _all_names() -> set[str]:
    texts = ((ROOT / name).read_text(encoding="utf-8") for name in tracked("tests/*.py"))
    return {name for text in texts for name in re.findall(r"(?:def |class |^)(\w+)", text, re.MULTILINE)}


EVERYWHERE = _all_names()
