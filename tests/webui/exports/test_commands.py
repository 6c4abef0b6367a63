"""`audit-webui exports verify` and `audit-webui jobs run`, as they are called."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from tests.support.web import KEY, Site
from tests.webui.exports.conftest import Desk, desk_of
from webui import cli
from webui.exports import manifest
from webui.exports.job import Format


@pytest.fixture(scope="module", params=list(Format))
def files(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export as its owner has it; the installation's secret beside it."""
    desk = desk_of(site)
    job, data = desk.made("category=orders", request.param)
    folder = tmp_path_factory.mktemp("downloads")
    (folder / f"export.{job.format}").write_bytes(data)
    path = desk.site.settings.export_dir / job.stored_name
    (folder / f"export.{job.format}.manifest.json").write_bytes(manifest.beside(path).read_bytes())
    (folder / "secret.key").write_bytes(KEY)
    return folder


def export_in(folder: Path) -> Path:
    (found,) = (path for path in folder.iterdir() if path.suffix in {".csv", ".ndjson", ".pdf"})
    return found


def verify(file: Path, *more: str, key: Path | None = None) -> Result:
    secret = key or file.parent / "secret.key"
    arguments = ["exports", "verify", str(file), *more]
    return CliRunner().invoke(cli.cli, arguments, env={"AUDIT_WEBUI_SECRET_KEY_FILE": str(secret)})


class TestVerify:
    def test_0_as_it_was_made(self, files: Path) -> None:
        answer = verify(export_in(files))
        assert answer.exit_code == 0, answer.output
        assert "3 rows, complete" in answer.output
        assert "Asked for by auditor" in answer.output

    def test_1_when_a_byte_is_other(self, files: Path, tmp_path: Path) -> None:
        file = tmp_path / export_in(files).name
        data = bytearray(export_in(files).read_bytes())
        data[-8] ^= 1
        file.write_bytes(data)
        said = manifest.beside(export_in(files))
        answer = verify(file, "--manifest", str(said), key=files / "secret.key")
        assert answer.exit_code == 1
        assert "SHA-256" in answer.output

    def test_1_when_the_manifest_was_made_to_fit(self, files: Path, tmp_path: Path) -> None:
        forged = orjson.loads(manifest.beside(export_in(files)).read_bytes()) | {"requested_by": "somebody"}
        path = tmp_path / "forged.json"
        path.write_bytes(orjson.dumps(forged))
        answer = verify(export_in(files), "--manifest", str(path))
        assert answer.exit_code == 1
        assert "seal" in answer.output

    def test_says_when_the_seal_cannot_be_checked(self, files: Path, tmp_path: Path) -> None:
        answer = verify(export_in(files), key=tmp_path / "absent.key")
        assert answer.exit_code == 0
        assert "The seal was not checked" in answer.output
        assert not (tmp_path / "absent.key").exists()

    def test_2_without_a_file_or_a_manifest(self, files: Path, tmp_path: Path) -> None:
        said = str(manifest.beside(export_in(files)))
        assert verify(tmp_path / "absent.csv", "--manifest", said).exit_code == 2
        lonely = tmp_path / "lonely.csv"
        lonely.write_bytes(b"a\r\n")
        assert verify(lonely).exit_code == 2
        manifest.beside(lonely).write_bytes(b"no json")
        assert verify(lonely).exit_code == 2

    @pytest.mark.parametrize("name", ["row_count", "sentence", "requested_by", "requested_at", "sha256"])
    @pytest.mark.parametrize("value", [None, ["3"]], ids=["missing", "of another kind"])
    def test_2_when_the_manifest_does_not_say_what_every_one_does(
        self, files: Path, tmp_path: Path, name: str, value: object
    ) -> None:
        said = orjson.loads(manifest.beside(export_in(files)).read_bytes()) | {name: value}
        path = tmp_path / "forged.json"
        path.write_bytes(orjson.dumps(said))
        answer = verify(export_in(files), "--manifest", str(path), key=tmp_path / "absent.key")
        assert answer.exit_code == 2
        assert f"does not say {name}" in answer.output


class TestJobs:
    def test_run_once_does_all_that_waits(self, own_desk: Desk) -> None:
        # The command has its own clock: what is asked here lies in the past of both.
        jobs = [own_desk.ask("user=sofia*", kind) for kind in Format]
        own_desk.site.clock.ahead -= own_desk.site.clock() - datetime.now(UTC)
        settings = own_desk.site.settings
        answer = CliRunner().invoke(
            cli.cli,
            ["jobs", "run", "--once"],
            env=own_desk.site.store.environment
            | {
                "AUDIT_WEBUI_EXPORT_DIR": str(settings.export_dir),
                "AUDIT_WEBUI_SECRET_KEY_FILE": str(settings.secret_key_file),
            },
        )
        assert answer.exit_code == 0, answer.output
        assert {own_desk.now(job).state for job in jobs} == {"done"}
