"""`audit-webui alerts run`: evaluates the monitors, and tells the channels."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Protocol

import click

from indexer.errors import RetryableError
from webui.alerts.evaluator import ROUND_SECS, Evaluator
from webui.alerts.lease import LEASE_SECS, Lease
from webui.alerts.progress import FencedError

_log = logging.getLogger(__name__)

STANDBY_SECS = 2.0
AWAY_SECS = 5.0


class WorkOff(Protocol):
    """Sends what waits for channels: until stopped, or with `once` until nothing waits any more."""

    def __call__(self, stopping: threading.Event, *, once: bool = False) -> None: ...


def follow(evaluator: Evaluator, stopping: threading.Event) -> None:
    """Do rounds while active and wait while not; a store that is away is waited for."""
    while not stopping.is_set():
        try:
            active = evaluator.round()
        except FencedError:
            if not stopping.is_set():
                _log.warning("another evaluator has taken over")
            active = False
        except RetryableError as error:
            _log.warning("the store is away, trying again: %s", error)
            stopping.wait(AWAY_SECS)
            continue
        stopping.wait(ROUND_SECS if active else STANDBY_SECS)


def once(evaluator: Evaluator, lease: Lease, stopping: threading.Event) -> bool:
    """Look at everything that is to be looked at; False when another evaluator is active and does it."""
    # As long as it takes to see that whoever holds the lease is dead.
    for _ in range(int(LEASE_SECS / STANDBY_SECS) + 2):
        if stopping.is_set() or evaluator.round(everything=True):
            return True
        stopping.wait(STANDBY_SECS)
    _log.info("evaluator %s is active", lease.other)
    return False


def sending(work_off: WorkOff, stopping: threading.Event) -> None:
    """Send until stopped; who cannot send any more does not go on evaluating as if all were well."""
    try:
        work_off(stopping)
    finally:
        stopping.set()


def group(
    make_evaluator: Callable[[threading.Event], tuple[Evaluator, Lease]],
    work_off: WorkOff,
) -> click.Group:
    """Give the commands; `make_evaluator` is called when one runs, with the event that ends it."""

    @click.group()
    def alerts() -> None:
        """Monitors that watch the events."""

    @alerts.command()
    @click.option("--once", "only_once", is_flag=True, help="Look at what has arrived, tell, and stop.")
    def run(*, only_once: bool) -> None:
        """Evaluate the monitors until interrupted; any number may run, one of them is active."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        stopping = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        evaluator, lease = make_evaluator(stopping)
        beating = threading.Event()
        threads = [threading.Thread(target=lease.keep, args=(beating,), daemon=True)]
        if not only_once:
            threads.append(threading.Thread(target=sending, args=(work_off, stopping), daemon=True))
        for thread in threads:
            thread.start()
        click.echo("SmartWMS Audit: the monitors are evaluated", err=True)
        try:
            if not only_once:
                follow(evaluator, stopping)
            elif once(evaluator, lease, stopping):
                work_off(stopping, once=True)
            else:
                click.echo(f"The evaluator {lease.other} is active and does it.", err=True)
        finally:
            beating.set()
            for thread in threads[1:]:
                thread.join()
            lease.release()

    return alerts
