"""A tail driven by hand: what it reads is kept, what is final is said by the test, and time is a number."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from agent.formats import format_named
from agent.sources.checkpoints import Entry
from agent.sources.stream import Chunk
from agent.sources.tail import Tail


def line(number: int, text: str = "x") -> bytes:
    """One CLEF line that no other number shares."""
    return b'{"@t":"2026-11-23T06:26:35.3631115Z","@mt":"%s","n":%d}\n' % (text.encode(), number)


def lines(first: int, count: int) -> bytes:
    return b"".join(line(number) for number in range(first, first + count))


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def numbers(records: Sequence[bytes]) -> list[int]:
    """The numbers of these lines, in the order in which they were read."""
    return [int(record.rsplit(b":", 1)[1].rstrip(b"}")) for record in records]


class Reading:
    """One life of a tail, from its start to the moment it is dropped; whoever makes one empties `alive`."""

    alive: ClassVar[list["Reading"]] = []

    def __init__(
        self, folder: Path, pattern: str = "*.clef", format_name: str = "clef", entries: Sequence[Entry] = ()
    ) -> None:
        self.folder = folder
        self.pattern = pattern
        self.format_name = format_name
        self.now = 1000.0
        self.chunks: list[Chunk] = []
        self.alive.append(self)
        self.tail = Tail("app", [str(folder / pattern)], format_named(format_name).framer, entries)
        self.kept: Sequence[Entry] = entries
        self.tail.keep_cuts = self._keep

    def poll(self, after_secs: float = 0.0) -> list[bytes]:
        """Look and read once, `after_secs` later; the records that came, oldest first."""
        self.now += after_secs
        self.tail.look(self.now)
        self.tail.poll(self.now)
        new: list[Chunk] = []
        while (chunk := self.tail.read(self.now)) is not None:
            new.append(chunk)
        new.extend(self.tail.farewells(self.now))
        if self.tail.must_look:
            self.tail.look(self.now)
        self.chunks.extend(new)
        return [record for chunk in new for _, record in chunk.records]

    def finish(self) -> None:
        """Everything that was read is final."""
        for chunk in self.chunks:
            chunk.span.open_count = 0
        self.chunks.clear()
        self.tail.settle()

    def _keep(self, _: float) -> bool:
        self.kept = self.tail.entries()
        return True

    def killed(self) -> "Reading":
        """The next life, which knows what was last written down when a record had been ended by quiet."""
        self.tail.close()
        return Reading(self.folder, self.pattern, self.format_name, self.kept)

    def restarted(self) -> "Reading":
        """The next life, which knows what this one's checkpoint says."""
        self.tail.close()
        return Reading(self.folder, self.pattern, self.format_name, self.tail.entries())
