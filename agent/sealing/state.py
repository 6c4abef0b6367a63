"""The files behind the seals, in `seals/` of the state directory.

* `seal-<n>.json`: a seal that is not known to be in the store yet, with its leaves;
* `head.json`: the newest seal that is, without them: what the next one follows;
* `pending-<n>`: leaves of events that are stored, for seal n; worth nothing once that is there;
* `replayed-*`: leaves of dead letters that a command has replayed, for the running agent to take in.

n grows by one with every seal, whatever chain it belongs to. Each file is written whole or not at all, but
for `pending-<n>`, which grows by chunks that prove themselves.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from agent.appending import append
from agent.sources.checkpoints import flush_folder
from indexer.seals import merkle, seal
from indexer.seals.leaves import Leaves, LeavesError, unpack
from indexer.seals.seal import Seal

FOLDER: Final = "seals"
_HEAD: Final = "head.json"
_FRAME_BYTES: Final = 8


class Written(NamedTuple):
    """A seal as it lies on disk; `source` is its document."""

    number: int
    seal: Seal
    source: dict[str, Any]


class SealState:
    """The folder. Methods raise OSError when the disk refuses."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / FOLDER

    # -- seals

    def write(self, number: int, made: Seal, packed: bytes) -> Written:
        """Put a new seal where it waits for the store."""
        source = seal.to_source(made, packed)
        self._replace(f"seal-{number:012}.json", orjson.dumps({"n": number, **source}))
        return Written(number, made, source)

    def waiting(self) -> list[int]:
        """The numbers of the seals that wait, oldest first."""
        return sorted(int(path.stem.removeprefix("seal-")) for path in self.folder.glob("seal-*.json"))

    @property
    def waiting_bytes(self) -> int:
        """How much room they take; a seal that is shelved meanwhile takes none."""
        total = 0
        for path in self.folder.glob("seal-*.json"):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def read(self, number: int) -> Written | None:
        """A seal that waits; None when it cannot be believed."""
        return self._read(f"seal-{number:012}.json")

    def shelved(self, written: Written) -> None:
        """This seal is in the store: it is the head now, and waits no longer."""
        source = {name: value for name, value in written.source.items() if name != "leaves"}
        head = self._read(_HEAD)
        if head is None or head.number < written.number:
            self._replace(_HEAD, orjson.dumps({"n": written.number, **source}))
        self._remove(f"seal-{written.number:012}.json")

    def set_aside(self, number: int) -> None:
        """A seal that cannot be believed waits no longer; it stays for a person to look at."""
        name = f"seal-{number:012}.json"
        (self.folder / name).replace(self.folder / f"{name}.damaged")

    def newest(self) -> Written | None:
        """The newest seal there is, shelved or waiting; None before the first."""
        for number in reversed(self.waiting()):
            if (found := self.read(number)) is not None:
                return found
        return self._read(_HEAD)

    def has_head(self) -> bool:
        return (self.folder / _HEAD).exists()

    def _read(self, name: str) -> Written | None:
        try:
            source = orjson.loads((self.folder / name).read_bytes())
            number = int(source.pop("n"))
            written = Written(number, seal.from_source(source), source)
            if name != _HEAD:
                seal.packed_of(written.seal, source)
            return written
        except (
            FileNotFoundError,
            orjson.JSONDecodeError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ):
            return None

    # -- leaves

    def append(self, number: int, leaves: Leaves, start: int) -> None:
        """Add the leaves from `start` on to those for seal `number`, flushed to disk."""
        data = _framed(leaves, start)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"pending-{number:012}"
        is_new = not path.exists()
        append(path, data)
        if is_new:
            flush_folder(self.folder)

    def pending(self, number: int) -> Leaves:
        """The leaves that were written down for seal `number`; half a chunk at the end is cut off."""
        path = self.folder / f"pending-{number:012}"
        leaves = Leaves()
        if not path.exists():
            return leaves
        data = path.read_bytes()
        at = _take(data, leaves)
        if at < len(data):
            with path.open("r+b") as file:
                file.truncate(at)
        return leaves

    def forget_pending(self, below: int) -> None:
        """Drop the leaves for seals that are written."""
        for path in self.folder.glob("pending-*"):
            if int(path.name.removeprefix("pending-")) < below:
                path.unlink(missing_ok=True)

    # -- dead letters that were replayed

    def write_replayed(self, leaves: Leaves) -> None:
        """Leave these for the agent; the file's name is nobody else's."""
        if leaves:
            self._replace(f"replayed-{os.getpid()}-{os.urandom(4).hex()}", _framed(leaves, 0))

    def replayed(self) -> list[Path]:
        """What was replayed since: files to be removed once their leaves are written down elsewhere."""
        return sorted(path for path in self.folder.glob("replayed-*") if not path.name.endswith(".new"))

    def replayed_leaves(self, path: Path) -> Leaves:
        leaves = Leaves()
        _take(path.read_bytes(), leaves)
        return leaves

    # -- files

    def _replace(self, name: str, data: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f"{name}.new"
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / name)
        flush_folder(self.folder)

    def _remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)


def _framed(leaves: Leaves, start: int) -> bytes:
    packed = leaves.pack(merkle.LEAF_BYTES, start, small=False)
    return len(packed).to_bytes(4, "big") + zlib.crc32(packed).to_bytes(4, "big") + packed


def _take(data: bytes, leaves: Leaves) -> int:
    """Add the leaves of every whole chunk; where the first that is not whole begins."""
    at = 0
    while len(data) - at >= _FRAME_BYTES:
        length = int.from_bytes(data[at : at + 4], "big")
        packed = data[at + _FRAME_BYTES : at + _FRAME_BYTES + length]
        if len(packed) < length or zlib.crc32(packed) != int.from_bytes(data[at + 4 : at + 8], "big"):
            break
        try:
            leaves.extend(unpack(packed))
        except LeavesError:
            break
        at += _FRAME_BYTES + length
    return at
