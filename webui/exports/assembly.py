"""Puts the parts of the exports together, for the pages and for the workers."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event

from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.errors import SettingsError
from indexer.search import EventSearch
from indexer.settings import StoreSettings, load
from webui.commission import Maker
from webui.exports.queue import Queue
from webui.exports.service import Exports
from webui.exports.standing import Standing
from webui.exports.worker import Place, Worker
from webui.settings import WebSettings, secret_key
from webui.tenancy import Tenancy


def make_exports(
    settings: WebSettings, client: Client, index_prefix: str, tenancy: Tenancy, now: Callable[[], datetime]
) -> Exports:
    """Make what the pages ask."""
    search = EventSearch(client, index_prefix)
    return Exports(_queue(client, index_prefix), search, tenancy, settings.export_dir, now)


def make_worker(  # noqa: PLR0913  two of them are clocks
    settings: WebSettings,
    client: Client,
    index_prefix: str,
    *,
    key: bytes,
    stopping: Event,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock: Callable[[], float] = time.monotonic,
    makers: Mapping[str, Maker] | None = None,
) -> Worker:
    """Make one worker; its name says where it runs."""
    place = Place(settings.export_dir, timedelta(days=settings.export_days), key)
    name = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
    search = EventSearch(client, index_prefix)
    return Worker(name, _queue(client, index_prefix, clock), search, place, now, stopping, makers or {})


def make_standing(
    client: Client, index_prefix: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Standing:
    """Make what schedules have their papers made by."""
    return Standing(_queue(client, index_prefix), now)


def chores(stopping: Event, makers: Mapping[str, Maker]) -> Sequence[Callable[[], bool]]:
    """Give what `audit-webui jobs run` does for exports; settings from the environment."""
    settings, store = load(WebSettings), load(StoreSettings)
    client = connect(store)
    key = secret_key(settings.secret_key_file)
    _queue(client, store.index_prefix).prepare()
    return [make_worker(settings, client, store.index_prefix, key=key, stopping=stopping, makers=makers).work]


def installation_key() -> bytes | None:
    """Give the secret that seals manifests; None where this machine has none, and none is made."""
    path = load(WebSettings).secret_key_file.expanduser()
    try:
        return secret_key(path) if path.exists() else None
    except (OSError, SettingsError):
        return None


def _queue(client: Client, index_prefix: str, clock: Callable[[], float] = time.monotonic) -> Queue:
    return Queue(Documents(client, index_prefix, "exports"), clock)
