"""Event documents with realistic values, for tests of what reads them; in partitions as the indexer makes."""

import copy
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from indexer import event, partitions
from indexer.client import Client

TEST = "e9006ab8-257f-4021-b60a-cbba785bad46"
NORD = "1d0b6c1e-52a7-4c1b-9a53-6a1f0e8f2a02"
MORNING = datetime(2026, 11, 23, 6, 26, 46, 688466, tzinfo=UTC)

SOFIA = {
    "id": "01a1f0cb-58b3-7949-9675-89f2511d3c2d",
    "name": "sofia User",
    "email": "sofia.nunez@test001.example",
}
LI = {"id": "01a20703-29c4-768e-b1d6-186b7af552ac", "name": "li D'Arc", "email": "li.wei@test001.example"}
KEN = {
    "id": "d161824c-417a-4010-b979-f994d07bb617",
    "name": "Ken Åström",
    "email": "ken.tanaka@acme01.example",
}
MARTA = {
    "id": "ec75104b-b7f4-405e-9b7d-55c2382acbad",
    "name": "Marta Berg",
    "email": "marta.k@nord01.example",
}

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"

Document = dict[str, Any]


def document(number: int, fields: Mapping[str, Any] | None = None) -> Document:
    """A complete event: record `number` of its file, a minute after the one before it, with its own fields.

    `fields` are given by dotted names; None removes one.
    """
    moment = MORNING + timedelta(minutes=number)
    made: Document = {
        "@timestamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}5Z",
        "event": {
            "id": event.id_prefix("vm", "app", b"\x12\x34\x56\x78\x9a")
            + event.id_suffix(number * 1700, b"%d" % number),
            "category": "products",
            "action": "updated",
            "outcome": "success",
            "ingested": "2026-11-23T06:30:00.000Z",
            "position": number * 1700,
            "provenance": "structured",
            "original": f'{{"@t":"{moment.isoformat()}","@mt":"Audit {{AuditAction}} {{AuditEntity}}"}}',
        },
        "tenant": {"id": TEST, "class": "enterprise"},
        "user": dict(SOFIA),
        "source": {"ip": "203.0.113.16"},
        "user_agent": {"original": FIREFOX},
        "entity": {"type": "Product", "id": "e00c682b-4579-4ef1-aebe-fa8873bce6de", "number": "SKU-058981"},
        "request": {"id": f"0HNQ95ATOE{number:04d}:00000001"},
        "host": {"name": "vm"},
        "service": {"name": "smartwms"},
        "agent": {"version": "0.1.0"},
        "log": {
            "source": "app",
            "file": "smartwms-20261123.clef",
            "format": "clef",
            "logger": "SmartWMS.Audit",
        },
        "message": "sofia User changed product SKU-058981",
        "labels": {"MachineName": "vm", "EnvironmentName": "Production", "Module": "Inventory"},
    }
    for name, value in (fields or {}).items():
        _put(made, name, copy.deepcopy(value))
    made["event"]["hash"] = event.event_hash(made)
    return made


