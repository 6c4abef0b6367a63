"""From documents that are stored to leaves: where each event lies, whose it is, and its `event.hash`.

The hash and the tenant are cut out of the document's bytes, as `agent.normalise.encoder` has joined them;
parsing each document again would cost more than everything else about seals.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Sequence
from typing import Any, Final

import orjson

from agent.delivery.batches import Document
from indexer.seals.leaves import Leaves, Placement

_HASH: Final = b',"event":{"hash":"'
_HASH_CHARS: Final = 64
_TENANT: Final = b',"tenant":{'
_CHANGE: Final = b',"change":{'
# Behind the time and the agent's version; nothing else that holds names of other people's choosing comes
# before the hash.
_CHANGE_WITHIN: Final = 128
_REMEMBERED_COUNT: Final = 20_000


class Notes:
    """Adds documents to leaves; what it remembers only saves time."""

    def __init__(self) -> None:
        self._placements: dict[tuple[str, bytes], Placement] = {}

    def take(self, leaves: Leaves, documents: Sequence[Document], *, seen: bool) -> None:
        """Add a leaf for each document, in their order."""
        known = self._placements
        if len(known) > _REMEMBERED_COUNT:
            known.clear()
        places: list[Placement] = []
        hashes: list[bytes] = []
        for partition, _, body, _ in documents:
            at = body.find(_HASH)
            if at < 0 or (body.find(_CHANGE, 0, _CHANGE_WITHIN) >= 0 and body.find(_HASH, at + 1) >= 0):
                # A value that was changed may hold an object of that very name before the event's own.
                hashes.append(bytes.fromhex(_parsed(body)["event"]["hash"]))
            else:
                at += len(_HASH)
                hashes.append(unhexlify(body[at : at + _HASH_CHARS]))
            # Behind the tenant come only texts, in which a quotation mark is escaped.
            start = body.rfind(_TENANT)
            key = (partition, body[start : body.find(b"}", start)] if start >= 0 else body)
            place = known.get(key)
            if place is None:
                place = known[key] = Placement(partition, str(_parsed(body)["tenant"]["id"]))
            places.append(place)
        leaves.add_all(places, [document[1] for document in documents], hashes, seen=seen)


def _parsed(body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(body)
    return document
