"""The soak: `python -m bench.soak [--minutes 30] [--kills 200]`, or `make soak`.

A writer appends 2,000 lines a second and rolls its files; the agent is killed with SIGKILL at random moments;
the store is stopped, or killed, and started again. In the end every number that was written must be in the
store once, with its own bytes. Prints the account as one JSON line; exits 1 if anything is lost, twice or
garbled.
"""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import click
import orjson

from agent.delivery.dead_letters import DeadLetters
from agent.pipeline import DEAD_LETTERS
from bench import numbered, workbench
from bench.numbered import Account, Run, Writer
from indexer.client import Client

PREFIX: Final = "soak"
DOWN_SECS: Final = 10.0
DRAIN_SECS: Final = 1800
ROLL_SECS: Final = 20.0


class Soak:
    """One soak: its node, its agent, and what was counted."""

    def __init__(self, home: Path, node: workbench.Node) -> None:
        self.home = home
        self.node = node
        self.config = workbench.configured(home, "logs/*.clef*")
        self.kills = 0
        self.outages = 0
        self.cpu_secs = 0.0
        self.peak_mb = 0.0
        (home / "logs").mkdir()
        self._start()

    def _start(self) -> None:
        self._agent = workbench.agent(self.config, self.node.url, PREFIX)

    def kill(self) -> None:
        """SIGKILL the agent, and start the next."""
        self._end(signal.SIGKILL)
        self.kills += 1
        self._start()

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, signal_number: int) -> None:
        cost = self._agent.end(signal_number)
        self.cpu_secs += cost.cpu_secs
        self.peak_mb = max(self.peak_mb, cost.peak_mb)

    def outage(self) -> None:
        """The store away for a while; each second time it is killed, not stopped."""
        self.outages += 1
        (self.node.kill if self.outages % 2 == 0 else self.node.stop)()
        time.sleep(DOWN_SECS)
        self.node.start()

    def drain(self) -> dict[str, int]:
        """Ship what is left; the agent's own account of that."""
        process = workbench.agent(
            self.config, self.node.url, PREFIX, "--once", "--timeout", str(DRAIN_SECS), piped=True
        )
        output = process.output()
        process.end()
        counts: dict[str, int] = orjson.loads(output)
        return counts


def run_for(soak: Soak, secs: float, kills: int, outages: int) -> None:
    """Kill the agent so often at random moments, and take the store away so often, within so many seconds."""
    end = time.monotonic() + secs
    with ThreadPoolExecutor(1, "outages") as pool:
        store = pool.submit(_outages, soak, secs, outages)
        _kill(soak, end, kills)
        # A store that does not come back ends the soak here.
        store.result()
    time.sleep(max(0.0, end - time.monotonic()))


def _kill(soak: Soak, end: float, kills: int) -> None:
    for number in range(kills):
        left = end - time.monotonic()
        time.sleep(max(0.0, random.uniform(0.2, 1.8) * left / (kills - number + 1)))
        soak.kill()
        workbench.say(f"{left:,.0f} s left, {soak.kills} kills, {soak.outages} outages")


def _outages(soak: Soak, secs: float, outages: int) -> None:
    for _ in range(outages):
        time.sleep(secs / (outages + 1) - min(DOWN_SECS, secs / (outages + 2)))
        soak.outage()


def compare(soak: Soak, run: Run, written: int) -> Account:
    """The account: the store and the dead letters against what was written."""
    client = workbench.client_of(soak.node.url, PREFIX)
    return numbered.account(run, written, _stored(client), _rejected(soak.home / "state"))


def _stored(client: Client) -> Iterator[bytes]:
    for document in workbench.documents(client, f"{PREFIX}-audit", ["event.original"]):
        yield document["event"]["original"].encode()


def _rejected(state: Path) -> Iterator[bytes]:
    for letter in DeadLetters(state / DEAD_LETTERS).read():
        yield orjson.loads(letter.body)["event"]["original"].encode()


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="How long lines are written.")
@click.option("--kills", default=200, show_default=True, help="SIGKILLs of the agent in that time.")
@click.option("--outages", default=3, show_default=True, help="Times that the store goes away in that time.")
@click.option("--rate", default=2000, show_default=True, help="Lines a second.")
@click.option("--heap", default="1g", show_default=True, help="Java heap of the node.")
@click.pass_context
def main(ctx: click.Context, minutes: float, kills: int, outages: int, rate: int, heap: str) -> None:
    """Write, kill, cut off and roll; then account for every line."""
    with (
        tempfile.TemporaryDirectory(prefix="smartwms-audit-soak-") as folder,
        workbench.running_node(heap) as node,
    ):
        workbench.prepared(node.url, PREFIX)
        soak = Soak(Path(folder), node)
        run = Run.new()
        writer = Writer(soak.home / "logs", run, rate, roll_secs=min(ROLL_SECS, minutes * 60 / 9))
        writer.start()
        try:
            run_for(soak, minutes * 60, kills, outages)
        finally:
            writer.done.set()
            writer.join()
            soak.stop()
        drained = soak.drain()
        account = compare(soak, run, writer.written)
        cpu_secs = soak.cpu_secs / writer.written * 100_000
        click.echo(
            f"{minutes:g} minutes, {rate:,} lines/s, {soak.kills} kills, {soak.outages} outages of the "
            f"store, {writer.rolls} rolls; agent {cpu_secs:.1f} CPU s per 100,000, "
            f"peak {soak.peak_mb:,.0f} MB; left at the end {drained['stored']:,}"
        )
        click.echo(account.line())
    ctx.exit(0 if account.is_right else 1)


if __name__ == "__main__":
    main()
