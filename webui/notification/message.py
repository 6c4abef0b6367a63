"""What a feature tells somebody outside: an alert, a report that is ready, a review that is overdue. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from indexer.query import iso

TEST_TYPE: Final = "test"
"""A test of a channel: one attempt, also while the channel is off, and nothing follows when it fails."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")
_TYPE: Final = re.compile(rf"[a-z]+\.[a-z_]+|{TEST_TYPE}")
_FILE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A finished export: `stored_name` in AUDIT_WEBUI_EXPORT_DIR, and what its reader calls it."""

    stored_name: str
    file_name: str
    media_type: str
    sha256: str

    def __post_init__(self) -> None:
        for name in (self.stored_name, self.file_name):
            # A name, never a path: what is attached lies in that one folder.
            if not _FILE.fullmatch(name):
                raise ValueError(f"an attachment is called {name!r}; use letters, digits, '.', '_' and '-'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to tell, once a channel: the same `id` is never told twice through the same channel.

    `type` is `alert.opened`, `alert.reopened`, `monitor.failed`, `agent.silent`, `channel.switched_off`,
    `report.ready`, `review.overdue`, ...; `timestamp` is aware: when it happened; `link` is a path of the UI,
    such as `/alerts/4711`; `data` is what programs read: JSON, in the words of the API.
    """

    id: str
    type: str
    tenant: str
    timestamp: datetime
    title: str
    text: str
    link: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"a message's id is {self.id!r}; use up to 200 letters, digits and . _ : -")
        if not _TYPE.fullmatch(self.type):
            raise ValueError(f"a message's type is {self.type!r}, not one such as 'alert.opened'")
        if self.link and not re.fullmatch(r"/(?!/)[^\s\\]*", self.link):
            raise ValueError(f"a message's link is {self.link!r}, not a path of this UI")

    def document(self) -> dict[str, Any]:
        """Give it as it is stored, inside its delivery."""
        return {
            "id": self.id,
            "type": self.type,
            "tenant": self.tenant,
            "timestamp": iso(self.timestamp),
            "title": self.title,
            "text": self.text,
            "link": self.link,
            "data": dict(self.data),
            "attachments": [
                {
                    "stored_name": each.stored_name,
                    "file_name": each.file_name,
                    "media_type": each.media_type,
                    "sha256": each.sha256,
                }
                for each in self.attachments
            ],
        }


def from_document(source: Mapping[str, Any]) -> Message:
    """Read a message back."""
    return Message(
        id=source["id"],
        type=source["type"],
        tenant=source["tenant"],
        timestamp=datetime.fromisoformat(source["timestamp"]),
        title=source["title"],
        text=source["text"],
        link=source["link"],
        data=source["data"],
        attachments=tuple(Attachment(**each) for each in source["attachments"]),
    )
