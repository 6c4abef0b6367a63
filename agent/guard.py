"""The normaliser after it failed once: a record that makes it fail becomes an event of its text alone.

A normaliser that has raised may have lost what it held, so the source is read again from what is final, as
after a kill, and from then on by this one. The usual one stays free of its cost.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from agent.normalise.draft import NOTHING_KNOWN, Context
from agent.normalise.encoder import Place
from agent.normalise.normaliser import WARM, Build, Document, FileInfo, Normaliser, SourceFacts
from agent.normalise.reader import unparsed
from agent.normalise.requests import Held, Here
from indexer.event import Flag, id_suffix

_KEPT: Final = ("@t", "TenantId")
"""What decides where an event is placed."""


class Failure(NamedTuple):
    """A record that could not become an event even of its text: where it stands and why, not what it says."""

    id: str
    file: str
    position: int
    bytes: int
    cause: str
    token: Any


class GuardedNormaliser(Normaliser):
    """A normaliser that raises for no record: one that it cannot do is `unparsed`, with its text and time.

    Where not even that can be done (its secrets could not be told), it waits in `failures` to be taken out.
    """

    failures: list[Failure]
    _settled: set[int]

    def __init__(self, source: SourceFacts, **given: Any) -> None:  # noqa: ANN401 - as Normaliser has them
        super().__init__(source, **given)
        self.failures = []
        self._settled = set()

    def feed(
        self,
        file: FileInfo,
        records: list[tuple[int, bytes]],
        flags: dict[int, tuple[str, ...]],
        token: object,
    ) -> list[Document]:
        self._settled.clear()
        return super().feed(file, records, flags, token)

    def _understood(
        self,
        place: Place,
        records: list[tuple[int, bytes]],
        framed: dict[int, tuple[str, ...]],
        token: object,
    ) -> list[Held]:
        read: list[Held] = []
        for each in records:
            flags = framed.get(each[0], ())
            try:
                read += super()._understood(place, [each], framed, token)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
                here = (place, *each, None, flags, token)
                try:
                    read.append(self._unread(here, error))
                except Exception:  # noqa: BLE001 - what cannot be freed of secrets is shown nowhere
                    self._fail(here, error)
        return read

    def _unread(self, here: Here, error: Exception) -> Held:
        """A record that could not be read, as its text: no event says more, and none is lost."""
        place, position, raw, _, flags, token = here
        record, original, flags = self._reader.as_text(raw, flags, _cause(error))
        record["@t"] = self._printed_time(raw)
        if not self._instants.settle(record, place.identity):
            flags = (*flags, Flag.TIME_SUSPECT.value)
        return record, (place, position, raw, original, flags, token)

    def _printed_time(self, raw: bytes) -> object:
        try:
            return self._source.parse(raw).get("@t")
        except Exception:  # noqa: BLE001 - then it takes that of the record before it
            return None

    def _emit(
        self, build: Build, record: dict[str, Any], context: Context, here: Here, out: list[Document]
    ) -> None:
        self._settled.add(id(here))
        try:
            super()._emit(build, record, context, here, out)
        except Exception as error:  # noqa: BLE001 - as above
            self._emit_text(record, here, error, out)

    def _emit_text(self, record: dict[str, Any], here: Here, error: Exception, out: list[Document]) -> None:
        """Give out a record of which no event could be made, as its text; `record` is without secrets."""
        place, position, raw, original, flags, token = here
        shown = raw.decode(errors="replace") if original is None else original
        plain = unparsed(shown, _cause(error))
        plain.update((name, record[name]) for name in _KEPT if record.get(name).__class__ is str)
        here = (place, position, raw, original, (*flags, Flag.UNPARSED.value), token)
        try:
            super()._emit(self._other_lines.draft, plain, NOTHING_KNOWN, here, out)
        except Exception:  # noqa: BLE001 - as above
            self._fail(here, error)

    def _outside(self, record: dict[str, Any], here: Here, out: list[Document]) -> None:
        try:
            super()._outside(record, here, out)
        except Exception as error:  # noqa: BLE001 - as above
            if id(here) not in self._settled:
                self._emit_text(record, here, error, out)

    def _end_request(self, record: dict[str, Any], here: Here, run: list[Held], out: list[Document]) -> None:
        if self._requests.is_open(record["RequestId"]):
            run = self._requests.take(record["RequestId"]) + run
        try:
            super()._end_request(record, here, run, out)
        except Exception:  # noqa: BLE001 - which of them it was shows when each goes alone
            for each, there in (*run, (record, here)):
                if id(there) not in self._settled:
                    self._alone(each, there, out)

    def _alone(self, record: dict[str, Any], here: Here, out: list[Document]) -> None:
        try:
            self._emit(self._builder(record), record, NOTHING_KNOWN, here, out)
        except Exception as error:  # noqa: BLE001 - as above
            self._emit_text(record, here, error, out)

    def _fail(self, here: Here, error: Exception) -> None:
        place, position, raw, _, _, token = here
        if token is WARM:
            return
        suffix = id_suffix(position, raw)
        self.failures.append(
            Failure(place.prefix + suffix, place.file, position, len(raw), _cause(error), token)
        )


def _cause(error: Exception) -> str:
    """The kind of the error and where it rose; its message may quote the record, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
