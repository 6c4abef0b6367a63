"""What is signed: a review, or a note to one that was signed, as bytes that are the same for everybody. Pure.

A record is canonical JSON: keys sorted at every depth, no white space, UTF-8. Its SHA-256 stands beside it in
an index that takes neither edits nor deletions, and in the trail. Each record after the first names the hash
of the one before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from indexer.query import iso
from webui.reviews.plan import scope_document
from webui.reviews.review import Review

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs, when, and how they showed that it is them. `own_count`: their own reviewed events."""

    by: str
    role: str
    at: datetime
    confirmed_by: str
    own_count: int = 0
    why: str = ""

    def document(self) -> dict[str, Any]:
        """Give it as it is signed."""
        return {
            "by": self.by,
            "role": self.role,
            "at": iso(self.at),
            "confirmed_by": self.confirmed_by,
            "own_events_count": self.own_count,
            "why_reviewer_is_among_the_reviewed": self.why,
        }


@dataclass(frozen=True, slots=True)
class Record:
    """Something signed: number 0 is the review, those after it are notes. `text` is what the hash is of."""

    review: str
    tenant: str
    number: int
    text: str
    sha256: str

    @property
    def id(self) -> str:
        """Its id in the store: a second record of that number cannot be."""
        return record_id(self.review, self.number)

    @property
    def holds(self) -> bool:
        """Whether the text still has the hash that stands beside it."""
        return hashlib.sha256(self.text.encode()).hexdigest() == self.sha256

    @property
    def said(self) -> Mapping[str, Any]:
        """What was signed."""
        found: Mapping[str, Any] = orjson.loads(self.text)
        return found

    def document(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {
            "review": self.review,
            "tenant": self.tenant,
            "number": self.number,
            "text": self.text,
            "sha256": self.sha256,
        }


def from_document(source: Mapping[str, Any]) -> Record:
    """Read a record back."""
    return Record(source["review"], source["tenant"], source["number"], source["text"], source["sha256"])


def record_id(review_id: str, number: int) -> str:
    """Give the id of a record."""
    return f"{review_id}.{number}"


def signed_review(review: Review, signature: Signature) -> Record:
    """Give the record of a review as it stands."""
    return _record(
        review,
        0,
        {
            "record": "review",
            "title": review.title,
            "plan": review.plan,
            "period": {"from": iso(review.start), "to": iso(review.end), "week": review.week},
            "zone": review.zone.key,
            "hours": review.hours,
            "scope": scope_document(review.scope),
            "reviewers": [{"account": each.account, "names": list(each.names)} for each in review.reviewers],
            "opened": {"at": iso(review.opened), "by": review.opened_by},
            "due": iso(review.due),
            "counted_at": iso(review.counted),
            "items": [item.document() for item in review.items],
            "findings": [finding.document() for finding in review.findings],
            "revision": review.revision,
            "signed": signature.document(),
        },
    )


def signed_note(review: Review, before: Record, note: str, signature: Signature) -> Record:
    """Give the record of a note that follows another record."""
    said = {"record": "note", "note": note, "follows": before.sha256, "signed": signature.document()}
    return _record(review, before.number + 1, said)


def chain_holds(records: tuple[Record, ...]) -> bool:
    """Whether every record has its hash and names the one before it, none missing."""
    for number, record in enumerate(records):
        if record.number != number or not record.holds:
            return False
        if number and record.said.get("follows") != records[number - 1].sha256:
            return False
    return True


def _record(review: Review, number: int, said: Mapping[str, Any]) -> Record:
    whole = {
        "product": "SmartWMS Audit",
        "version": VERSION,
        "review": review.id,
        "tenant": {"id": review.tenant, "name": review.tenant_name},
        "number": number,
        **said,
    }
    data = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)
    return Record(review.id, review.tenant, number, data.decode(), hashlib.sha256(data).hexdigest())
