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
_ColumnT = TypeVar("_ColumnT", str, bytes)


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
    """Leaves in the order in which their events became final; grows at its end.

    The columns are bytes, so that nothing of the documents has to be kept for them.
    """

    __slots__ = (
        "_hash_bytes",
        "_hashes",
        "_ids",
        "_placements",
        "_prefixes",
        "_prefixes_of",
        "_seen",
        "_where",
    )

    def __init__(self, hash_bytes: int = LEAF_BYTES) -> None:
        """`hash_bytes`: the length of each hash."""
        self._hash_bytes = hash_bytes
        self._hashes = bytearray()
        self._ids = bytearray()
        self._seen = bytearray()
        self._placements: _Numbers[tuple[str, str]] = _Numbers()
        self._where = array("I")
        self._prefixes: _Numbers[str] = _Numbers()
        self._prefixes_of = array("I")

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[Leaf]:
        places = self.placements
        for where, id_, hash_, seen in zip(self._where, self.ids, self.hashes, self._seen, strict=True):
            yield Leaf(places[where], id_, hash_, bool(seen))

    @property
    def placements(self) -> list[Placement]:
        """Every placement among the leaves, once."""
        return [Placement(*each) for each in self._placements]

    @property
    def ids(self) -> list[str]:
        """The id of each event."""
        return _cut(self._ids.decode("ascii"), ID_CHARS)

    @property
    def hashes(self) -> list[bytes]:
        """The hash of each leaf."""
        return _cut(bytes(self._hashes), self._hash_bytes)

    def add(self, placement: Placement, id_: str, hash_: bytes, *, seen: bool) -> None:
        """Append one leaf; ValueError as `add_all`."""
        self.add_all([placement], [id_], [hash_], bytes((seen,)))

    def extend(self, others: Leaves) -> None:
        """Append these, in their order."""
        places = others.placements
        self.add_all(
            [places[where] for where in others._where], others.ids, others.hashes, bytes(others._seen)
        )

    def add_all(
        self, placements: Iterable[tuple[str, str]], ids: Sequence[str], hashes: Sequence[bytes], seen: bytes
    ) -> None:
        """Append leaves; `seen` has a byte for each.

        ValueError for an id that is none of ours, or a hash of another length: then nothing is appended.
        """
        odd = next((id_ for id_ in ids if len(id_) != ID_CHARS or not id_.isascii()), None)
        if odd is not None:
            raise ValueError(f"{odd!r} is no id of an event: it has not {ID_CHARS} characters")
        joined = b"".join(hashes)
        if len(joined) != len(ids) * self._hash_bytes:
            raise ValueError(f"hashes of another length than {self._hash_bytes} bytes")
        numbers, files_numbers = self._placements, self._prefixes
        self._where.extend([numbers[place] for place in placements])
        self._prefixes_of.extend([files_numbers[id_[:_PREFIX_CHARS]] for id_ in ids])
        self._ids += "".join(ids).encode("ascii")
        self._hashes += joined
        self._seen += seen

    def pack(self, hash_bytes: int = KEPT_HASH_BYTES, start: int = 0, *, small: bool = True) -> bytes:
        """Write the leaves from number `start` on down, each hash cut to `hash_bytes`.

        `small` takes time; without it, the same is read back.
        """
        ids = self._ids[start * ID_CHARS :]
        # Ids beside each other begin alike: character by character they deflate to what differs.
        columns = b"".join((
            _little(self._where[start:]),
            _little(self._prefixes_of[start:]),
            self._seen[start:],
            *(ids[place::ID_CHARS] for place in range(_PREFIX_CHARS, ID_CHARS)),
        ))  # fmt: skip
        deflated = zlib.compress(columns, _LEVEL if small else 0)
        header = orjson.dumps({
            "count": len(self) - start,
            "hash_bytes": hash_bytes,
            "columns": len(deflated),
            "placements": [list(each) for each in self._placements],
            "prefixes": list(self._prefixes),
        })  # fmt: skip
        hashes = bytes(self._hashes[start * self._hash_bytes :])
        if hash_bytes < self._hash_bytes:
            hashes = b"".join([each[:hash_bytes] for each in _cut(hashes, self._hash_bytes)])
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
    if not all(isinstance(text, str) for place in placements for text in place):
        raise TypeError("a placement is no text")
    prefixes = header["prefixes"]
    numbers = 2 * _NUMBER_BYTES * count
    text = columns[numbers + count :].decode("ascii")
    leaves = Leaves(hash_bytes)
    files = [prefixes[prefix] for prefix in _array(columns[numbers // 2 : numbers])]
    leaves.add_all(
        [placements[where] for where in _array(columns[: numbers // 2])],
        # Character by character again what was turned for the sake of deflating.
        [file + text[at::count] for at, file in enumerate(files)],
        _cut(hashes, hash_bytes),
        columns[numbers : numbers + count],
    )
    return leaves


def _cut(column: _ColumnT, width: int) -> list[_ColumnT]:
    """The values of a column, each as wide as the other."""
    return [column[at : at + width] for at in range(0, len(column), width)]


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
