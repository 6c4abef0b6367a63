"""What watching costs when nothing is written: `python -m bench.idle [--files 100] [--secs 60]`.

So many files with a few lines each are shipped; then the agent's CPU time is taken over a while in which
nobody writes.
"""

from __future__ import annotations

import signal
import tempfile
import time
from pathlib import Path
from typing import Final

import click
import psutil

from bench import workbench
from bench.numbered import Run

PREFIX: Final = "idle"
LINES_A_FILE: Final = 10
PATIENCE_SECS: Final = 60.0


def made(folder: Path, files: int) -> int:
    """Write the files; how many lines they hold."""
    run = Run.new()
    for number in range(files):
        lines = run.lines(number * LINES_A_FILE, LINES_A_FILE)
        (folder / f"{number:04}.clef").write_bytes(lines)
    return files * LINES_A_FILE


@click.command()
@click.option("--files", default=100, show_default=True, help="Files watched.")
@click.option("--secs", default=60.0, show_default=True, help="How long the CPU time is taken.")
@click.option("--heap", default="512m", show_default=True, help="Java heap of the node.")
def main(files: int, secs: float, heap: str) -> None:
    """Measure the agent at rest."""
    with (
        tempfile.TemporaryDirectory(prefix="smartwms-audit-bench-") as folder,
        workbench.running_node(heap) as node,
    ):
        workbench.prepared(node.url, PREFIX)
        home = Path(folder)
        (home / "logs").mkdir()
        lines = made(home / "logs", files)
        process = workbench.agent(workbench.configured(home, "logs/*.clef"), node.url, PREFIX)
        client = workbench.client_of(node.url, PREFIX)
        try:
            deadline = time.monotonic() + PATIENCE_SECS
            while workbench.count(client, f"{PREFIX}-audit*") < lines:
                process.require_running()
                if time.monotonic() > deadline:
                    raise click.ClickException("the files were not shipped in time")
                time.sleep(1)
            watched = psutil.Process(process.popen.pid)
            before = watched.cpu_times()
            time.sleep(secs)
            after = watched.cpu_times()
        finally:
            cost = process.end(signal.SIGTERM)
    cpu_secs = after.user + after.system - before.user - before.system
    click.echo(
        f"{files} files at rest: {cpu_secs / secs:.2%} of a core over {secs:g} s, {cost.peak_mb:,.0f} MB"
    )


if __name__ == "__main__":
    main()
