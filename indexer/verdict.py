"""What the store's answer means for each event that was sent. Pure: a decision, never an action.

The statuses are those of architecture.md, section 3, and of the table in store.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Final

import orjson


@unique
class Kind(Enum):
    """What to do with an event."""

    STORED = "stored"  # 201: it is there, fsynced
    DUPLICATE = "duplicate"  # 409: it was there already
    RETRY = "retry"  # the store could not now; send the same again
    HOLD = "hold"  # a person must act first (role, password, closed index); keep it, alarm, try now and then
    MISSING = "missing"  # its partition is not there: `partitions.ensure`, then send the same again
    REJECTED = "rejected"  # the event itself cannot be stored: dead letter


@dataclass(frozen=True, slots=True)
class Verdict:
    """A kind and, unless the event is stored, the store's reason in a sentence."""

    kind: Kind
    cause: str = ""
    retry_after_secs: float | None = None

    @property
    def final(self) -> bool:
        """Whether the event needs no further sending."""
        return self.kind in _FINAL


_FINAL: Final = frozenset({Kind.STORED, Kind.DUPLICATE, Kind.REJECTED})
STORED: Final = Verdict(Kind.STORED)
DUPLICATE: Final = Verdict(Kind.DUPLICATE)

# 400 that say something about the index or the cluster, not about the event: an event must not be a dead
# letter because an operator closed a partition, or because a proxy turned `create` into `index`.
_NOT_THE_EVENTS_FAULT: Final = frozenset(
    {
        "index_closed_exception",
        "validation_exception",
        "invalid_index_name_exception",
        "invalid_alias_name_exception",
    }
)
_CAUSE_CHARS: Final = 500

_CREATED, _CONFLICT, _NOT_FOUND, _TOO_MANY, _BAD_REQUEST = 201, 409, 404, 429, 400
_UNAUTHORIZED, _FORBIDDEN = 401, 403


def judge(status: int, error: Mapping[str, Any] | None) -> Verdict:
    """Judge one item by its status and its `error` object (None: it has none)."""
    if status == _CREATED:
        return STORED
    kind = str(error.get("type", "")) if error else ""
    if status == _CONFLICT and kind == "version_conflict_engine_exception":
        return DUPLICATE
    cause = cause_of(status, error)
    if status == _NOT_FOUND and kind in {"index_not_found_exception", ""}:
        return Verdict(Kind.MISSING, cause)
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        return Verdict(Kind.RETRY if kind == "cluster_block_exception" else Kind.HOLD, cause)
    if status == _BAD_REQUEST:
        return Verdict(Kind.HOLD if kind in _NOT_THE_EVENTS_FAULT else Kind.REJECTED, cause)
    # 429, 5xx, and whatever no OpenSearch answers to a create: the same again later harms nobody.
    return Verdict(Kind.RETRY, cause)


def cause_of(status: int, error: Mapping[str, Any] | None) -> str:
    """Tell an error with its innermost reason, which is the one that helps."""
    if not error:
        return f"{status}: no reason given"
    told = f"{status} {error.get('type', '')}: {error.get('reason', '')}"
    last, inner = "", error.get("caused_by")
    while isinstance(inner, dict):
        # Java wraps an exception in another of the same reason.
        if inner.get("reason") != last:
            told = f"{told}; {inner.get('type', '')}: {inner.get('reason', '')}"
        last, inner = inner.get("reason", ""), inner.get("caused_by")
    return told[:_CAUSE_CHARS]


def judge_items(body: bytes, ids: Sequence[str]) -> list[Verdict] | None:
    """Judge the 200 answer to a bulk of `create` with these ids, in this order; one verdict each.

    None when the answer cannot be trusted: cut, no JSON, another count of items, other ids, another order.
    """
    if body == _all_created(ids):
        return [STORED] * len(ids)
    try:
        items = [item["create"] for item in orjson.loads(body)["items"]]
        if [item["_id"] for item in items] != list(ids):
            return None
        return [judge(item["status"], item.get("error")) for item in items]
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return None


def _all_created(ids: Sequence[str]) -> bytes:
    """Write the answer that says 201 for every id: when it is that, byte by byte, nothing needs parsing."""
    between = '","status":201}},{"create":{"_id":"'
    return f'{{"errors":false,"items":[{{"create":{{"_id":"{between.join(ids)}","status":201}}}}]}}'.encode()
