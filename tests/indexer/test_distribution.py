"""How OpenSearch gets onto a machine, and what is said when it does not. Maven itself is stood in for."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

from indexer import distribution
from indexer.distribution import ARTIFACT, VERSION, cache_folder, opensearch_home
from indexer.node_errors import NodeSetupError
from indexer.unprivileged import Account

MAVEN_THAT_COPIES = """#!/bin/sh
for word; do case "$word" in -DoutputDirectory=*) folder=${{word#*=}};; esac; done
cp {archive} "$folder/opensearch-{version}.zip"
"""
MAVEN_THAT_FAILS = """#!/bin/sh
echo '[ERROR] Could not transfer artifact' >&2
exit 1
"""


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("AUDIT_CACHE_DIR", str(folder))
    # pytest's own folder is closed to the account that a node of root runs as: another test's matter.
    monkeypatch.setattr(distribution, "node_account", lambda: None)
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    place = tmp_path / "made.zip"
    with zipfile.ZipFile(place, "w") as content:
        content.writestr(f"opensearch-{VERSION}/lib/opensearch.jar", b"jar")
        content.writestr(f"opensearch-{VERSION}/modules/analysis-common/thai.jar", b"jar")
        content.writestr(f"opensearch-{VERSION}/modules/reindex/reindex.jar", b"jar")
    return place


def put_maven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str | None) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    if script is not None:
        (folder / "mvn").write_text(script, encoding="utf-8")
        (folder / "mvn").chmod(0o755)
    (folder / "cp").symlink_to(str(shutil.which("cp")))
    monkeypatch.setenv("PATH", str(folder))


def test_is_fetched_checked_and_unpacked_once(
    cache: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_maven(monkeypatch, tmp_path, MAVEN_THAT_COPIES.format(archive=archive, version=VERSION))
    monkeypatch.setattr(distribution, "SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    home = opensearch_home()
    assert (home / "lib" / "opensearch.jar").read_bytes() == b"jar"
    assert home.parent == cache
    assert sorted(place.name for place in cache.iterdir()) == sorted(["fetch.lock", home.name])

    archive.unlink()
    assert opensearch_home() == home


def test_for_a_java_without_thai_the_languages_are_left_out(
    cache: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_maven(monkeypatch, tmp_path, MAVEN_THAT_COPIES.format(archive=archive, version=VERSION))
    monkeypatch.setattr(distribution, "SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    home = opensearch_home(with_languages=False)
    assert home.parent == cache
    assert [place.name for place in (home / "modules").iterdir()] == ["reindex"]
    assert (home / "lib" / "opensearch.jar").read_bytes() == b"jar"

    archive.unlink()
    assert opensearch_home(with_languages=False) == home
    assert (opensearch_home() / "modules" / "analysis-common").is_dir()


def test_an_archive_that_is_not_the_pinned_one_is_not_unpacked(
    cache: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_maven(monkeypatch, tmp_path, MAVEN_THAT_COPIES.format(archive=archive, version=VERSION))
    with pytest.raises(NodeSetupError) as caught:
        opensearch_home()
    assert f"has SHA-256 {hashlib.sha256(archive.read_bytes()).hexdigest()}" in str(caught.value)
    assert f"{distribution.SHA256} is pinned" in str(caught.value)
    assert "delete it from Maven's local repository" in str(caught.value)
    assert [place.name for place in cache.iterdir()] == ["fetch.lock"]


@pytest.mark.usefixtures("cache")
def test_without_maven_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_maven(monkeypatch, tmp_path, None)
    with pytest.raises(NodeSetupError, match=r"Maven \(mvn\) is not on the PATH .* apt-get install maven"):
        opensearch_home()


@pytest.mark.usefixtures("cache")
def test_what_maven_says_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_maven(monkeypatch, tmp_path, MAVEN_THAT_FAILS)
    with pytest.raises(NodeSetupError) as caught:
        opensearch_home()
    assert f"Maven could not bring {ARTIFACT}" in str(caught.value)
    assert str(caught.value).endswith("[ERROR] Could not transfer artifact")


@pytest.mark.usefixtures("cache")
def test_a_disk_without_room_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distribution, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(NodeSetupError, match=r"MB are free: make room, or set AUDIT_CACHE_DIR"):
        opensearch_home()


def test_a_cache_that_cannot_be_made_is_named(cache: Path) -> None:
    cache.touch()
    with pytest.raises(NodeSetupError, match=r"cannot be made .*: set AUDIT_CACHE_DIR"):
        opensearch_home()


def test_a_cache_closed_to_the_nodes_account_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distribution, "node_account", lambda: Account("nobody", 65534, 65534))
    cache.mkdir(mode=0o700)
    with pytest.raises(NodeSetupError, match=f"{cache} is closed to nobody"):
        opensearch_home()


class TestCacheFolder:
    """One place for all checkouts of a machine, unless a setting says otherwise."""

    @pytest.fixture(autouse=True)
    def _no_setting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AUDIT_CACHE_DIR", raising=False)

    def test_of_root_is_the_machines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(distribution, "node_account", lambda: Account("nobody", 65534, 65534))
        assert cache_folder() == Path("/var/cache/smartwms-audit")

    def test_of_a_user_is_in_the_home(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(distribution, "node_account", lambda: None)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert cache_folder() == tmp_path / ".cache" / "smartwms-audit"
