"""What a seal covers, event by event, packed: so that a check can name the event that is missing or changed.

A pack is `SWL1`, the length of its header (4 bytes, big endian), the header (JSON), the columns (placements,
prefixes, seen, ids; little endian, deflated) and the hashes, each cut to `hash_bytes`. 10,000 events of the
samples take about 20 bytes each.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

import orjson

from indexer.seals.merkle import LEAF_BYTES

ID_CHARS: Final = 24
"""Length of an event's id (`indexer.event`): 12 characters for its file, 12 for its place in it."""

KEPT_HASH_BYTES: Final = 16
"""How much of a leaf a seal keeps; the root covers the whole."""

COUNT_MAX: Final = 200_000
_MAGIC: Final = b"SWL1"
_PREFIX_CHARS: Final = 12
_NUMBER_BYTES: Final = 4
_LEVEL: Final = 1


class LeavesError(ValueError):
    """Bytes that are no packed leaves."""


_ValueT = TypeVar("_ValueT", str, tuple[str, str])


class Placement(NamedTuple):
    """Where an event was stored, and whose it is."""

    partition: str
    tenant: str


class Leaf(NamedTuple):
    """One event: `hash` is its `event.hash` or the beginning of it.

    `seen` says that the store had the event before this agent sent it: what is stored may lawfully read
    otherwise (another redaction key, another version), so only a leaf that is not `seen` proves a change.
    """

    placement: Placement
    id: str
    hash: bytes
    seen: bool


class _Numbers(dict[_ValueT, int]):
    """The numbers of values; a new one gets the next."""

    def __missing__(self, value: _ValueT) -> int:
        number = self[value] = len(self)
        return number


class Leaves:
    """Leaves in the order in which their events became final, by columns; grows at its end."""

    __slots__ = ("_placements", "_prefixes", "_prefixes_of", "_where", "hashes", "ids", "seen")

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.hashes: list[bytes] = []
        self.seen = bytearray()
        self._placements: _Numbers[tuple[str, str]] = _Numbers()
        self._where = array("I")
        self._prefixes: _Numbers[str] = _Numbers()
        self._prefixes_of = array("I")

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Leaf]:
        places = self.placements
        for where, id_, hash_, seen in zip(self._where, self.ids, self.hashes, self.seen, strict=True):
            yield Leaf(places[where], id_, hash_, bool(seen))

    @property
    def placements(self) -> list[Placement]:
        """Every placement among the leaves, once."""
        return [Placement(*each) for each in self._placements]

    def add(self, placement: Placement, id_: str, hash_: bytes, *, seen: bool) -> None:
        """Append one leaf; ValueError for an id that is none of ours."""
        self.add_all([placement], [id_], [hash_], seen=seen)

    def add_all(
        self,
        placements: Iterable[tuple[str, str]],
        ids: Sequence[str],
        hashes: Sequence[bytes],
        *,
        seen: bool,
    ) -> None:
        """Append leaves; ValueError for an id that is none of ours (then nothing is appended)."""
        odd = next((id_ for id_ in ids if len(id_) != ID_CHARS), None)
        if odd is not None:
            raise ValueError(f"{odd!r} is no id of an event: it has not {ID_CHARS} characters")
        numbers, files_numbers = self._placements, self._prefixes
        self._where.extend([numbers[place] for place in placements])
        self._prefixes_of.extend([files_numbers[id_[:_PREFIX_CHARS]] for id_ in ids])
        self.ids += ids
        self.hashes += hashes
        self.seen += bytes((seen,)) * len(ids)

    def extend(self, others: Leaves) -> None:
        """Append these, in their order."""
        for leaf in others:
            self.add(leaf.placement, leaf.id, leaf.hash, seen=leaf.seen)

    def pack(self, hash_bytes: int = KEPT_HASH_BYTES, start: int = 0, *, small: bool = True) -> bytes:
        """Write the leaves from number `start` on down, each hash cut to `hash_bytes`.

        `small` takes time; without it, the same is read back.
        """
        suffixes = "".join([id_[_PREFIX_CHARS:] for id_ in self.ids[start:]])
        width = ID_CHARS - _PREFIX_CHARS
        # Ids beside each other begin alike: character by character they deflate to what differs.
        columns = b"".join((
            _little(self._where[start:]),
            _little(self._prefixes_of[start:]),
            bytes(self.seen[start:]),
            "".join([suffixes[place::width] for place in range(width)]).encode("ascii"),
        ))  # fmt: skip
        deflated = zlib.compress(columns, _LEVEL if small else 0)
        header = orjson.dumps({
            "count": len(self.ids) - start,
            "hash_bytes": hash_bytes,
            "columns": len(deflated),
            "placements": [list(each) for each in self._placements],
            "prefixes": list(self._prefixes),
        })  # fmt: skip
        hashes = b"".join([hash_[:hash_bytes] for hash_ in self.hashes[start:]])
        return b"".join((_MAGIC, len(header).to_bytes(4, "big"), header, deflated, hashes))


def unpack(data: bytes) -> Leaves:
    """Read packed leaves back; LeavesError when the bytes are anything else."""
    try:
        return _unpack(data)
    except (KeyError, TypeError, ValueError, IndexError, zlib.error, orjson.JSONDecodeError) as error:
        raise LeavesError(f"no packed leaves: {error}") from None


def _unpack(data: bytes) -> Leaves:
    if data[:4] != _MAGIC:
        raise ValueError("they begin otherwise")
    end = 8 + int.from_bytes(data[4:8], "big")
    header = orjson.loads(data[8:end])
    count, hash_bytes, deflated = header["count"], header["hash_bytes"], header["columns"]
    if not 0 <= count <= COUNT_MAX or not KEPT_HASH_BYTES <= hash_bytes <= LEAF_BYTES:
        raise ValueError("a count or a length beyond bounds")
    width = 2 * _NUMBER_BYTES + 1 + ID_CHARS - _PREFIX_CHARS
    inflater = zlib.decompressobj()
    columns = inflater.decompress(data[end : end + deflated], width * count + 1)
    hashes = data[end + deflated :]
    if not inflater.eof or len(columns) != width * count or len(hashes) != hash_bytes * count:
        raise ValueError("columns of another length")
    placements = [Placement(*each) for each in header["placements"]]
    prefixes = header["prefixes"]
    numbers = 2 * _NUMBER_BYTES * count
    text = columns[numbers + count :].decode("ascii")
    # Character by character again what was turned for the sake of deflating.
    turned = [text[at::count] for at in range(count)]
    leaves = Leaves()
    for number, (where, prefix) in enumerate(
        zip(_array(columns[: numbers // 2]), _array(columns[numbers // 2 : numbers]), strict=True)
    ):
        leaves.add(
            placements[where],
            prefixes[prefix] + turned[number],
            hashes[number * hash_bytes : (number + 1) * hash_bytes],
            seen=bool(columns[numbers + number]),
        )
    return leaves


def _little(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _array(data: bytes) -> array[int]:
    numbers = array("I")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
