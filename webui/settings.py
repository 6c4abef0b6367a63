"""Settings of the web UI, from `AUDIT_WEBUI_*`; its secret lies in a file that is made at the first start."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from indexer.errors import SettingsError
from indexer.settings import register
from indexer.trail import DEFAULT_FILE

_STATE: Final = Path("~/.local/state/smartwms-audit")
_SECRET_BYTES: Final = 32


class WebSettings(BaseSettings):
    """How the web UI runs. Immutable; an empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="AUDIT_WEBUI_", frozen=True, extra="ignore", env_ignore_empty=True
    )

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
    """How many reverse proxies stand before it, whose X-Forwarded-For and -Proto are believed."""
    idle_minutes: int = Field(default=30, ge=1, le=1440)
    session_hours: int = Field(default=12, ge=1, le=168)
    threads: int = Field(default=8, ge=1, le=256)


register(*(f"AUDIT_WEBUI_{name}".upper() for name in WebSettings.model_fields), family="AUDIT_WEBUI_")


def secret_key(path: Path) -> bytes:
    """Read the installation's secret; make it, readable by its owner alone, when the file is not there."""
    path = path.expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_SECRET_BYTES).hex().encode() + b"\n")
        key = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"AUDIT_WEBUI_SECRET_KEY_FILE is {path}: {error.strerror}") from error
    if len(key) < _SECRET_BYTES:
        raise SettingsError(
            f"AUDIT_WEBUI_SECRET_KEY_FILE is {path}, which holds {len(key)} bytes; at least {_SECRET_BYTES} "
            "are needed; remove the file to have one made"
        )
    return key
