"""Puts the keys together, for the API and for the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.settings import StoreSettings, load
from webui.access import Role
from webui.api.commands import Cabinet
from webui.api.keys import Keys
from webui.settings import WebSettings
from webui.trail import Trail


def make_keys(client: Client, index_prefix: str, now: Callable[[], datetime]) -> Keys:
    """Make the keys of an installation."""
    return Keys(Documents(client, index_prefix, "apikeys"), now)


def cabinet(checked_tenant: Callable[[str, Role], str]) -> Cabinet:
    """Give what the commands need; settings from the environment."""
    store = load(StoreSettings)
    keys = make_keys(connect(store), store.index_prefix, _utc_now)
    return Cabinet(keys, checked_tenant, Trail(load(WebSettings).trail_file, _utc_now))


def _utc_now() -> datetime:
    return datetime.now(UTC)
