"""Settings of the web UI, from `AUDIT_WEBUI_*`; its secret lies in a file that is made at the first start."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from indexer import secret_file
from indexer.errors import SettingsError
from indexer.settings import Variables, register
from indexer.trail import DEFAULT_FILE

_STATE: Final = Path("~/.local/state/smartwms-audit")
_SECRET_BYTES: Final = 32


def is_safe(address: str) -> bool:
    """Say whether what is sent to an address stays between us and it: https, or this very machine."""
    parts = urlsplit(address)
    local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))


class WebSettings(Variables):
    """How the web UI runs. Immutable; an empty variable counts as not set."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_WEBUI_")

    secret_key_file: Path = _STATE / "webui-secret.key"
    trail_file: Path = DEFAULT_FILE
    export_dir: Path = _STATE / "exports"
    export_days: int = Field(default=7, ge=1, le=90)
    """How long the files of exports are kept."""
    api_per_minute: int = Field(default=300, ge=1, le=100_000)
    """How many requests a key of the API may make."""
    public_url: str = Field(default="", pattern=r"^(https?://[^\s/]+(/[^\s]*[^\s/])?)?$")
    """Where people find the UI, for links in notifications, such as `https://audit.example.com`."""
    tls: bool = False
    """Whether browsers reach it by https: cookies become Secure, and http is redirected."""
    trusted_proxies: int = Field(default=0, ge=0, le=9)
    """How many reverse proxies stand before it, whose X-Forwarded-For, -Proto and -Host are believed."""
    idle_minutes: int = Field(default=30, ge=1, le=1440)
    session_hours: int = Field(default=12, ge=1, le=168)
    threads: int = Field(default=8, ge=1, le=256)
    oidc_issuer: str = ""
    """The provider of single sign-on, exactly as it calls itself; without one there is none."""
    oidc_client_id: str = ""
    oidc_client_secret_file: Path | None = None
    oidc_name: str = Field(default="single sign-on", min_length=1, max_length=60)
    """How people call the provider: "Sign in with ..."."""
    oidc_scopes: str = "openid profile email"
    oidc_account_claim: str = "email"
    """The claim that names the account."""
    oidc_rules_file: Path | None = None
    """Who gets an account at the first sign-in; without it, nobody does."""

    @field_validator("oidc_issuer")
    @classmethod
    def _is_safe_issuer(cls, value: str) -> str:
        if value and not is_safe(value):
            raise ValueError(f"is {value!r}; use https://… (http:// is for this machine alone)")
        if "?" in value or "#" in value:
            raise ValueError(f"is {value!r}; leave out what follows the path")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _asks_for_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError(f"is {value!r}; `openid` must be among them")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> WebSettings:
        if self.oidc_issuer and (not self.oidc_client_id or self.oidc_client_secret_file is None):
            raise ValueError(
                "AUDIT_WEBUI_OIDC_ISSUER is set, so AUDIT_WEBUI_OIDC_CLIENT_ID and "
                "AUDIT_WEBUI_OIDC_CLIENT_SECRET_FILE must name the client that is registered there"
            )
        if self.oidc_rules_file is not None and not self.oidc_issuer:
            raise ValueError(
                "AUDIT_WEBUI_OIDC_RULES_FILE is set, but there is no AUDIT_WEBUI_OIDC_ISSUER to sign in by"
            )
        return self


register(*(f"AUDIT_WEBUI_{name}".upper() for name in WebSettings.model_fields), family="AUDIT_WEBUI_")


def secret_key(path: Path) -> bytes:
    """Read the installation's secret; make it, readable by its owner alone, when the file is not there."""
    path = path.expanduser()
    try:
        if not path.exists():
            secret_file.make(path, f"{secrets.token_hex(_SECRET_BYTES)}\n".encode())
        key = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"AUDIT_WEBUI_SECRET_KEY_FILE is {path}: {error.strerror}") from error
    if len(key) < _SECRET_BYTES:
        raise SettingsError(
            f"AUDIT_WEBUI_SECRET_KEY_FILE is {path}, which holds {len(key)} bytes; at least {_SECRET_BYTES} "
            "are needed; remove the file to have one made"
        )
    return key
