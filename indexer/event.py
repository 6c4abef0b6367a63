"""What an audit event is: the names of its fields, how they are indexed, and the closed vocabularies.

`index_templates/smartwms-audit.json` is the mapping made from `FIELDS`; a test keeps the two the same. Names
follow the Elastic Common Schema where it has one. A document holds the fields as nested objects: `event.id`
is `{"event": {"id": …}}`.
"""

import hashlib
import zlib
from binascii import b2a_base64
from enum import StrEnum
from typing import Any, Final

import orjson

NO_TENANT: Final = "-"
"""The tenant of an event whose record names none."""

KEYWORD_LIMIT: Final = 1024
"""Longest text, in characters, that a keyword field makes searchable; the document keeps the whole of it."""

VALUE_LIMIT_BYTES: Final = 8192
"""Longest value of a `flat_object` (before, after, labels); above 32,766 bytes a document is refused."""


class Kind(StrEnum):
    """How OpenSearch indexes a field."""

    NANOS = "date_nanos"
    DATE = "date"
    KEYWORD = "keyword"
    STORED = "keyword, not indexed"
    TEXT = "text"
    FLAT = "flat_object"
    IP = "ip"
    FLOAT = "float"
    LONG = "long"
    SHORT = "short"
    BYTE = "byte"


FIELDS: Final[dict[str, Kind]] = {
    "@timestamp": Kind.NANOS,
    "event.id": Kind.KEYWORD,
    "event.category": Kind.KEYWORD,
    "event.action": Kind.KEYWORD,
    "event.outcome": Kind.KEYWORD,
    "event.ingested": Kind.DATE,
    "event.duration_ms": Kind.FLOAT,
    "event.position": Kind.LONG,
    "event.provenance": Kind.KEYWORD,
    "event.flags": Kind.KEYWORD,
    "event.hash": Kind.STORED,
    "event.original": Kind.STORED,
    "tenant.id": Kind.KEYWORD,
    "tenant.class": Kind.KEYWORD,
    "user.id": Kind.KEYWORD,
    "user.name": Kind.KEYWORD,
    "user.email": Kind.KEYWORD,
    "source.ip": Kind.IP,
    "source.address": Kind.KEYWORD,
    "user_agent.original": Kind.KEYWORD,
    "entity.type": Kind.KEYWORD,
    "entity.id": Kind.KEYWORD,
    "entity.number": Kind.KEYWORD,
    "change.fields": Kind.KEYWORD,
    "change.before": Kind.FLAT,
    "change.after": Kind.FLAT,
    "http.request.method": Kind.KEYWORD,
    "http.response.status_code": Kind.SHORT,
    "url.path": Kind.KEYWORD,
    "url.query": Kind.KEYWORD,
    "url.route": Kind.KEYWORD,
    "error.type": Kind.KEYWORD,
    "error.message": Kind.TEXT,
    "error.stack_trace": Kind.STORED,
    "request.id": Kind.KEYWORD,
    "trace.id": Kind.KEYWORD,
    "local.hour": Kind.BYTE,
    "local.weekday": Kind.BYTE,
    "local.zone": Kind.KEYWORD,
    "service.name": Kind.KEYWORD,
    "host.name": Kind.KEYWORD,
    "agent.version": Kind.KEYWORD,
    "log.level": Kind.KEYWORD,
    "log.logger": Kind.KEYWORD,
    "log.source": Kind.KEYWORD,
    "log.file": Kind.KEYWORD,
    "log.format": Kind.KEYWORD,
    "message": Kind.TEXT,
    "labels": Kind.FLAT,
    "search": Kind.TEXT,
}
"""Every field of an event, with how it is indexed. `search` is filled by OpenSearch itself (`SEARCHED`)."""

COLUMNS_ONLY: Final = frozenset(
    {
        "event.id",
        "event.position",
        "event.ingested",
        "event.duration_ms",
        "local.hour",
        "local.weekday",
    }
)
"""Fields that are sorted by, aggregated and compared, but have no index of their own: it would cost disk."""

TERMS_ONLY: Final = frozenset({"request.id", "trace.id", "url.path", "url.query"})
"""Fields that are looked up, but neither sorted by nor aggregated."""

