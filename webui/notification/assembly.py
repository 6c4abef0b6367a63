"""Puts the parts of notification together, for the pages, the features and the workers."""

from __future__ import annotations

from indexer.client import Client
from indexer.documents import Documents
from webui.notification import channels as channels_module
from webui.notification import deliveries as deliveries_module
from webui.notification.channels import Channels
from webui.notification.deliveries import Deliveries


def make_deliveries(client: Client, index_prefix: str) -> Deliveries:
    """Make what features tell their messages to."""
    return Deliveries(Documents(client, index_prefix, deliveries_module.KIND))


def make_channels(client: Client, index_prefix: str) -> Channels:
    """Make what features choose channels from."""
    return Channels(Documents(client, index_prefix, channels_module.KIND))
