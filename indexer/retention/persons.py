"""Who does something by hand, as far as names can tell.

A signed-in account is known. On a command line the operating system's user is; `--by` is a claim, and is
written down as one: whoever may run commands as another could lie in any other way, too.
"""

from __future__ import annotations

import os

import psutil

from indexer.errors import SettingsError


def person(claimed: str | None = None) -> str:
    """Return who runs this; whoever became root by sudo is named, too, and a claim with who made it.

    `SettingsError` for a claim that names nobody.
    """
    name = _account()
    behind = os.environ.get("SUDO_USER", "")
    known = f"{behind} (as {name})" if behind and behind != name else name
    if claimed is None:
        return known
    made = f"{' '.join(claimed.split())} (said by {known})"
    if not _name(f" {made}"):
        raise SettingsError(f"--by {claimed!r} names nobody; give a name, or leave it out")
    return made


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's."""
    return _name(one) == _name(other)


def _name(text: str) -> str:
    return text.partition(" (")[0].strip().casefold()


def _account() -> str:
    try:
        return psutil.Process().username()
    except (psutil.Error, KeyError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
