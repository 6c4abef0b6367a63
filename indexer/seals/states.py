"""What a check can say of an event, or of a chain; which of it is a finding, and the sentence for people."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final


@unique
class State(StrEnum):
    """The words of a report, worst last."""

    VERIFIED = "verified"
    CARRIED_OVER = "carried over"
    EXPIRED = "expired by certificate"
    ERASED = "erased by certificate"
    PENDING = "not sealed yet"
    UNSEALED = "unsealed"
    CHANGED = "changed"
    MISSING = "missing"
    EARLY_DELETION = "early deletion"
    GAP = "gap"
    ANCHOR_MISMATCH = "anchor mismatch"
    DOUBTED = "doubted certificate"
    HIDDEN = "hidden"
    UNCONFIRMED = "unconfirmed erasure"


FINDINGS: Final = frozenset(
    {
        State.UNSEALED,
        State.CHANGED,
        State.MISSING,
        State.EARLY_DELETION,
        State.GAP,
        State.ANCHOR_MISMATCH,
        State.DOUBTED,
        State.HIDDEN,
        State.UNCONFIRMED,
    }
)
"""What needs a person."""

MEANINGS: Final[dict[State, str]] = {
    State.VERIFIED: "reads as it was sealed, where it was stored",
    State.CARRIED_OVER: "reads as it was sealed, and lies where a certificate says it was carried to",
    State.EXPIRED: "is gone, and a certificate says that its time was over",
    State.ERASED: "is gone, and a certificate says that its tenant was erased",
    State.PENDING: "was stored moments ago; its agent seals it soon",
    State.UNSEALED: "lies in the store, and no agent has sealed it: nobody vouches for it",
    State.CHANGED: "does not read as it was sealed, or lies elsewhere without a certificate",
    State.MISSING: "was sealed, and is not in the store",
    State.EARLY_DELETION: "was sealed, and is gone with its partition before its time was over",
    State.GAP: "a chain of seals has a hole, or a seal that is not genuine",
    State.ANCHOR_MISMATCH: "a seal is not the one that an anchor outside the store names",
    State.DOUBTED: "a certificate is not signed as it should be: what it says is not believed",
    State.HIDDEN: "a partition shows a part of its events only: the alias has a filter or a routing there",
    State.UNCONFIRMED: "a tenant was erased, and nobody confirmed it in the trail that agents have sealed",
}
