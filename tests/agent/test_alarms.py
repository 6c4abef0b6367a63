"""Every ERROR is in one table with its way out, and in the runbook."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.alarms import ALARMS

ROOT = Path(__file__).resolve().parents[2]


def errors_logged() -> Iterator[tuple[str, str]]:
    """File and name of each `log.error(…)` in the agent; a name that is no literal is "?"."""
    for path in sorted((ROOT / "agent").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "log.error":
                first = node.args[0]
                yield path.name, str(first.value) if isinstance(first, ast.Constant) else "?"


def test_every_error_is_in_the_table() -> None:
    assert [found for found in errors_logged() if found[1] not in ALARMS] == []


def test_nothing_else_is() -> None:
    assert set(ALARMS) - {name for _, name in errors_logged()} == set()


@pytest.mark.parametrize("name", ALARMS)
def test_every_error_is_in_the_runbook(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
