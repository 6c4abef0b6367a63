"""A compressed log, read as the log that it holds: any position of it, in bounded memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Container

from agent.sources.discovery import Seen
from agent.sources.fingerprint import open_shared

PIECE_BYTES = 64 * 1024
# Its beginning is looked at before every read, the end of what was read for anchors.
_HEAD_BYTES = 8 * 1024
_WINDOW_BYTES = 64 * 1024
# What one look at the directory may unpack, and how long half an archive may stay as it is before it is taken
# for all there will be.
LOOK_BYTES = 4 * 1024 * 1024
CUT_SECS = 60.0
# So many of a source are gone through, or waited for, at a time.
OPEN_MAX = 16


class Archive:
    """A gzip file under the methods that reading a log needs: read, seek, close.

    Its size is known once `measure` has gone through it. `fault` then says what is wrong with it, if anything
    is; what comes before the fault can be read.
    """

    def __init__(self, path: str, size: int | None = None) -> None:
        """Open `path` (OSError as open()); `size` is what an earlier measure found."""
        self.size = size or 0
        self.is_measured = size is not None
        self.fault = ""
        self.is_cut = False
        self._file = open_shared(path)
        self._zip = gzip.GzipFile(fileobj=self._file, mode="rb")
        self._at = 0
        self._head = b""
        self._window = b""
        self._position = 0

    def measure(self, budget_bytes: int) -> bool:
        """Go on through the file by about so many bytes of log; whether its end was reached."""
        while not self.is_measured and budget_bytes > 0:
            piece = self._next()
            budget_bytes -= len(piece)
            self.size = max(self.size, self._at)
            self.is_measured = not piece
        return self.is_measured

    def _next(self) -> bytes:
        """The next bytes of the log; none at its end, or where it cannot be read any more."""
        try:
            piece = self._zip.read1(PIECE_BYTES)
        except EOFError:
            self.fault, self.is_cut = "it ends before its end mark", True
            return b""
        except (gzip.BadGzipFile, zlib.error) as error:
            self.fault = str(error)
            return b""
        self._at += len(piece)
        if len(self._head) < _HEAD_BYTES and self._at - len(piece) == len(self._head):
            self._head += piece[: _HEAD_BYTES - len(self._head)]
        self._window = (self._window + piece)[-_WINDOW_BYTES:]
        return piece

    def _rewind(self) -> None:
        self._file.seek(0)
        self._zip = gzip.GzipFile(fileobj=self._file, mode="rb")
        self._at = 0
        self._window = b""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a position of the log, or to its end."""
        self._position = self.size if whence == io.SEEK_END else offset
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes from the position on; none at the end."""
        if self._position < len(self._head):
            data = self._head[self._position : self._position + size]
        else:
            if self._position < self._at - len(self._window):
                self._rewind()
            while self._position >= self._at:
                if not self._next():
                    return b""
            start = self._position - (self._at - len(self._window))
            data = self._window[start : start + size]
        self._position += len(data)
        return data

    def close(self) -> None:
        self._zip.close()
        self._file.close()


class Unpacking:
    """The archives of a source that are being measured, a little with every look."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Seen, float, Archive]] = {}
        self._budget_bytes = LOOK_BYTES
        self.is_busy = False

    def begin(self, here: Container[str]) -> None:
        """Begin a look that found the paths `here`."""
        self._budget_bytes = LOOK_BYTES
        self.is_busy = False
        for path in [path for path in self._open if path not in here]:
            self._open.pop(path)[2].close()

    def advance(self, seen: Seen, now: float) -> Archive | None:
        """Go on with an archive; the caller's once it is measured and seems complete. OSError as open()."""
        known = self._open.pop(seen.path, None)
        if known is not None and known[0] != seen:
            known[2].close()
            known = None
        if known is None and (self._budget_bytes <= 0 or len(self._open) >= OPEN_MAX):
            self.is_busy = True
            return None
        _, since, archive = known or (seen, now, Archive(seen.path))
        before = archive.size
        try:
            is_measured = archive.measure(self._budget_bytes)
        except OSError:
            archive.close()
            raise
        self._budget_bytes -= archive.size - before
        if is_measured and not (archive.is_cut and now - since < CUT_SECS):
            return archive
        self.is_busy = self.is_busy or not is_measured
        self._open[seen.path] = (seen, since, archive)
        return None

    def close(self) -> None:
        self.begin(())
