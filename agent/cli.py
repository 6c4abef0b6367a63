"""`audit-agent`: run, check, status, dead-letters. Exit codes: 0 done, 1 findings, 2 settings, 3 no store."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from agent import inspection, reload, status, telemetry
from agent import settings as agent_settings
from agent.daemon import Agent
from agent.delivery.dead_letters import DeadLetters
from agent.delivery.replay import replay
from agent.errors import AgentError, StateError, StoreUnreachableError
from agent.pipeline import DEAD_LETTERS, Pipeline
from agent.sealing import rotation
from agent.sealing.sealer import replayed_of
from agent.settings import AgentSettings
from agent.state import is_held, state_lock
from indexer import client as store_client
from indexer import keys
from indexer import settings as store_settings
from indexer.client import Client
from indexer.errors import IndexerError
from indexer.settings import StoreSettings

_ROTATE_SECS = 30.0


class _Commands(click.Group):
    """Every foreseen error is one sentence on stderr and the exit code of its kind."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        try:
            return super().invoke(ctx)
        except (AgentError, IndexerError) as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)


_config = click.option(
    "--config", "path", required=True, type=click.Path(path_type=Path), help="The agent's TOML file."
)


@click.group(cls=_Commands)
@click.version_option(package_name="smartwms-audit")
def main() -> None:
    """Ships SmartWMS logs to OpenSearch, each record exactly once."""


def _settings(path: Path) -> tuple[AgentSettings, StoreSettings, Client]:
    settings = agent_settings.load(path)
    store = store_settings.load(StoreSettings)
    return settings, store, store_client.connect(store)


@main.command()
@_config
@click.option("--once", is_flag=True, help="Read every source to its end, wait for every verdict, and stop.")
@click.option(
    "--timeout",
    "timeout_secs",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="With --once: seconds without a usable answer of the store after which to give up.",
)
@click.pass_context
def run(ctx: click.Context, path: Path, *, once: bool, timeout_secs: float) -> None:
    """Follow the sources; with --once, ship what is there and print the account as one JSON line."""
    hang_up = threading.Event()
    if not once and hasattr(signal, "SIGHUP"):
        # Before the settings are read: what is changed from now on is read again.
        signal.signal(signal.SIGHUP, lambda *_: hang_up.set())
    settings, store, client = _settings(path)
    (telemetry.log_sentences if once else telemetry.log_json)()
    with state_lock(settings.state_dir):
        agent = Agent(settings, store, client, lambda: agent_settings.load(path), hang_up)
        stopped = _stop_on_signals(agent)
        if not once:
            agent.follow()
            return
        try:
            pipeline = _with_progress(agent, timeout_secs)
        except StoreUnreachableError:
            # What has no verdict yet became no event in this run.
            agent.account.read = agent.account.final
            click.echo(agent.account.line())
            raise
        agent.account.read = agent.account.final if stopped else agent.account.read
        click.echo(agent.account.line())
        ctx.exit(_findings(agent, pipeline, stopped=bool(stopped)))


def _findings(agent: Agent, pipeline: Pipeline, *, stopped: bool) -> int:
    """Say what this run left behind; its exit code."""
    for feed in pipeline.feeds:
        for stream in feed.tail.streams:
            if stream.unfinished_bytes:
                click.echo(
                    f"{stream.path}: its last {stream.unfinished_bytes} bytes are no complete line yet; "
                    "left for the next run",
                    err=True,
                )
    if pipeline.ahead_count:
        click.echo(
            f"{pipeline.ahead_count} records are dated ahead of the clock: left for a run at their time "
            "(more than ahead_days in the settings are never taken for real)",
            err=True,
        )
    if agent.account.rejected:
        click.echo("some events were rejected: audit-agent dead-letters list tells why", err=True)
    return 1 if agent.account.rejected or pipeline.ahead_count or stopped else 0


def _with_progress(agent: Agent, timeout_secs: float) -> Pipeline:
    """Run once; on a terminal with a bar of the bytes whose events are final."""
    if not sys.stderr.isatty():
        return agent.once(timeout_secs)
    with click.progressbar(length=1, label="bytes", file=sys.stderr, show_pos=True) as bar:

        def show(pipeline: Pipeline) -> None:
            streams = [stream for feed in pipeline.feeds for stream in feed.tail.streams]
            bar.length = sum(stream.size for stream in streams)
            bar.update(sum(stream.position for stream in streams) - bar.pos)

        return agent.once(timeout_secs, show)


