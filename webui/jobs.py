"""`audit-webui jobs run`: does what people asked for and what is due, one chore after the other."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

import click

from indexer.errors import RetryableError

_log = logging.getLogger(__name__)

Chore = Callable[[], bool]
"""Does one piece of work if there is some, and says whether there was."""

POLL_SECS: Final = 1.0
AWAY_SECS: Final = 5.0


def run(chores: Sequence[Chore], stopping: threading.Event, *, once: bool) -> None:
    """Do chores until told to stop, with `once` until none has work; a store that is away is waited for.

    A chore that fails keeps no other from its work, and is tried again; with `once`, its error is raised when
    no other has work.
    """
    while not stopping.is_set():
        failures: list[Exception] = []
        try:
            busy = [_done(chore, failures) for chore in chores]
        except RetryableError as error:
            if once:
                raise
            _log.warning("the store is away, trying again: %s", error)
            stopping.wait(AWAY_SECS)
            continue
        if any(busy):
            continue
        if once:
            if failures:
                raise failures[0]
            return
        stopping.wait(AWAY_SECS if failures else POLL_SECS)


def _done(chore: Chore, failures: list[Exception]) -> bool:
    """Do a chore; whether there was work. What it fails with is logged and added to `failures`."""
    try:
        return chore()
    except RetryableError:
        raise
    except Exception as error:  # noqa: BLE001
        # What one tenant's data does to reviews must not keep the alerts of all from being sent.
        _log.exception("%s failed, the other chores go on", getattr(chore, "__qualname__", chore))
        failures.append(error)
        return False


def group(make_chores: Callable[[threading.Event], Sequence[Chore]]) -> click.Group:
    """Give the commands; `make_chores` is called when one runs, with the event that ends it."""

    @click.group()
    def jobs() -> None:
        """Work behind the pages."""

    @jobs.command(name="run")
    @click.option("--once", is_flag=True, help="Stop when nothing waits any more.")
    def run_(*, once: bool) -> None:
        """Make exports until interrupted; several may run, wherever the folder of exports is the same."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        stopping = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        chores = make_chores(stopping)
        click.echo("SmartWMS Audit: jobs are worked on", err=True)
        run(chores, stopping, once=once)

    return jobs
