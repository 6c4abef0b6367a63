"""Two sides too large for memory, matched by id: written to buckets on disk, taken back bucket by bucket."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

# So many records of either side are in memory at once, nearly.
BUCKET_COUNT: Final = 100_000
_BUCKETS_MAX: Final = 200
_BUFFER_BYTES: Final = 1 << 16


def buckets_for(count: int) -> int:
    """How many buckets so many records need."""
    return min(max(-(-count // BUCKET_COUNT), 1), _BUCKETS_MAX)


class Spill:
    """Records of one kind (a `struct` format) in a temporary folder, by bucket."""

    def __init__(self, folder: Path, name: str, layout: struct.Struct, buckets: int) -> None:
        self._layout = layout
        self._paths = [folder / f"{name}-{number}" for number in range(buckets)]
        self._files = [path.open("wb", buffering=_BUFFER_BYTES) for path in self._paths]
        self._buckets = buckets

    def add(self, key: bytes, *values: object) -> None:
        """Write a record whose first field is its key."""
        self._files[zlib.crc32(key) % self._buckets].write(self._layout.pack(key, *values))

    def put(self, number: int, *values: object) -> None:
        """Write a record whose first field is a number: the bucket goes by that."""
        self._files[number % self._buckets].write(self._layout.pack(number, *values))

    def done(self) -> None:
        """Nothing more is written."""
        for file in self._files:
            file.close()

    def bucket(self, number: int) -> Iterator[tuple[Any, ...]]:
        """Give the records of one bucket, in the order in which they came, and forget them."""
        data = self._paths[number].read_bytes()
        self._paths[number].unlink()
        return self._layout.iter_unpack(data)


class Folder:
    """A temporary folder for spills; gone with the block, whatever happens in it."""

    def __init__(self) -> None:
        self._made = tempfile.TemporaryDirectory(prefix="smartwms-audit-verify-")
        self.path = Path(self._made.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._made.cleanup()