def _stop_on_signals(agent: Agent) -> list[int]:
    """End the run on the signals that this platform has; the list fills with those that came."""
    came: list[int] = []

    def stop(number: int, _frame: object) -> None:
        came.append(number)
        agent.stop()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    return came


@main.command()
@_config
@click.pass_context
def check(ctx: click.Context, path: Path) -> None:
    """Validate everything and print what would be read; sends no event and changes nothing."""
    settings, store, client = _settings(path)
    findings = list(inspection.findings(settings))
    for line in inspection.plan(settings):
        click.echo(line)
    unreachable = inspection.store_problem(client, store.index_prefix)
    click.echo(f"store {client.url}: {'answers' if unreachable is None else unreachable}")
    for finding in findings:
        click.echo(f"warning: {finding}", err=True)
    if unreachable is not None:
        ctx.exit(unreachable.exit_code)
    ctx.exit(1 if findings else 0)


@main.command("status")
@_config
def show_status(path: Path) -> None:
    """Per file: position, size, lag. Per destination: in flight, last error."""
    settings = agent_settings.load(path)
    for line in status.lines(settings.state_dir, datetime.now(UTC)):
        click.echo(line)


@main.command("reload")
@_config
@click.option(
    "--timeout", "timeout_secs", default=30.0, show_default=True, type=click.FloatRange(min=0, min_open=True),
    help="Seconds to wait for the agent's answer.",
)  # fmt: skip
def reload_settings(path: Path, timeout_secs: float) -> None:
    """Let the running agent take the changed settings over; wrong ones change nothing."""
    settings = agent_settings.load(path)
    if not is_held(settings.state_dir):
        raise StateError(f"no agent is running on state_dir {settings.state_dir}; start it instead")
    click.echo(reload.ask(settings.state_dir, timeout_secs))


@main.command("accept-ahead")
@_config
@click.option(
    "--timeout", "timeout_secs", default=30.0, show_default=True, type=click.FloatRange(min=0, min_open=True),
    help="Seconds to wait for the agent's answer.",
)  # fmt: skip
def accept_ahead(path: Path, timeout_secs: float) -> None:
    """Let the running agent send the records that wait because they are dated ahead of its clock."""
    settings = agent_settings.load(path)
    if not is_held(settings.state_dir):
        raise StateError(f"no agent is running on state_dir {settings.state_dir}; start it instead")
    click.echo(reload.ask(settings.state_dir, timeout_secs, reload.ACCEPT_AHEAD))


@main.group("dead-letters")
def dead_letters() -> None:
    """Events that the store refused for good."""


@dead_letters.command("list")
@_config
@click.pass_context
def list_dead_letters(ctx: click.Context, path: Path) -> None:
    """Print each rejected event with its cause."""
    settings = agent_settings.load(path)
    count = 0
    for letter in DeadLetters(settings.state_dir / DEAD_LETTERS).read():
        count += 1
        click.echo(f"{letter.at}  {letter.partition}  {letter.id}  {letter.cause}")
    ctx.exit(1 if count else 0)


@dead_letters.command("replay")
@_config
@click.pass_context
def replay_dead_letters(ctx: click.Context, path: Path) -> None:
    """Send the rejected events again, each into its own partition; what is stored now leaves the file."""
    telemetry.log_sentences()
    settings, store, client = _settings(path)
    letters = DeadLetters(settings.state_dir / DEAD_LETTERS)
    replayed = replay(letters, client, store.index_prefix, replayed_of(settings))
    click.echo(orjson.dumps(replayed._asdict()).decode())
    if replayed.waiting:
        raise StoreUnreachableError(
            f"{replayed.waiting} were not judged ({replayed.reason}); replay again later"
        )
    ctx.exit(1 if replayed.rejected else 0)


@main.group("seals")
def seals() -> None:
    """What proves that events are as they were shipped: the key that this agent seals with."""


@seals.command("key")
@_config
def show_key(path: Path) -> None:
    """Print the public key (PEM), for `audit-indexer verify --key`; it is made if there is none."""
    settings = agent_settings.load(path)
    key, _ = rotation.keys_in_force(settings.sealing_key_file)
    click.echo(keys.public_pem(key.public).decode(), nl=False)
    click.echo(f"fingerprint {key.fingerprint}", err=True)


@seals.command("rotate")
@_config
def rotate_key(path: Path) -> None:
    """Make a new key; the old one signs the hand-over at the agent's next start or reload, and is deleted."""
    settings = agent_settings.load(path)
    key = rotation.rotate(settings.sealing_key_file)
    click.echo(f"new key {key.fingerprint}")
    if is_held(settings.state_dir):
        click.echo(reload.ask(settings.state_dir, _ROTATE_SECS))
