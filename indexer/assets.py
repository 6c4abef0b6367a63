"""The JSON files of `index_templates/`, with the installation's prefix put in.

A file is a composable index template of OpenSearch, named as there (`smartwms-audit.json`); inside, names
begin with `smartwms-`, which `AUDIT_INDEX_PREFIX` replaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import orjson

from indexer.errors import SettingsError

SHIPPED_PREFIX: Final = "smartwms"
EVENTS: Final = "audit"
SEALS: Final = "seals"
_APPLICATION: Final = "app-"


@dataclass(frozen=True, slots=True)
class Template:
    """One composable index template: `name` and `body` as OpenSearch takes them. Not to be changed inside."""

    name: str
    body: dict[str, Any]

    @property
    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["template"].get("settings", {})
        return found

    @property
    def mappings(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["template"]["mappings"]
        return found


def kinds() -> tuple[str, ...]:
    """Kinds of application documents that have a template: "tenants", "accounts", ... sorted."""
    beginning = f"{SHIPPED_PREFIX}-{_APPLICATION}"
    return tuple(name.removeprefix(beginning) for name in _file_stems() if name.startswith(beginning))


@lru_cache(maxsize=64)
def event_template(prefix: str) -> Template:
    """Return the template of the partitions."""
    return _template(EVENTS, prefix)


@lru_cache(maxsize=64)
def seal_template(prefix: str) -> Template:
    """Return the template of the index of seals."""
    return _template(SEALS, prefix)


@lru_cache(maxsize=64)
def document_template(kind: str, prefix: str) -> Template:
    """Return the template of one kind of application documents; `SettingsError` when there is none."""
    if kind not in kinds():
        raise SettingsError(f"no template for documents of kind {kind!r}; there are: {', '.join(kinds())}")
    return _template(_APPLICATION + kind, prefix)


def _file_stems() -> list[str]:
    files = resources.files("index_templates").iterdir()
    return sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json"))


def _template(suffix: str, prefix: str) -> Template:
    file = resources.files("index_templates") / f"{SHIPPED_PREFIX}-{suffix}.json"
    body: dict[str, Any] = orjson.loads(file.read_bytes())

    def renamed(name: str) -> str:
        return prefix + name.removeprefix(SHIPPED_PREFIX)

    body["index_patterns"] = [renamed(pattern) for pattern in body["index_patterns"]]
    aliases = body["template"].get("aliases", {})
    body["template"]["aliases"] = {renamed(alias): options for alias, options in aliases.items()}
    return Template(f"{prefix}-{suffix}", body)
