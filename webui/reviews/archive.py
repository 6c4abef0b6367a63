"""The reviews in the store, and the records of what was signed, which nobody can edit there.

A review is an application document like others until it is signed. Its record is created in an index with
`index.append_only.enabled`: from then on the record is what the review is, whatever stands in the document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from indexer.documents import Documents, Stored
from indexer.errors import ConflictError
from indexer.query import iso
from webui.reviews import record as records
from webui.reviews.record import Record, record_id
from webui.reviews.review import Review, from_document

KIND: Final = "reviews"
RECORDS_KIND: Final = "reviewrecords"
LISTED_COUNT: Final = 500
_ATTEMPTS_COUNT: Final = 5
_OPEN: Final[Mapping[str, Any]] = {"bool": {"must_not": [{"exists": {"field": "signed"}}]}}


class SignedError(ValueError):
    """The review is signed: it is not changed any more."""


@dataclass(frozen=True, slots=True)
class Held:
    """A review in the version that was read."""

    review: Review
    stored: Stored


class Archive:
    """All reviews of an installation. Raises the errors of `indexer.errors`."""

    def __init__(self, reviews: Documents, signed: Documents) -> None:
        """`reviews` of KIND, `signed` of RECORDS_KIND."""
        self._reviews = reviews
        self._signed = signed

    def prepare(self) -> None:
        """Make the indices if they are not there."""
        self._reviews.prepare()
        self._signed.prepare()

    def add(self, review: Review) -> bool:
        """Store a new review; False when it is there already."""
        try:
            self._reviews.create(review.id, review.document())
        except ConflictError:
            return False
        return True

    def get(self, review_id: str) -> Held | None:
        """Give a review as it is now."""
        stored = self._reviews.get(review_id)
        return None if stored is None else Held(from_document(stored.id, stored.source), stored)

    def of(self, tenant: str | None) -> list[Review]:
        """Give a tenant's reviews, the newest period first; None: of all tenants."""
        query = None if tenant is None else {"term": {"tenant": tenant}}
        newest = [{"end": "desc"}, {"opened": "desc"}]
        found = self._reviews.find(query, sort=newest, limit=LISTED_COUNT)
        return [from_document(stored.id, stored.source) for stored in found]

    def overdue(self, tenant: str | None, now: datetime) -> list[Review]:
        """Give the reviews that should have been signed by now; None: of all tenants."""
        due: list[Mapping[str, Any]] = [_OPEN, {"range": {"due": {"lte": iso(now)}}}]
        if tenant is not None:
            due.append({"term": {"tenant": tenant}})
        found = self._reviews.find({"bool": {"filter": due}}, sort=[{"due": "asc"}], limit=LISTED_COUNT)
        return [from_document(stored.id, stored.source) for stored in found]

    def change(self, review_id: str, now: datetime, change: Callable[[Review], Review]) -> Review:
        """Read, change, write; again when somebody else wrote in between. SignedError."""
        for attempt in range(_ATTEMPTS_COUNT):
            held = self.get(review_id)
            if held is None:
                raise ConflictError(f"the review {review_id} is gone")
            if self.record(review_id) is not None:
                raise SignedError("This review is signed: it is not changed any more. Add a note to it.")
            _check_free(held.review, now)
            changed = replace(change(held.review), revision=held.review.revision + 1, signing=None)
            try:
                self._reviews.replace(held.stored, changed.document())
            except ConflictError:
                if attempt + 1 == _ATTEMPTS_COUNT:
                    raise
            else:
                return changed
        raise AssertionError("unreachable")

    def record(self, review_id: str, number: int = 0) -> Record | None:
        """Give what was signed; None: nothing was."""
        stored = self._signed.get(record_id(review_id, number))
        return None if stored is None else records.from_document(stored.source)

    def records(self, review_id: str) -> tuple[Record, ...]:
        """Give all that was signed of a review, in the order it was."""
        found: list[Record] = []
        while record := self.record(review_id, len(found)):
            found.append(record)
        return tuple(found)

    def hold(self, held: Held, now: datetime) -> None:
        """Keep others from changing exactly the version that was read, while it is signed.

        SignedError: somebody else signs it; ConflictError: it was changed since. A change that was accepted
        before is in that version, and one that comes later is refused: none is lost beside the signature.
        """
        _check_free(held.review, now)
        self._reviews.replace(held.stored, replace(held.review, signing=now).document())

    def release(self, review_id: str) -> None:
        """Let a review be changed again that was not signed after all."""
        self._mark(review_id, lambda review: replace(review, signing=None))

    def sign(self, record: Record) -> None:
        """Keep a record for good; SignedError when there is one of its number."""
        try:
            self._signed.create(record.id, record.document())
        except ConflictError as error:
            raise SignedError("Somebody else signed at the same moment. Look again.") from error

    def mark(self, review_id: str, at: datetime, by: str) -> None:
        """Let lists show that a review is signed; who dies before leaves that to the next look."""
        self._mark(review_id, lambda review: replace(review, signed=at, signed_by=by, signing=None))

    def told(self, review_id: str) -> None:
        """Remember that somebody was told that a review is overdue."""
        self._mark(review_id, lambda review: replace(review, told_overdue=True))

    def _mark(self, review_id: str, change: Callable[[Review], Review]) -> None:
        for attempt in range(_ATTEMPTS_COUNT):
            held = self.get(review_id)
            if held is None:
                return
            try:
                self._reviews.replace(held.stored, change(held.review).document())
                return
            except ConflictError:
                if attempt + 1 == _ATTEMPTS_COUNT:
                    raise


def _check_free(review: Review, now: datetime) -> None:
    if review.is_being_signed(now):
        raise SignedError("Somebody signs this review at this moment. Look again in a few minutes.")
