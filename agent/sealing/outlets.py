"""Where anchors go besides the store: a file, or an address, out of the reach of whoever owns the cluster.

An anchor waits in a spool in the state directory until its outlet has it. It may be delivered twice after a
kill, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import urllib3

from agent import appending
from agent.errors import SettingsError
from agent.sources.checkpoints import flush_folder

POST_SECS: Final = 10.0


class Outlet(NamedTuple):
    """A spool, what it is called in the settings, and what delivers its lines (an error when that fails)."""

    setting: str
    spool: Path
    deliver: Callable[[bytes], None]

    def add(self, line: bytes) -> None:
        """Let a line wait for its delivery, flushed to disk."""
        append(self.spool, line)

    def flush(self) -> None:
        """Deliver what waits, if anything does."""
        try:
            lines = self.spool.read_bytes()
        except FileNotFoundError:
            return
        whole = lines[: lines.rfind(b"\n") + 1]
        if whole:
            self.deliver(whole)
        self.spool.unlink(missing_ok=True)


def to_file(path: Path, spool: Path) -> Outlet:
    return Outlet(f"anchor_file {path}", spool, lambda lines: append(path, lines))


def to_address(url: str, token_file: Path | None, spool: Path) -> Outlet:
    """POST the lines as `application/x-ndjson`; any 2xx means that they are there."""
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(POST_SECS))

    def post(lines: bytes) -> None:
        headers = {"Content-Type": "application/x-ndjson"}
        if token_file is not None:
            headers["Authorization"] = f"Bearer {_token(token_file)}"
        try:
            answer = pool.request("POST", url, body=lines, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise OSError(str(error)) from error
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own classes
            raise OSError(f"it answers {answer.status}")

    return Outlet(f"anchor_url {url}", spool, post)


def _token(path: Path) -> str:
    """The token in a file; SettingsError when it cannot stand in a header."""
    try:
        token = path.read_bytes().decode("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if not token.isprintable() or not token:
        raise SettingsError(
            f"anchor_token_file {path} does not hold a token: one line of ASCII; write it there alone"
        )
    return token


def append(path: Path, lines: bytes) -> None:
    """Add whole lines to a file, flushed to disk; half a line that a crash has left is cut off first.

    Where that is not allowed (a file that can only be appended to), it gets its own end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    if not is_new:
        try:
            appending.cut_torn(path)
        except PermissionError:
            lines = b"\n" + lines
    appending.append(path, lines)
    if is_new:
        flush_folder(path.parent)
