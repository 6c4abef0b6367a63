"""Asking a running agent for something, and its answer: two files in the state directory for each question.

The same on every platform; SIGHUP, where there is one, only saves the file.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path

import orjson

from agent.errors import AgentError, SettingsError, StateError
from agent.settings import AgentSettings

RELOAD = "reload"
"""Take the changed settings over."""
ACCEPT_AHEAD = "accept-ahead"
"""Send what waits because it is dated ahead of the clock."""
_ASK_SECS = 0.1


class NotReloadedError(AgentError):
    """The running agent keeps the settings it has; the message is its reason."""


def ask(state_dir: Path, timeout_secs: float, what: str = RELOAD) -> str:
    """Ask the agent on this state directory for something; its sentence.

    NotReloadedError when it refuses, StateError when it does not answer in time.
    """
    token = secrets.token_hex(8)
    try:
        _put(state_dir / f"{what}.request", token.encode())
    except OSError as error:
        raise StateError(f"state_dir {state_dir} cannot be used ({error}); be the agent's user") from None
    deadline = time.monotonic() + timeout_secs
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, orjson.JSONDecodeError):
            answer = orjson.loads((state_dir / f"{what}.answer").read_bytes())
            if answer["token"] == token:
                if not answer["done"]:
                    raise NotReloadedError(answer["says"])
                return str(answer["says"])
        time.sleep(_ASK_SECS)
    with contextlib.suppress(OSError):
        (state_dir / f"{what}.request").unlink()
    raise StateError(f"no agent answered on state_dir {state_dir} within {timeout_secs:g} s; is it running?")


def asked(state_dir: Path, what: str = RELOAD) -> str | None:
    """The token of a request that waits, taken out of the way; None when there is none."""
    path = state_dir / f"{what}.request"
    try:
        token = path.read_text(encoding="ascii")
        path.unlink()
    except (OSError, UnicodeDecodeError):
        return None
    return token


def answer(state_dir: Path, token: str, says: str, *, done: bool, what: str = RELOAD) -> None:
    """Tell whoever asked; a disk that is full keeps the answer, and nothing else."""
    with contextlib.suppress(OSError):
        _put(state_dir / f"{what}.answer", orjson.dumps({"token": token, "done": done, "says": says}))


def refuse_unchangeable(old: AgentSettings, new: AgentSettings) -> None:
    """Raise SettingsError for what only a restart may change."""
    for name in ("state_dir", "host"):
        if getattr(old, name) != getattr(new, name):
            raise SettingsError(
                f"{name} = {str(getattr(new, name))!r}: cannot change while the agent runs "
                f"(it is {str(getattr(old, name))!r}); restart it"
            )


def _put(path: Path, data: bytes) -> None:
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    beside.write_bytes(data)
    beside.replace(path)
