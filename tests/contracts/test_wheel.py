"""The built wheel on a machine that has nothing but the agent's pins: an application server."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, tracked

INSTALL_SECS = 170


def call(*words: str | Path, cwd: Path = ROOT) -> str:
    answer = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECS,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (built,) = folder.glob("smartwms_audit-*.whl")
    return built


@pytest.fixture(scope="module")
def server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment with requirements/agent.txt and the wheel."""
    folder = tmp_path_factory.mktemp("server")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    pip = (programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    call(*pip, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements" / "agent.txt")
    call(*pip, "--no-deps", wheel)
    return programs


def test_holds_every_file_of_the_packages(wheel: Path) -> None:
    packages = ("agent", "indexer", "webui", "index_templates", "ilm_policies")
    with zipfile.ZipFile(wheel) as content:
        inside = set(content.namelist())
    assert {name.as_posix() for name in tracked(*packages)} - inside == set()


@pytest.mark.parametrize("program", ["audit-agent", "audit-indexer"])
def test_runs_without_what_the_web_ui_needs(server: Path, program: str, tmp_path: Path) -> None:
    assert "Usage:" in call(server / program, "--help", cwd=tmp_path)


def test_node_says_that_there_is_none(server: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [server / "audit-indexer", "node", "status", "--data", tmp_path / "none"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECS,
        check=False,
    )
    assert answer.returncode == 3
    assert "no node is running in" in answer.stderr
