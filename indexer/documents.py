"""Application documents: accounts, tenants, monitors, certificates; one index a kind, `<prefix>-app-<kind>`.

Reads by id are realtime (they see a write before any refresh); a replacement names the version it replaces,
so two writers never undo each other silently. Lists are searches after an explicit refresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from indexer import assets, indices, mappings
from indexer.client import Client, whole
from indexer.errors import GarbledError, MissingError, NotPreparedError, PartitionError, RefusedError

# What one search may return; a kind that may have more is asked for with `every`.
LIST_LIMIT: Final = 10_000
_ALL: Final[Mapping[str, Any]] = {"match_all": {}}


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as read or written: `seq_no` and `primary_term` are its version."""

    id: str
    source: Mapping[str, Any]
    seq_no: int
    primary_term: int


class Documents:
    """All documents of one kind. The kind has a template in `index_templates/` (`SettingsError` when not)."""

    def __init__(self, client: Client, prefix: str, kind: str) -> None:
        self.index: Final = f"{prefix}-app-{kind}"
        self._client = client
        self._template = assets.document_template(kind, prefix)
        self._seen = False

    def prepare(self) -> bool:
        """Create the index, or give an existing one the fields it lacks; True when something was changed.

        `PartitionError` when a field is mapped otherwise: that needs a new index, and a person.
        """
        wanted = self._template.mappings
        if indices.create(
            self._client, self.index, settings=self._template.settings, mappings=wanted, aliases={}
        ):
            return True
        difference = mappings.compare(indices.look(self._client, self.index)[0].mappings, wanted)
        if difference.otherwise:
            raise PartitionError(
                f"index {self.index} is mapped otherwise: {'; '.join(difference.otherwise)}; "
                "reindex it under this mapping by hand"
            )
        if difference.missing:
            indices.add_fields(self._client, self.index, wanted)
        return bool(difference.missing)

    def get(self, document_id: str) -> Stored | None:
        """Read a document as it is now; None when there is none, `GarbledError` when the answer is none."""
        try:
            found = self._client.request("GET", self._path("_doc", document_id)).json
        except MissingError as error:
            if error.kind == "index_not_found_exception":
                raise self._not_prepared() from error
            return None
        match found:
            case {"_source": dict() as source, "_seq_no": int() as seq_no, "_primary_term": int() as term}:
                return Stored(document_id, source, seq_no, term)
        raise GarbledError(
            f"document {document_id} of {self.index} was answered with {str(found)[:80]}, which is none; "
            "is a proxy in the way?"
        )

    def create(self, document_id: str, source: Mapping[str, Any]) -> Stored:
        """Write a new document; `ConflictError` when its id is taken."""
        self._require_index()
        answer = self._client.request("PUT", self._path("_create", document_id), body=source)
        return _written(answer.json, source)

    def replace(self, stored: Stored, source: Mapping[str, Any]) -> Stored:
        """Replace exactly the version that was read; `ConflictError` when somebody else was first."""
        self._require_index()
        answer = self._client.request(
            "PUT", self._path("_doc", stored.id), params=_version(stored), body=source
        )
        return _written(answer.json, source)

    def delete(self, stored: Stored) -> None:
        """Delete exactly the version that was read; `ConflictError` when somebody else was first."""
        self._require_index()
        self._client.request("DELETE", self._path("_doc", stored.id), params=_version(stored))

    def find(
        self,
        query: Mapping[str, Any] | None = None,
        *,
        sort: Sequence[Mapping[str, Any]] = (),
        limit: int = LIST_LIMIT,
        fresh: bool = True,
    ) -> list[Stored]:
        """Return the documents of a query (all by default) in the given order.

        With the newest writes included; `fresh=False` saves the request for that, where writers `refresh`.
        At most `limit`, up to `LIST_LIMIT`; `RefusedError` when without a limit there are more than that.
        """
        found, total = self._search(query, sort, limit, fresh=fresh)
        if total > limit == LIST_LIMIT:
            raise RefusedError(f"index {self.index} holds more than {LIST_LIMIT} documents: narrow the query")
        return found

    def every(self, query: Mapping[str, Any] | None = None, *, batch: int = LIST_LIMIT) -> list[Stored]:
        """Return all documents of a query, however many, in no order; with the newest writes included.

        `batch`: how many one request asks for.
        """
        found: dict[str, Stored] = {}
        last = -1
        while True:
            # By the number of the last write, which is a document's own, as the index has one shard: what is
            # replaced meanwhile comes again as it then is, and nothing is left out.
            clauses = [query or _ALL, {"range": {"_seq_no": {"gt": last}}}]
            ordered = [{"_seq_no": "asc"}]
            page, _ = self._search({"bool": {"filter": clauses}}, ordered, batch, fresh=not found)
            found |= {stored.id: stored for stored in page}
            if len(page) < batch:
                return list(found.values())
            last = page[-1].seq_no

    def count(self, query: Mapping[str, Any]) -> int:
        """Count the documents of a query, the newest writes included."""
        try:
            self.refresh()
            found = self._client.request("POST", f"/{self.index}/_count", body={"query": query}).json
        except MissingError as error:
            raise self._not_prepared() from error
        return int(whole(found, f"index {self.index}")["count"])

    def refresh(self) -> None:
        """Let lists show what was written."""
        whole(self._client.request("POST", f"/{self.index}/_refresh").json, f"index {self.index}")

    def _search(
        self, query: Mapping[str, Any] | None, sort: Sequence[Mapping[str, Any]], size: int, *, fresh: bool
    ) -> tuple[list[Stored], int]:
        """Give up to `size` documents, and how many there are."""
        body: dict[str, Any] = {
            "query": query or _ALL,
            "size": size,
            "sort": list(sort) or ["_doc"],
            "seq_no_primary_term": True,
            "track_total_hits": True,
        }
        try:
            if fresh:
                self.refresh()
            answer = self._client.request("POST", f"/{self.index}/_search", body=body).json
        except MissingError as error:
            raise self._not_prepared() from error
        found = whole(answer, f"index {self.index}")["hits"]
        hits = found["hits"]
        documents = [Stored(hit["_id"], hit["_source"], hit["_seq_no"], hit["_primary_term"]) for hit in hits]
        return documents, int(found["total"]["value"])

    def _path(self, endpoint: str, document_id: str) -> str:
        return f"/{self.index}/{endpoint}/{quote(document_id, safe='')}"

    def _require_index(self) -> None:
        """Look for the index before the first write, because writing would create it, with any mapping."""
        if self._seen:
            return
        try:
            self._client.request("HEAD", f"/{self.index}")
        except MissingError as error:
            raise self._not_prepared() from error
        self._seen = True

    def _not_prepared(self) -> NotPreparedError:
        return NotPreparedError(f"there is no index {self.index}; run `audit-indexer apply`")


def _version(stored: Stored) -> dict[str, int]:
    return {"if_seq_no": stored.seq_no, "if_primary_term": stored.primary_term}


def _written(answer: Mapping[str, Any], source: Mapping[str, Any]) -> Stored:
    return Stored(answer["_id"], source, answer["_seq_no"], answer["_primary_term"])
