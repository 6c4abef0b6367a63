"""What lies in `deploy/` fits the product: its settings, and the properties that the agent understands."""

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import orjson
import pytest

from agent.cli import main as agent_commands
from agent.formats import format_named
from agent.normalise import change_lines, request_lines
from agent.settings import AgentSettings
from indexer.cli import main as store_commands
from indexer.settings import known_names
from tests.support.checkout import ROOT
from webui.cli import cli as webui_commands
from webui.notification.settings import VARIABLES as NOTIFICATION
from webui.settings import WebSettings

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SNIPPETS = DEPLOY / "smartwms"
INTERCEPTOR = (SNIPPETS / "AuditInterceptor.cs").read_text(encoding="utf-8")
ENRICHMENT = (SNIPPETS / "RequestLogEnrichment.cs").read_text(encoding="utf-8")
VARIABLES = {
    *known_names(),
    *NOTIFICATION,
    *(f"AUDIT_WEBUI_{name}".upper() for name in WebSettings.model_fields),
}
COMMANDS = {"audit-agent": agent_commands, "audit-webui": webui_commands, "audit-indexer": store_commands}
TIMED = {path.stem for path in (DEPLOY / "systemd").glob("*.timer")}
# Said of a sign-in: labels, and of one that is refused the user who it claimed to be.
ATTEMPT = {"AttemptedUser", "AttemptedTenant"}
HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "RestrictNamespaces": "yes",
    "SystemCallArchitectures": "native",
}

VALUES = {
    "$msec": "1795415200.058",
    "$status": "401",
    "$bytes_sent": "1623",
    "$request_time": "0.424",
    "$remote_addr": "192.0.2.10",
    "$request_method": "POST",
    "$request_uri": "/api/v1/auth/login",
}


def unit(path: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    return parser["Service"]


@pytest.fixture(params=UNITS, ids=lambda path: path.stem)
def service(request: pytest.FixtureRequest) -> configparser.SectionProxy:
    return unit(request.param)


class TestUnits:
    def test_they_run_closed(self, service: configparser.SectionProxy) -> None:
        assert {name: service[name] for name in HARDENED} == HARDENED

    def test_they_start_what_there_is(self, service: configparser.SectionProxy) -> None:
        program, *words = service["ExecStart"].split()
        command: click.Command = COMMANDS[Path(program).name]
        while isinstance(command, click.Group):
            if words[0].startswith("--"):
                # An option of all commands, and its value.
                assert words.pop(0) in {name for parameter in command.params for name in parameter.opts}
                words.pop(0)
                continue
            found = command.get_command(click.Context(command), words.pop(0))
            assert found
            command = found
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options

    def test_none_runs_as_root(self, service: configparser.SectionProxy) -> None:
        assert service["User"].startswith("smartwms-audit")

    def test_they_come_back_whatever_ends_them(self, service: configparser.SectionProxy) -> None:
        assert service.get("Restart") == "always" or service["Type"] == "oneshot"

    def test_what_runs_once_is_started_by_a_timer(self) -> None:
        assert {path.stem for path in UNITS if unit(path)["Type"] == "oneshot"} == TIMED

    def test_nothing_of_the_agent_is_for_other_users(self) -> None:
        agent = unit(DEPLOY / "systemd" / "smartwms-audit-agent.service")
        assert (agent["UMask"], agent["StateDirectoryMode"]) == ("0077", "0700")
        assert "/etc/smartwms-audit/agent.toml" in agent["ExecStart"]

    def test_a_stop_is_given_longer_than_the_agent_takes(self) -> None:
        agent = unit(DEPLOY / "systemd" / "smartwms-audit-agent.service")
        assert int(agent["TimeoutStopSec"]) > AgentSettings.model_fields["delivery"].default.stop_secs


class TestSettings:
    def test_the_agents_file_is_one_it_takes(self) -> None:
        document = tomllib.loads((DEPLOY / "systemd" / "agent.toml").read_text(encoding="utf-8"))
        for source in AgentSettings.model_validate(document).sources:
            assert format_named(source.format).name == source.format

    @pytest.mark.parametrize("path", sorted(DEPLOY.glob("systemd/*.env")), ids=lambda path: path.stem)
    def test_every_variable_is_one_the_product_reads(self, path: Path) -> None:
        names = set(re.findall(r"^(\w+)=", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert names
        assert names <= VARIABLES


class TestSmartWms:
    def test_the_agent_understands_every_property_of_a_change_line(self) -> None:
        written = set(re.findall(r'ForContext\(\s*"(\w+)"', INTERCEPTOR))
        assert len(written) > 10
        assert written <= set(change_lines._LAYOUT)

    def test_the_agent_understands_every_property_of_a_request_line(self) -> None:
        written = set(re.findall(r'Set\(line, "(\w+)"', ENRICHMENT))
        assert written >= ATTEMPT
        assert written - ATTEMPT <= set(request_lines._LAYOUT)

    def test_no_secret_is_logged(self) -> None:
        assert "X-Forwarded-For" not in re.sub(r"//.*", "", INTERCEPTOR + ENRICHMENT)
        assert re.search(r'"(?i:password)"', ENRICHMENT) is None
        secrets = re.search(r"Secrets =\s*\[(.*?)\]", INTERCEPTOR, re.DOTALL)
        assert secrets
        assert set(re.findall(r'"(\w+)"', secrets[1])) == {
            "PasswordHash", "SecurityStamp", "ConcurrencyStamp", "RefreshToken",
        }  # fmt: skip

    def test_the_settings_for_serilog_are_json_and_end_at_no_size(self) -> None:
        settings: Any = orjson.loads((SNIPPETS / "appsettings.serilog.json").read_bytes())
        [sink] = settings["Serilog"]["WriteTo"]
        assert sink["Args"]["rollOnFileSizeLimit"] is True
        assert sink["Args"]["formatter"].startswith("Serilog.Formatting.Compact.CompactJsonFormatter")


class TestNginx:
    def test_a_line_of_its_format_is_read_as_the_samples_are(self) -> None:
        text = (DEPLOY / "nginx" / "smartwms-audit.conf").read_text(encoding="utf-8")
        form = "".join(re.findall(r"^  '(.*)'", text, re.MULTILINE))
        line = re.sub(r"\$\w+", lambda found: VALUES.get(found[0], "-"), form)
        properties = format_named("nginx-json").parse(line.encode())
        sample = (ROOT / "tests" / "corpus" / "enriched" / "access.json.log").read_bytes().split(b"\n")[0]
        assert properties["@t"] == "2026-11-23T06:26:40.058Z"
        assert properties["status"] == 401
        assert properties.keys() == format_named("nginx-json").parse(sample).keys() - {"tenant"}
