"""The monitors in the store. Whoever changes one names the revision that was read."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from indexer.documents import Documents
from indexer.errors import ConflictError, NotPreparedError
from webui.alerts.monitor import Monitor, from_document

KIND: Final = "monitors"
MAX_MONITORS_COUNT: Final = 200
"""How many monitors one owner may have."""
_ID_BYTES: Final = 8


class Monitors:
    """All monitors of an installation. Raises the errors of `indexer.errors`."""

    def __init__(self, documents: Documents) -> None:
        """`documents` of KIND."""
        self._documents = documents

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._documents.prepare()

    def of(self, owner: str | None) -> list[Monitor]:
        """Give the monitors of an owner, by name; of all with None."""
        query = None if owner is None else {"term": {"owner": owner}}
        try:
            found = self._documents.every(query)
        except NotPreparedError:
            return []
        monitors = [from_document(stored.id, stored.source) for stored in found]
        return sorted(monitors, key=lambda monitor: monitor.name)

    def watching(self) -> list[Monitor]:
        """Give all that are on."""
        found = self._documents.every({"term": {"on": True}})
        return [from_document(stored.id, stored.source) for stored in found]

    def get(self, monitor_id: str) -> Monitor | None:
        """Give one as it is now."""
        try:
            stored = self._documents.get(monitor_id)
        except NotPreparedError:
            return None
        return None if stored is None else from_document(stored.id, stored.source)

    def add(self, monitors: Sequence[Monitor]) -> None:
        """Store new ones."""
        self._documents.prepare()
        for monitor in monitors:
            self._documents.create(monitor.id, monitor.document())

    def replace(self, monitor: Monitor) -> bool:
        """Store the next revision of one; False when somebody else has changed it meanwhile."""
        stored = self._documents.get(monitor.id)
        if stored is None or stored.source["revision"] != monitor.revision - 1:
            return False
        try:
            self._documents.replace(stored, monitor.document())
        except ConflictError:
            return False
        return True

    def delete(self, monitor_id: str) -> None:
        """Forget one; its alerts stay."""
        stored = self._documents.get(monitor_id)
        if stored is not None:
            self._documents.delete(stored)


def new_id() -> str:
    """Give an id that no other monitor has."""
    return secrets.token_hex(_ID_BYTES)
