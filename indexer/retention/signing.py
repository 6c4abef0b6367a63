"""The key by which a run of retention signs its certificates (`AUDIT_RETENTION_KEY_FILE`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from indexer import keys, settings
from indexer.keys import SigningKey

KEY_FILE: Final = "AUDIT_RETENTION_KEY_FILE"


class SigningSettings(settings.Variables):
    """Where the key lies."""

    retention_key_file: Path | None = None


def key() -> SigningKey | None:
    """Return the key, made at first use with mode 0600; None where certificates are not to be signed.

    Raises SettingsError when the file cannot be used.
    """
    path = settings.load(SigningSettings).retention_key_file
    return None if path is None else keys.load_or_make(path, KEY_FILE)
