"""`systemctl reload` right after `systemctl start`."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Hangs up in the middle of loading the command.
HANG_UP = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class HangUp(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "agent.daemon":
            os.kill(os.getpid(), signal.SIGHUP)

# Whoever began the tests may ignore it (nohup), and children inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.meta_path.insert(0, HangUp())
from agent.start import main
sys.argv[0] = "audit-agent"
main()
"""


@pytest.mark.parametrize(("more", "code"), [([], 2), (["--once"], -signal.SIGHUP)])
def test_a_hang_up_while_it_loads_ends_only_who_follows_nothing(
    tmp_path: Path, more: list[str], code: int
) -> None:
    command = ["run", "--config", str(tmp_path / "none.toml"), *more]
    ended = subprocess.run([sys.executable, "-c", HANG_UP, *command], capture_output=True, check=False)
    assert ended.returncode == code
