"""Ways out: where a tenant's messages go. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from indexer.query import iso

EVERY_TENANT: Final = "*"
"""Whose the operators' own channels are: they may be told of every tenant."""


class Kind(StrEnum):
    """How a channel tells."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class Off(StrEnum):
    """Why a channel is off. What comes while a person has it off is dropped; while it fails, it waits."""

    PERSON = "person"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of a tenant. Its secret is not here: it is derived from the installation's key."""

    id: str
    tenant: str
    name: str
    kind: Kind
    url: str = ""
    """Of a webhook."""
    recipients: tuple[str, ...] = ()
    """Of e-mail."""
    created: datetime
    off: Off | None = None
    off_since: datetime | None = None
    off_why: str = ""
    """In a sentence: who switched it off, or what failed."""
    failed_count: int = 0
    """How often it was switched off because it failed."""
    secret_number: int = 1
    """Counts up with each new secret."""
    secret_print: str = ""
    """Tells whether a secret is this one, and nothing else of it."""

    @property
    def on(self) -> bool:
        """Whether it is used."""
        return self.off is None

    @property
    def place(self) -> str:
        """Where it leads, without what opens it: a path may be as good as a password. For the trail."""
        return f"to {urlsplit(self.url).netloc}" if self.kind is Kind.WEBHOOK else f"to {self.target}"

    @property
    def target(self) -> str:
        """Where it leads, for people."""
        return self.url if self.kind is Kind.WEBHOOK else ", ".join(self.recipients)

    def document(self) -> dict[str, Any]:
        """Give the channel as it is stored."""
        return {
            "tenant": self.tenant,
            "name": self.name,
            "kind": self.kind.value,
            "url": self.url,
            "recipients": list(self.recipients),
            "created": iso(self.created),
            "off": self.off.value if self.off else None,
            "off_since": iso(self.off_since) if self.off_since else None,
            "off_why": self.off_why,
            "failed_count": self.failed_count,
            "secret_number": self.secret_number,
            "secret_print": self.secret_print,
        }


def from_document(channel_id: str, source: Mapping[str, Any]) -> Channel:
    """Read a channel back."""
    since = source["off_since"]
    return Channel(
        id=channel_id,
        tenant=source["tenant"],
        name=source["name"],
        kind=Kind(source["kind"]),
        url=source["url"],
        recipients=tuple(source["recipients"]),
        created=datetime.fromisoformat(source["created"]),
        off=Off(source["off"]) if source["off"] else None,
        off_since=datetime.fromisoformat(since) if since else None,
        off_why=source["off_why"],
        failed_count=source["failed_count"],
        secret_number=source["secret_number"],
        secret_print=source["secret_print"],
    )
