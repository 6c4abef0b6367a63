"""`audit-agent check` and `status`, and how every command refuses."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent import inspection, settings
from agent.cli import main
from tests.support.shipping import CHANGES_LOGGED, Shipping, Writer
from tests.support.tailing import append


def invoke(shipping: Shipping, *arguments: str) -> Result:
    return CliRunner(env=shipping.store.environment).invoke(
        main, [*arguments, "--config", str(shipping.config)]
    )


class TestCheck:
    """It says what would be read and what speaks against it, and changes nothing."""

    def test_prints_what_would_be_read(self, shipping: Shipping) -> None:
        append(shipping.logs / "a.clef", Writer().lines(1))
        checked = invoke(shipping, "check")
        assert checked.exit_code == 0, checked.output
        assert str(shipping.logs / "a.clef") in checked.stdout
        assert f"store {shipping.store.url}: answers" in checked.stdout
        assert not shipping.state.exists()

    @pytest.mark.parametrize(
        ("names", "formats"),
        [
            (("s-20261123.clef", "s-20261123.log"), ("clef", "serilog-text")),
            (("access.json.log", "access.log"), ("nginx-json", "nginx-combined")),
        ],
    )
    def test_warns_of_sources_that_tell_the_same_story(
        self, shipping: Shipping, names: tuple[str, str], formats: tuple[str, str]
    ) -> None:
        shipping.config.write_text(
            'state_dir = "state"\nhost = "app-1"\n'
            + "".join(
                f'[[sources]]\nname = "s{number}"\npaths = ["logs/{name}"]\nformat = "{formats[number]}"\n'
                for number, name in enumerate(names)
            )
        )
        for name in names:
            append(shipping.logs / name, b"{}\n")
        checked = invoke(shipping, "check")
        assert checked.exit_code == 1
        assert "sources s0 and s1 would store each event twice" in checked.stderr

    def test_warns_of_a_file_in_two_sources(self, shipping: Shipping) -> None:
        shipping.config.write_text(
            CHANGES_LOGGED + '[[sources]]\nname = "again"\npaths = ["logs/a.*"]\nformat = "clef"\n'
        )
        append(shipping.logs / "a.clef", b"{}\n")
        checked = invoke(shipping, "check")
        assert checked.exit_code == 1
        assert "is read by the sources app and again" in checked.stderr

    def test_warns_of_a_source_without_files(self, shipping: Shipping) -> None:
        checked = invoke(shipping, "check")
        assert checked.exit_code == 1
        assert "source app: no file matches" in checked.stderr

    def test_exits_3_without_a_store(self, shipping: Shipping) -> None:
        append(shipping.logs / "a.clef", b"{}\n")
        runner = CliRunner(env={"AUDIT_OPENSEARCH_URL": "http://127.0.0.1:9"})
        checked = runner.invoke(main, ["check", "--config", str(shipping.config)])
        assert checked.exit_code == 3
        assert "does not answer" in checked.stdout


class TestStatus:
    """What an operator asks first: how far is it?"""

    def test_before_the_first_run(self, shipping: Shipping) -> None:
        assert "no agent has run" in invoke(shipping, "status").stdout

    def test_tells_position_size_and_lag_of_each_file(self, shipping: Shipping) -> None:
        path = shipping.logs / "a.clef"
        append(path, Writer().lines(10))
        shipping.once()
        size = path.stat().st_size
        append(path, b"12345")
        told = invoke(shipping, "status").stdout
        assert f"{path}  position {size}  size {size + 5}  lag 5" in told
        assert "agent not running" in told
        assert "stored 10" in told
        assert "last error none" in told


@pytest.mark.parametrize(
    "command", [["run"], ["run", "--once"], ["check"], ["status"], ["dead-letters", "list"]]
)
def test_settings_that_cannot_be_used_exit_2(tmp_path: Path, command: list[str]) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(CHANGES_LOGGED.replace("format", "fromat"))
    refused = CliRunner().invoke(main, [*command, "--config", str(config)])
    assert refused.exit_code == 2
    assert "did you mean 'format'?" in refused.stderr


def test_an_unknown_format_exits_2(shipping: Shipping) -> None:
    shipping.config.write_text(CHANGES_LOGGED.replace('"clef"', '"celf"'))
    for command in (["run", "--once"], ["check"]):
        refused = invoke(shipping, *command)
        assert refused.exit_code == 2
        assert "source 'app': format = 'celf' is not known" in refused.stderr


class TestCheckOfWhatIsThere:
    """It looks into the files and at what the agent must be able to do; no store is needed for that."""

    def findings(self, folder: Path, config: str) -> list[str]:
        (folder / "agent.toml").write_text(config)
        (folder / "logs").mkdir(exist_ok=True)
        return list(inspection.findings(settings.load(folder / "agent.toml")))

    @pytest.mark.parametrize("name", ["clef", "serilog-text", "nginx-json", "nginx-combined"])
    def test_warns_of_records_that_the_format_does_not_understand(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "logs").mkdir()
        append(tmp_path / "logs" / "a.clef", b"neither fish nor fowl\n" * 5)
        found = self.findings(tmp_path, CHANGES_LOGGED.replace('"clef"', f'"{name}"'))
        assert any(f"records of {tmp_path}/logs/a.clef are no {name}" in each for each in found)

    def test_does_not_of_those_it_does(self, tmp_path: Path) -> None:
        (tmp_path / "logs").mkdir()
        append(tmp_path / "logs" / "a.clef", Writer().lines(30) + b'{"half a')
        assert self.findings(tmp_path, CHANGES_LOGGED) == []

    def test_warns_of_an_address_that_is_taken(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            found = self.findings(tmp_path, f'{CHANGES_LOGGED}[http]\nlisten = "127.0.0.1:{port}"\n')
        assert any(each.startswith(f"http.listen = '127.0.0.1:{port}'") for each in found)

    def test_warns_of_a_state_directory_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "state").write_text("a file")
        assert any("may not be written" in each for each in self.findings(tmp_path, CHANGES_LOGGED))
