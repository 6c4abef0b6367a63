"""The documents name what the code has, all of it."""

import re
from pathlib import Path

import pytest

from agent.settings import AgentSettings, DeliverySettings, HttpSettings, SealSettings, SourceSettings
from indexer.event import ACTIONS, FIELDS, Flag
from indexer.settings import known_names
from webui.notification.settings import VARIABLES as NOTIFICATION
from webui.settings import WebSettings

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EVENTS = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
VARIABLES = sorted(
    {*known_names(), *NOTIFICATION, *(f"AUDIT_WEBUI_{name}".upper() for name in WebSettings.model_fields)}
)
SECTIONS = (AgentSettings, SourceSettings, DeliverySettings, SealSettings, HttpSettings)
SETTINGS = sorted({name for section in SECTIONS for name in section.model_fields})


class TestConfiguration:
    @pytest.mark.parametrize("name", VARIABLES)
    def test_every_variable_is_described(self, name: str) -> None:
        assert f"`{name}`" in CONFIGURATION

    def test_no_other_variable_is(self) -> None:
        assert set(re.findall(r"`(AUDIT_[A-Z_]+)`", CONFIGURATION)) == set(VARIABLES)

    @pytest.mark.parametrize("name", SETTINGS)
    def test_every_setting_of_the_agent_is_described(self, name: str) -> None:
        tables = {"sources": "[[sources]]"} | {table: f"[{table}]" for table in ("delivery", "http", "seals")}
        shown = tables.get(name, name)
        assert f"`{shown}`" in CONFIGURATION


class TestEvents:
    @pytest.mark.parametrize("name", FIELDS)
    def test_every_field_is_described(self, name: str) -> None:
        assert f"`{name}`" in EVENTS

    @pytest.mark.parametrize("category", ACTIONS)
    def test_every_category_has_its_actions(self, category: str) -> None:
        row = next(line for line in EVENTS.splitlines() if line.startswith(f"| `{category}` |"))
        assert set(re.findall(r"`(\w+)`", row)) == {category, *ACTIONS[category]}

    @pytest.mark.parametrize("flag", Flag)
    def test_every_flag_is_named(self, flag: Flag) -> None:
        assert f"`{flag.value}`" in EVENTS


class TestLinks:
    @pytest.mark.parametrize(
        "page",
        [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))],
        ids=lambda page: str(page.relative_to(ROOT)),
    )
    def test_they_lead_somewhere(self, page: Path) -> None:
        targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        assert [target for target in targets if not (page.parent / target).exists()] == []
