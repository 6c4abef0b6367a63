"""What checks found, kept as application documents for `/admin/integrity`: the newest ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from indexer.client import Client
from indexer.documents import Documents
from indexer.seals.report import Report

KIND: Final = "verifications"
KEPT_COUNT: Final = 50


def write(client: Client, prefix: str, report: Report) -> None:
    """Keep a report, and forget the oldest of too many."""
    documents = Documents(client, prefix, KIND)
    source = report.to_source()
    documents.create(source["started"], {
        "started": source["started"],
        "sound": report.is_sound,
        "tenant": report.extent.tenant,
        "report": source,
    })  # fmt: skip
    for old in documents.find(sort=[{"started": "desc"}])[KEPT_COUNT:]:
        documents.delete(old)


def newest(client: Client, prefix: str, count: int) -> list[Mapping[str, Any]]:
    """Return the newest reports, newest first, as `Report.to_source` wrote them."""
    found = Documents(client, prefix, KIND).find(sort=[{"started": "desc"}], limit=count)
    return [each.source["report"] for each in found]
