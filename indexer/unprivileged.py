"""The account a local node runs as: OpenSearch refuses to run as root, so root lends it `nobody`."""

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from indexer.node_errors import NodeSetupError

ACCOUNT_NAME = "nobody"


@dataclass(frozen=True)
class Account:
    """An unprivileged user of this machine."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether every folder on the way to `folder`, and itself, lets this account through."""
        return all(self._may_search(place) for place in (folder, *folder.parents) if place.exists())

    def _may_search(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def node_account() -> Account | None:
    """Return the account to run a node as, or None when the caller is unprivileged already."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415  # there is none on Windows

    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        raise NodeSetupError(
            f"OpenSearch does not run as root and this machine has no account {ACCOUNT_NAME!r}: "
            "run this as an ordinary user"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def run_as(account: Account | None) -> list[str]:
    """Words to put before a program's own so that it runs as `account`, with no way back to root."""
    if account is None:
        return []
    program = shutil.which("setpriv")
    if program is None:
        raise NodeSetupError(
            f"OpenSearch does not run as root and setpriv, to start it as {account.name}, is missing: "
            "install it (Debian: util-linux), or run this as an ordinary user"
        )
    return [
        program,
        f"--reuid={account.uid}",
        f"--regid={account.gid}",
        "--clear-groups",
        "--no-new-privs",
        "--inh-caps=-all",
        "--",
    ]
