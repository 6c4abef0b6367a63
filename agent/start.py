"""Where `audit-agent` begins: a reload that is asked for while it still loads must not end it."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command; until it listens to SIGHUP, which ends who does not, the signal means nothing.

    Its settings are read after that.
    """
    if hasattr(signal, "SIGHUP") and sys.argv[1:2] == ["run"] and "--once" not in sys.argv:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from agent.cli import main as command  # noqa: PLC0415 - loading it takes half a second

    command()
