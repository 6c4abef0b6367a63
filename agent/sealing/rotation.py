"""One sealing key after another: the old one is kept until it has signed the hand-over, then it is gone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import SettingsError, StateError
from agent.sources.checkpoints import flush_folder
from indexer import errors, keys
from indexer.keys import SigningKey

SETTING: Final = "sealing_key_file"


def retired_path(path: Path) -> Path:
    return path.with_name(path.name + ".retired")


def keys_in_force(path: Path) -> tuple[SigningKey, SigningKey | None]:
    """The key to seal with, made if there is none, and the one before it if it has not handed over yet.

    SettingsError when one of them cannot be used.
    """
    retired = retired_path(path)
    try:
        key = keys.load_or_make(path, SETTING)
        before = keys.load(retired, SETTING) if retired.exists() else None
    except errors.SettingsError as error:
        raise SettingsError(str(error)) from None
    if before is not None and before.public == key.public:
        # A rotation that was killed before it had made the new key.
        retired.unlink()
        return key, None
    return key, before


def handed_over(path: Path) -> None:
    """The hand-over is signed and on disk: the old key can do nothing more."""
    retired_path(path).unlink(missing_ok=True)


def rotate(path: Path) -> SigningKey:
    """Put a new key in the place of the one in `path`; StateError while one waits for its hand-over."""
    retired = retired_path(path)
    if keys_in_force(path)[1] is not None:
        raise StateError(
            f"the key in {retired} has not handed over yet; start or reload the agent, then rotate again"
        )
    beside = path.with_name(path.name + ".next")
    beside.unlink(missing_ok=True)
    keys.write(beside, Ed25519PrivateKey.generate(), SETTING)
    os.link(path, retired)
    beside.replace(path)
    flush_folder(path.parent)
    return keys.load(path, SETTING)
