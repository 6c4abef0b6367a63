"""Records fed to a normaliser by hand, and the events that come of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from agent.formats import format_named
from agent.normalise.normaliser import Document, Normaliser
from agent.normalise.source import FileInfo, SourceFacts
from indexer.classes import DEFAULTS
from indexer.plans import PlanEntry, Tenant
from indexer.tenants import Tenants

CORPUS = Path(__file__).parents[2] / "corpus"
DAYS = {
    "default/smartwms-20261118": 1345,
    "default/smartwms-20261119": 782,
    "enriched/smartwms-20261123": 3427,
}
NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
KEY = b"k" * 32
TENANT = "e9006ab8-257f-4021-b60a-cbba785bad46"
OTHER_TENANT = "1d0b6c1e-52a7-4c1b-9a53-6a1f0e8f2a02"
FILE = FileInfo("smartwms-20261123.clef", b"12345")
NEXT_FILE = FileInfo("smartwms-20261124.clef", b"67890")

Event = dict[str, Any]


def tenants(*known: Tenant, loaded_at: datetime = NOW) -> Tenants:
    return Tenants({tenant.id: tenant for tenant in known}, DEFAULTS, loaded_at)


def tenant(tenant_id: str = TENANT, zone: str = "UTC", plans: Iterable[tuple[str, datetime]] = ()) -> Tenant:
    entries = tuple(PlanEntry(plan, start) for plan, start in plans)
    return Tenant(tenant_id, "Test", zone, "07:00-18:00", entries, 1)


@dataclass
class Clock:
    """Both clocks of a normaliser, set by the test."""

    now: datetime = NOW
    secs: float = 1000.0


@dataclass
class Feeding:
    """One source: its normaliser, the position in its file, and everything that came out."""

    format_name: str = "clef"
    changes_logged: bool = True
    own_tenant: str = ""
    key: bytes = KEY
    extra_names: tuple[str, ...] = ()
    prefix: str = "smartwms"
    host: str = "app-1"
    ahead_days: int = 2
    known: Tenants = field(default_factory=tenants)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        found = format_named(self.format_name)
        facts = SourceFacts(
            name="app",
            host=self.host,
            service="smartwms",
            format_name=found.name,
            provenance=found.provenance,
            parse=found.parse,
            changes_logged=self.changes_logged,
            tenant=self.own_tenant,
            ahead_days=self.ahead_days,
        )
        self.normaliser = Normaliser(
            facts,
            tenants=self.known,
            redaction_key=self.key,
            extra_names=self.extra_names,
            prefix=self.prefix,
            clock=lambda: self.clock.now,
            elapsed=lambda: self.clock.secs,
        )
        self.positions: dict[str, int] = {}

    def feed(
        self, *records: Mapping[str, Any] | bytes, file: FileInfo = FILE, token: object = 1
    ) -> list[Event]:
        return events(self.documents(*records, file=file, token=token))

    def documents(
        self, *records: Mapping[str, Any] | bytes, file: FileInfo = FILE, token: object = 1
    ) -> list[Document]:
        placed = []
        position = self.positions.get(file.path, 0)
        for record in records:
            raw = record if isinstance(record, bytes) else orjson.dumps(record)
            placed.append((position, raw))
            position += len(raw) + 1
        self.positions[file.path] = position
        return self.normaliser.feed(file, placed, {}, token)

    def one(self, record: Mapping[str, Any] | bytes) -> Event:
        """The event of a single record, whether or not its request has ended."""
        (event,) = (*self.feed(record), *events(self.normaliser.flush()))
        return event


def events(documents: Iterable[Document]) -> list[Event]:
    return [orjson.loads(body) for _, _, body, *_ in documents]


def sample_documents(
    path: str,
    format_name: str,
    *,
    step: int = 160,
    **options: Any,  # noqa: ANN401 - fields of Feeding
) -> list[Document]:
    """Every document of a sample file, read in steps of so many records."""
    feeding = Feeding(format_name, **options)
    framer = format_named(format_name).framer()
    data = (CORPUS / path).read_bytes()
    records = framer.split(data, 0) + framer.flush()
    found: list[Document] = []
    for first in range(0, len(records), step):
        found += feeding.normaliser.feed(FILE, records[first : first + step], framer.flags, 1)
    return found + feeding.normaliser.flush()


def by_position(documents: Iterable[Document]) -> list[Event]:
    return sorted(events(documents), key=lambda event: int(event["event"]["position"]))


def request(
    path: str = f"/api/v1/tenant/{TENANT}/products", method: str = "GET", status: int = 200, **more: object
) -> dict[str, Any]:
    """A request line as the enriched SmartWMS writes it."""
    return {
        "@t": "2026-11-23T06:26:40.0535795Z",
        "@mt": "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms",
        "RequestMethod": method,
        "RequestPath": path,
        "StatusCode": status,
        "Elapsed": 12.5,
        "SourceContext": "Serilog.AspNetCore.RequestLoggingMiddleware",
        "RequestId": "0HNQ95ATOEJFE:00000001",
        "ConnectionId": "0HNQ95ATOEJFE",
        **more,
    }


def change(kind: str = "Product", action: str = "Update", **more: object) -> dict[str, Any]:
    """A data-change line as the AuditInterceptor writes it."""
    number = more.get("EntityNumber", "SKU-1")
    return {
        "@t": "2026-11-23T06:26:40.0000000Z",
        "@mt": "Audit {AuditAction} {AuditEntity} {AuditKey}",
        "AuditAction": action,
        "AuditEntity": kind,
        "AuditKey": number,
        "ChangedFields": "Name" if action == "Update" else None,
        "OldValues": None if action == "Create" else {"Name": "old"},
        "NewValues": None if action == "Delete" else {"Name": "new"},
        "UserId": "01a206ff-6fb3-7d8a-bd44-b3bd161d4372",
        "UserName": "Admin Berg",
        "UserEmail": "admin@smartwms.one",
        "TenantId": TENANT,
        "Module": "Inventory",
        "Action": action,
        "EntityNumber": number,
        "EntityId": "01a20703-29c4-768e-b1d6-186b7af552ac",
        "EntityType": kind,
        "EventType": "DataChange",
        "SourceContext": "SmartWMS.Audit",
        "RequestId": "0HNQ95ATOEJFE:00000001",
        **more,
    }


def log(template: str = "Something happened", **more: object) -> dict[str, Any]:
    return {"@t": "2026-11-23T06:26:39.0000000Z", "@mt": template, "SourceContext": "SmartWMS.X", **more}


def what(event: Event) -> tuple[str, str, str]:
    said = event["event"]
    return said["category"], said["action"], said["outcome"]


def flags(event: Event) -> set[str]:
    return set(event["event"].get("flags", ()))
