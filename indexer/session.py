"""The store of the environment's settings, for as long as a command works on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from indexer import settings
from indexer.client import Client, connect
from indexer.errors import RetryableError
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
