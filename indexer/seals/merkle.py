"""The Merkle root over leaves that are SHA-256 values already; the tree has the shape of RFC 6962.

A leaf is an event's own `event.hash`. What that was made from begins with "{" (it is JSON), what a node is
made from begins with the byte 1: no node can be passed off as a leaf, and no leaf is hashed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

LEAF_BYTES: Final = 32
_NODE: Final = b"\x01"


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over these leaves, in this order; of none, the SHA-256 of nothing."""
    if not leaves:
        return sha256().digest()
    level = list(leaves)
    while len(level) > 1:
        pairs = zip(level[0::2], level[1::2], strict=False)
        above = [sha256(_NODE + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]
