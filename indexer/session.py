"""What commands share: the store of the environment's settings, and times as people type them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from indexer import settings
from indexer.client import Client, connect
from indexer.errors import RetryableError, SettingsError
from indexer.settings import StoreSettings

_POLL_SECS: Final = 0.5


@contextmanager
def opened(timeout_secs: float) -> Iterator[tuple[Client, str]]:
    """Connect to the store of the environment's settings, once it answers, and give its client and prefix."""
    found = settings.load(StoreSettings)
    client = connect(found)
    try:
        deadline = time.monotonic() + timeout_secs
        while True:
            try:
                client.info()
                break
            except RetryableError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_POLL_SECS)
        yield client, found.index_prefix
    finally:
        client.close()


def moment_of(option: str, text: str) -> datetime:
    """Read a time of an option, UTC unless it names a zone; `SettingsError` when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option} {text!r} is no time such as 2026-12-01 or 2026-12-01T06:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
