"""Keys of programs: a tenant and a role, shown once, kept as a hash, with an end.

A key has 256 random bits, so its SHA-256 needs neither salt nor slowness.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from indexer.documents import Documents
from indexer.query import iso
from webui.access import Identity, Role

MAX_DAYS: Final = 365
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(rf"swa_([0-9a-f]{{{2 * _ID_BYTES}}})_([A-Za-z0-9_-]{{43}})")
_NAME: Final = re.compile(r"[\w][\w .@+-]{0,62}[\w]|[\w]")


class KeyRefusedError(ValueError):
    """A key cannot be made or revoked so; the message names the argument, its value and the way out."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; not the key itself."""

    id: str
    name: str
    role: Role
    tenant_id: str
    created: datetime
    expires: datetime
    revoked: datetime | None

    @property
    def identity(self) -> Identity:
        """Who asks with it."""
        return Identity(f"key:{self.id}", f"key {self.name}", self.role, self.tenant_id)

    def holds(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked is None and now < self.expires


class Keys:
    """All keys of an installation."""

    def __init__(self, documents: Documents, now: Callable[[], datetime]) -> None:
        """`documents` of the kind "apikeys"; `now`: an aware time."""
        self._documents = documents
        self._now = now

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._documents.prepare()

    def add(self, name: str, role: Role, tenant_id: str, days: int) -> tuple[Key, str]:
        """Make a key of an already checked tenant; also gives the text, which nobody can give again."""
        if not _NAME.fullmatch(name):
            raise KeyRefusedError(f"NAME is {name!r}; use 1 to 64 letters, digits, spaces and . _ @ + -")
        if not 1 <= days <= MAX_DAYS:
            raise KeyRefusedError(f"--days is {days}; a key holds for 1 to {MAX_DAYS} days")
        now = self._now()
        made = Key(
            secrets.token_hex(_ID_BYTES), name, role, tenant_id, now, now + timedelta(days=days), revoked=None
        )
        text = f"swa_{made.id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        self._documents.create(made.id, _document(made, _hash(text)))
        return made, text

    def all(self) -> list[Key]:
        """Give all keys, newest first."""
        found = self._documents.find(sort=[{"created": "desc"}])
        return [_key(stored.id, stored.source) for stored in found]

    def revoke(self, key_id: str) -> Key:
        """End a key at once and for good."""
        stored = self._documents.get(key_id)
        if stored is None:
            raise KeyRefusedError(f"ID is {key_id!r}; there is no such key; see `keys list`")
        self._documents.replace(stored, {**stored.source, "revoked": iso(self._now())})
        return _key(stored.id, stored.source)

    def open(self, text: str) -> Key | None:
        """Give the key of this text; None when there is none, or it is over."""
        shape = _KEY.fullmatch(text)
        stored = self._documents.get(shape[1]) if shape else None
        if stored is None or not hmac.compare_digest(stored.source["sha256"], _hash(text)):
            return None
        found = _key(stored.id, stored.source)
        return found if found.holds(self._now()) else None


def key_id(text: str) -> str:
    """Give the part of a key's text that is no secret; empty when it is no key."""
    shape = _KEY.fullmatch(text)
    return shape[1] if shape else ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _document(key: Key, digest: str) -> dict[str, Any]:
    return {
        "name": key.name,
        "role": key.role.word,
        "tenant": key.tenant_id,
        "sha256": digest,
        "created": iso(key.created),
        "expires": iso(key.expires),
        "revoked": None,
    }


def _key(key_id_: str, source: Mapping[str, Any]) -> Key:
    revoked = source["revoked"]
    return Key(
        id=key_id_,
        name=source["name"],
        role=Role.named(source["role"]),
        tenant_id=source["tenant"],
        created=datetime.fromisoformat(source["created"]),
        expires=datetime.fromisoformat(source["expires"]),
        revoked=datetime.fromisoformat(revoked) if revoked else None,
    )
