"""How to reach the store, from `AUDIT_*` variables; and the registry that refuses misspelt ones.

pydantic-settings ignores a variable it does not know, so `AUDIT_OPENSEARCH_URI` would silently leave the
default address in force. `load` therefore compares the environment's `AUDIT_*` with every known name first.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from indexer.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "AUDIT_"

_known: Final[set[str]] = {
    "AUDIT_OPENSEARCH_URL",
    "AUDIT_OPENSEARCH_USERNAME",
    "AUDIT_OPENSEARCH_PASSWORD_FILE",
    "AUDIT_OPENSEARCH_CA_FILE",
    "AUDIT_INDEX_PREFIX",
    "AUDIT_STARTER_DAYS",
    "AUDIT_STARTER_PERIOD",
    "AUDIT_BUSINESS_DAYS",
    "AUDIT_BUSINESS_PERIOD",
    "AUDIT_ENTERPRISE_DAYS",
    "AUDIT_ENTERPRISE_PERIOD",
    "AUDIT_RETENTION_KEY_FILE",
    "AUDIT_WARM_NODES",
    "AUDIT_CACHE_DIR",
    "AUDIT_WEBUI_SECRET_KEY_FILE",
    "AUDIT_WEBUI_TRAIL_FILE",
    "AUDIT_WEBUI_EXPORT_DIR",
}
# Names that begin so belong to a program that may not be loaded here (one environment file serves all three).
# They pass until that program registers its names in this process; then a misspelt one is refused as well.
_open_families: Final[set[str]] = {"AUDIT_WEBUI_", "AUDIT_WEBHOOK_", "AUDIT_SMTP_", "AUDIT_TEST_"}

_INDEX_PREFIX: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")


class Variables(BaseSettings):
    """Settings from variables that begin with PREFIX. Immutable; an empty variable counts as not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)


class StoreSettings(Variables):
    """Where OpenSearch is and who we are there."""

    opensearch_url: str = "http://127.0.0.1:9200"
    opensearch_username: str = ""
    opensearch_password_file: Path | None = None
    opensearch_ca_file: Path | None = None
    index_prefix: str = "smartwms"

    @field_validator("opensearch_url")
    @classmethod
    def _is_plain_address(cls, value: str) -> str:
        no_address = f"is {value!r}, not an address such as https://search.example.com:9200"
        try:
            parts = urlsplit(value)
            named = parts.hostname and parts.port != 0
        except ValueError:
            raise ValueError(no_address) from None
        if parts.scheme not in {"http", "https"} or not named:
            raise ValueError(no_address)
        if parts.username is not None or parts.password is not None:
            raise ValueError(
                "holds a user or password; use AUDIT_OPENSEARCH_USERNAME and AUDIT_OPENSEARCH_PASSWORD_FILE"
            )
        if parts.query or parts.fragment:
            raise ValueError(f"is {value!r}; leave out what follows the path")
        return value.rstrip("/")

    @field_validator("index_prefix")
    @classmethod
    def _is_index_prefix(cls, value: str) -> str:
        if not _INDEX_PREFIX.fullmatch(value):
            raise ValueError(
                f"is {value!r}; use 1 to 40 lower-case letters, digits, '-' and '_', "
                "beginning and ending with a letter or digit"
            )
        # `x-audit` as a prefix would put its partitions under the pattern `x-audit-*` of the prefix `x`.
        if re.search(r"-(?:audit|app)(?:-|$)", value):
            raise ValueError(f"is {value!r}; leave '-audit' and '-app' out, the product adds them itself")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> StoreSettings:
        if self.opensearch_username and self.opensearch_password_file is None:
            raise ValueError(
                "AUDIT_OPENSEARCH_USERNAME is set, so AUDIT_OPENSEARCH_PASSWORD_FILE must name the file "
                "with the password"
            )
        if self.opensearch_password_file is not None and not self.opensearch_username:
            raise ValueError(
                "AUDIT_OPENSEARCH_PASSWORD_FILE is set, so AUDIT_OPENSEARCH_USERNAME must name the user"
            )
        if self.opensearch_ca_file is not None and self.opensearch_url.startswith("http:"):
            raise ValueError(
                "AUDIT_OPENSEARCH_CA_FILE is set, but AUDIT_OPENSEARCH_URL begins with http:, "
                "which is not encrypted; use https:"
            )
        return self


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def register(*names: str, family: str | None = None) -> None:
    """Add variables of another program to the known ones.

    `family` (such as "AUDIT_WEBUI_") says that no other names begin so: a misspelt one is then refused.
    """
    _known.update(names)
    if family is not None:
        _open_families.discard(family)


def known_names() -> frozenset[str]:
    """Give every variable that is read, by the programs loaded in this process."""
    return frozenset(_known)


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """Raise `SettingsError` for an `AUDIT_*` variable that nothing reads, with the nearest known name."""
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in _known or name.startswith(tuple(_open_families)):
            continue
        nearest = difflib.get_close_matches(name, sorted(_known), n=1, cutoff=0.0)[0]
        raise SettingsError(f"{name} is not a setting of SmartWMS Audit; did you mean {nearest}?")


def load(kind: type[SettingsT]) -> SettingsT:
    """Read settings from the environment; `SettingsError` names the variable, its value and the way out."""
    refuse_unknown(os.environ)
    try:
        return kind()
    except ValidationError as error:
        raise SettingsError(_sentence(kind, error)) from None


def _sentence(kind: type[BaseSettings], error: ValidationError) -> str:
    """Write the first finding of pydantic as one sentence that begins with the variable's name."""
    finding = error.errors(include_url=False)[0]
    text = finding["msg"].removeprefix("Value error, ")
    if not finding["loc"]:
        return text
    variable = f"{kind.model_config.get('env_prefix', '')}{finding['loc'][0]}".upper()
    if finding["type"] == "value_error":
        return f"{variable} {text}"
    return f"{variable} is {finding['input']!r}: {text[:1].lower()}{text[1:]}"
