"""What keeps the files of a source from being read: said once, counted, and noted for the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import structlog

from agent.telemetry import shown

log = structlog.get_logger(__name__)


class Notice(NamedTuple):
    """Something about a file that belongs into the audit trail; `what` is an action of `indexer.event`."""

    what: str
    path: str
    facts: dict[str, Any]


class Troubles:
    """The troubles of one source. `unreadable` is by path, as of the last look."""

    def __init__(self, source: str) -> None:
        self.lost_bytes = 0
        self.lost_files = 0
        self.unreadable: dict[str, str] = {}
        self.notices: list[Notice] = []
        self._source = source
        self._closed: set[str] = set()
        self._said: set[tuple[str, str]] = set()

    def go_on(self, before: Troubles) -> None:
        """Count on where the tail before a reload ended."""
        self.lost_bytes += before.lost_bytes
        self.lost_files += before.lost_files

    def look(self, closed: Mapping[str, str]) -> None:
        """Begin a look that could not look into these places; which files it cannot read is yet to come."""
        for place in self._closed - closed.keys():
            self.over("unreadable", place)
        self._closed = set(closed)
        self.unreadable.clear()
        for place, reason in closed.items():
            self.cannot_read(place, reason)

    def lost(self, path: str, bytes_: int, reason: str) -> None:
        self.lost_bytes += bytes_
        self.lost_files += 1
        log.error("lost", source=self._source, path=path, bytes=bytes_, reason=reason)
        self.notices.append(Notice("lost", shown(path), {"Bytes": bytes_, "Reason": reason}))

    def cannot_read(self, path: str, reason: str) -> None:
        self.unreadable[shown(path)] = reason
        if self._is_news("unreadable", path):
            log.error("unreadable", source=self._source, path=path, reason=reason)

    def is_damaged(self, path: str, fault: str) -> None:
        if self._is_news("damaged", path):
            log.error("archive_damaged", source=self._source, path=path, reason=fault)

    def finds_nothing(self, reason: str) -> None:
        if self._is_news("nothing", ""):
            log.warning("nothing", source=self._source, path="", reason=reason)

    def over(self, what: str, path: str = "") -> None:
        """A trouble is said once, and again only after it had been over."""
        self._said.discard((what, path))

    def _is_news(self, what: str, path: str) -> bool:
        is_news = (what, path) not in self._said
        self._said.add((what, path))
        return is_news
