"""The channels in the store."""

from __future__ import annotations

import secrets
from typing import Final

from indexer.documents import Documents, Stored
from webui.notification.channel import Channel, Off, from_document

KIND: Final = "channels"
_ID_BYTES: Final = 6


class Channels:
    """All channels of an installation. Raises the errors of `indexer.errors`."""

    def __init__(self, documents: Documents) -> None:
        """`documents` of the kind "channels"."""
        self._documents = documents

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._documents.prepare()

    def add(self, channel: Channel) -> Channel:
        """Store a new channel; its id is `new_id()`."""
        self._documents.create(channel.id, channel.document())
        return channel

    def get(self, channel_id: str) -> tuple[Channel, Stored] | None:
        """Give a channel as it is now, of whatever tenant, and its version."""
        stored = self._documents.get(channel_id)
        return None if stored is None else (from_document(stored.id, stored.source), stored)

    def of(self, tenant: str | None) -> list[Channel]:
        """Give a tenant's channels by name, those that are off included; None: of all tenants."""
        query = None if tenant is None else {"term": {"tenant": tenant}}
        found = [from_document(stored.id, stored.source) for stored in self._documents.find(query)]
        return sorted(found, key=lambda each: (each.name.casefold(), each.id))

    def failing(self) -> list[str]:
        """Give the ids of the channels that were switched off because they failed."""
        return [stored.id for stored in self._documents.find({"term": {"off": Off.FAILING}})]

    def replace(self, stored: Stored, channel: Channel) -> Channel:
        """Replace exactly the version that was read; `ConflictError` when somebody else was first."""
        self._documents.replace(stored, channel.document())
        return channel

    def delete(self, stored: Stored) -> None:
        """Delete exactly the version that was read; `ConflictError` when somebody else was first."""
        self._documents.delete(stored)


def new_id() -> str:
    """Make the id of a channel."""
    return secrets.token_hex(_ID_BYTES)