def sample(tenant_id: str = TEST, user: Mapping[str, str] = SOFIA) -> list[Document]:
    """A morning of one tenant: sign-ins, an order with its line, changes, a delete that never happened."""
    offset = 0 if tenant_id == TEST else 1000
    mine = {"tenant.id": tenant_id, "user": dict(user)}
    order = {"type": "SalesOrder", "id": "211bcda3-9c96-494f-8a80-38e6a8de09ba", "number": "SO-20261123-0121"}
    login = {
        "event.category": "authentication",
        "event.action": "login",
        "entity": None,
        "http.request.method": "POST",
    }
    rows: list[Mapping[str, Any]] = [
        {
            **login,
            "url.path": "/api/v1/auth/login",
            "http.response.status_code": 200,
            "message": f"{user['name']} signed in",
        },
        {
            **login,
            "event.action": "login_failed",
            "event.outcome": "failure",
            "user": None,
            "source.ip": "198.51.100.24",
            "url.path": "/api/v1/auth/login",
            "http.response.status_code": 401,
            "message": "A sign-in failed; the log does not say whose",
        },
        {
            "event.category": "users",
            "event.flags": ["bookkeeping", "redacted"],
            "event.action": "updated",
            "entity": {"type": "ApplicationUser", "id": user["id"], "number": user["email"]},
            "message": "bookkeeping",
        },
        {
            "event.category": "orders",
            "event.action": "created",
            "entity": order,
            "request.id": "0HNQ95ATOEJKV:00000001",
            "change.fields": ["OrderNumber", "Status", "TotalQuantity"],
            "message": f"{user['name']} created sales order SO-20261123-0121",
            "change.after": {
                "OrderNumber": "SO-20261123-0121",
                "Status": "Draft",
                "TotalQuantity": 52,
                "Notes": None,
                "ShipToCity": "Göteborg",
            },
        },
        {
            "event.category": "orders",
            "event.action": "created",
            "request.id": "0HNQ95ATOEJKV:00000001",
            "entity": {
                "type": "SalesOrderLine",
                "id": "c93623d8-10c0-488f-bc00-4cc09c844b4d",
                "number": "SKU-022617",
            },
            "change.after": {"LineNumber": 1, "QuantityOrdered": 31, "Sku": "SKU-022617"},
            "message": f"{user['name']} created sales order line SKU-022617",
        },
        {
            "event.category": "orders",
            "event.action": "status_changed",
            "entity": order,
            "change.fields": ["Status"],
            "change.before": {"Status": "Draft", "UpdatedAt": None},
            "change.after": {"Status": "Confirmed", "UpdatedAt": "2026-11-23T06:31:46.7148Z"},
            "message": (
                f"{user['name']} changed the status of sales order SO-20261123-0121 from Draft to Confirmed"
            ),
        },
        {
            "change.fields": ["Name", "ReorderPoint"],
            "change.before": {"Name": "=SUM(A1:A2) mug", "ReorderPoint": None},
            "change.after": {"Name": "货架 A", "ReorderPoint": 86},
            "message": f"{user['name']} changed product SKU-058981: Name, ReorderPoint",
        },
        {
            "event.action": "deleted",
            "event.outcome": "failure",
            "entity.number": "SKU-505856",
            "message": f"{user['name']} deleted product SKU-505856, but it failed: nothing was changed",
            "change.before": {"Name": "Проверка", "MinStockLevel": 26.0, "IsActive": True},
        },
        {
            "event.category": "inventory",
            "event.action": "adjusted",
            "message": f"{user['name']} created stock adjustment ADJ-20261123-0008",
            "entity": {
                "type": "StockAdjustment",
                "id": "c7b1e64d-bbb3-4dbb-9f24-a750d342b17e",
                "number": "ADJ-20261123-0008",
            },
            "change.after": {"TotalQuantityChange": -8, "Status": "Draft"},
        },
        {
            "event.category": "api",
            "event.action": "read",
            "entity": None,
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "source.ip": None,
            "user": None,
            "message": "An unknown user read products/13390e88-b61a-4abc-b21a-4243a1b98bc6",
            "url.path": f"/api/v1/tenant/{tenant_id}/products/13390e88-b61a-4abc-b21a-4243a1b98bc6",
        },
    ]
    return [document(offset + number, {**mine, **row}) for number, row in enumerate(rows)]


def load(client: Client, prefix: str, documents: Iterable[Document]) -> None:
    """Write events into their partitions (made as the indexer makes them) and make them searchable."""
    lines: list[bytes] = []
    names: set[str] = set()
    for each in documents:
        name = partitions.partition_name(prefix, each["tenant"]["class"], each["@timestamp"], partitions.DAY)
        if name not in names:
            partitions.ensure(client, name)
            names.add(name)
        lines += [orjson.dumps({"create": {"_index": name, "_id": each["event"]["id"]}}), orjson.dumps(each)]
    answer = orjson.loads(client.bulk(b"\n".join(lines) + b"\n").body)
    failed = [item["create"]["error"] for item in answer["items"] if "error" in item["create"]]
    assert not failed, failed[:3]
    client.request("POST", f"/{partitions.alias(prefix)}/_refresh")


def _put(made: Document, name: str, value: object) -> None:
    *folders, last = name.split(".")
    place = made
    for folder in folders:
        place = place.setdefault(folder, {})
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
