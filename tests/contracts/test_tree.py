"""The rules of the house that a machine can see in the tree."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, tracked, tracked_text

MOST_LINES = 400
ROOMS = {
    *("agent", "indexer", "webui", "index_templates", "ilm_policies"),
    *("examples", "deploy", "tests", "docs", "bench", "requirements", ".ci"),
}
TEST_ROOMS = {
    "agent",
    "indexer",
    "webui",
    "support",
    "corpus",
    "contracts",
    "opensearch",
    "browser",
    "examples",
    "bench",
}
# Words that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "core"}
# An application server may be a Windows machine.
POSIX_ONLY = {"fcntl", "grp", "pwd", "resource", "termios"}

# Of any registry: Maven's, PyPI's, Debian's, npm's; written so that this file is none itself.
INDEX_ADDRESS = re.compile(r'https?://[^ "<>]*(/maven2|/simple/|/debian(-security)?( |/)|/-/[a-z].*\.tgz)')
INDEX_OPTION = re.compile(r"--(?:extra-)?index-url[ =]|--find-links[ =]")
SKIPPED = re.compile(r"@pytest\.mark\.(?:skip|xfail)|pytest\.(?:skip|xfail|importorskip)\(")


def lines_that_match(pattern: re.Pattern[str], *files: str) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in tracked_text(*files).items()
        for number, line in enumerate(text.split("\n"), 1)
        if pattern.search(line)
    ]


def test_every_room_is_on_the_map() -> None:
    rooms = {name.parts[0] for name in tracked() if len(name.parts) > 1}
    assert rooms <= ROOMS


def test_tests_mirror_the_packages() -> None:
    assert {name.parts[1] for name in tracked("tests") if len(name.parts) > 2} <= TEST_ROOMS


def test_no_python_file_is_too_long_to_read() -> None:
    lengths = {str(name): text.count("\n") for name, text in tracked_text("*.py").items()}
    assert {name: count for name, count in lengths.items() if count > MOST_LINES} == {}


def test_no_module_is_named_by_an_empty_word() -> None:
    assert [name for name in tracked("*.py") if {name.stem, *name.parent.parts} & EMPTY_NAMES] == []


def test_no_address_of_a_package_index_is_written_down() -> None:
    assert lines_that_match(INDEX_ADDRESS) == []
    assert lines_that_match(INDEX_OPTION, "requirements", "deploy", "Makefile", ".ci") == []


@pytest.mark.parametrize(
    "place", [ROOT, ROOT.parent / "shared", ROOT.parent / "main"], ids=["checkout", "design", "main"]
)
def test_no_path_of_this_machine_is_written_down(place: Path) -> None:
    assert lines_that_match(re.compile(re.escape(str(place)) + r"\b")) == []


def test_no_test_is_skipped() -> None:
    assert lines_that_match(SKIPPED, "tests/*.py") == []


def test_nothing_that_only_posix_has_is_imported_up_front() -> None:
    found = []
    for name, text in tracked_text("agent/*.py", "indexer/*.py").items():
        for statement in ast.parse(text).body:
            if isinstance(statement, ast.Import):
                modules = {alias.name.split(".")[0] for alias in statement.names}
            elif isinstance(statement, ast.ImportFrom):
                modules = {(statement.module or "").split(".")[0]}
            else:
                continue
            found += [f"{name}: {module}" for module in modules & POSIX_ONLY]
    assert found == []


def test_the_tools_are_as_strict_as_agreed() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tools["ruff"]["lint"]["select"] == ["ALL"]
    assert tools["ruff"]["lint"]["pylint"]["max-statements"] == 40
    assert tools["mypy"]["strict"] is True
    assert tools["pytest"]["strict"] is True
    assert tools["pytest"]["filterwarnings"][0] == "error"


def test_every_exception_from_a_rule_of_ruff_is_explained() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[tool.ruff.lint]")[2].partition("[tool.ruff.lint.pydocstyle]")[0]
    blocks = re.findall(r"= \[\n(.*?)\n\]", section, re.DOTALL)
    unexplained = []
    for block in blocks:
        explained = False
        for line in block.split("\n"):
            # A comment goes on over the lines below it, until a line begins another group of letters.
            explained = "# " in line or (explained and line.lstrip().startswith('"'))
            if not explained:
                unexplained.append(line.strip())
    assert blocks
    assert unexplained == []


def test_ci_does_what_a_developer_does() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("exec make test")