SEARCHED: Final = (
    "user.name",
    "user.email",
    "entity.number",
    "url.path",
    "error.message",
    "message",
    "log.file",
)
"""The fields that are copied to `search`, the target of a free-text search in all fields."""


class Category(StrEnum):
    """What kind of thing happened; the words of the product's documentation."""

    AUTHENTICATION = "authentication"
    USERS = "users"
    PRODUCTS = "products"
    ORDERS = "orders"
    INVENTORY = "inventory"
    CONFIGURATION = "configuration"
    API = "api"
    SYSTEM = "system"
    AUDIT = "audit"


ACTIONS: Final[dict[str, frozenset[str]]] = {
    category: frozenset(actions.split())
    for category, actions in {
        "authentication": "login login_failed logout token_refreshed token_refused password_changed "
        "session_revoked session_updated",
        "users": "created updated deleted role_changed role_created role_updated role_deleted "
        "permissions_changed",
        "products": "created updated deleted",
        "orders": "created updated status_changed deleted",
        "inventory": "adjusted transferred received counted moved updated created deleted",
        "configuration": "created updated deleted",
        "api": "read called refused failed exported",
        "system": "started stopped warned failed logged",
        "audit": "signed_in sign_in_failed signed_out searched viewed exported downloaded purged configured "
        "reviewed reported fell_silent stalled lost went_back",
    }.items()
}
"""The actions of each category; a test compares every event of the samples with them."""


class Outcome(StrEnum):
    """Whether what the event tells came to be."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


class Flag(StrEnum):
    """What a reader should know about an event before trusting it."""

    BOOKKEEPING = "bookkeeping"
    REDACTED = "redacted"
    TRUNCATED = "truncated"
    FORGED_SUSPECT = "forged_suspect"
    TIME_SUSPECT = "time_suspect"
    UNPARSED = "unparsed"
    INCOMPLETE_REQUEST = "incomplete_request"


class Provenance(StrEnum):
    """What kind of log an event came from, and so how far it can be trusted."""

    STRUCTURED = "structured"
    TEXT = "text"
    PROXY = "proxy"
    TRAIL = "trail"


# -- identity

IDENTITY_BYTES: Final = 5
"""Length of a file's identity; with the source's four bytes it fills twelve base64 characters exactly."""

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def id_prefix(host: str, source: str, file_identity: bytes) -> str:
    """The first 12 characters of the id of every event of one file.

    `host` and `source` are the settings of that name; `file_identity` is `IDENTITY_BYTES` long.
    """
    owner = hashlib.sha256(f"{host}\n{source}".encode()).digest()[:4]
    return b2a_base64(owner + file_identity, newline=False).translate(_URL_SAFE).decode()


def id_suffix(position: int, record: bytes) -> str:
    """The last 12 characters: byte position of the record in its file, and CRC-32 of its raw first line.

    Without the carriage return of the line's end: it is there only where other lines of the record follow.
    """
    end = record.find(b"\n")
    line = (record if end < 0 else record[:end]).removesuffix(b"\r")
    number = position << 24 | zlib.crc32(line) & 0xFFFFFF
    return b2a_base64(number.to_bytes(9, "big"), newline=False).translate(_URL_SAFE).decode()


# -- canonical form

UNHASHED: Final = ("event.ingested", "event.hash", "agent.version")
"""The fields that the hash of an event does not cover: they tell of its handling, not of what happened."""


def canonical(document: dict[str, Any]) -> bytes:
    """The bytes that `event.hash` is the SHA-256 of: JSON, keys sorted at every depth, without `UNHASHED`."""
    event = {key: value for key, value in document["event"].items() if key not in {"ingested", "hash"}}
    rest = {key: value for key, value in document.items() if key not in {"agent", "event"}}
    return orjson.dumps({**rest, "event": event}, option=orjson.OPT_SORT_KEYS)


def event_hash(document: dict[str, Any]) -> str:
    """SHA-256 of the canonical form, as 64 hex digits."""
    return hashlib.sha256(canonical(document)).hexdigest()
