"""From records to documents, for one source: parse, redact, wait for the request's end, classify, encode.

Nothing here touches a disk or a network. A document's id and index depend only on the record's own bytes, its
place, the source's settings and the plan history; what the other lines of its request told fills fields, and
moves nothing.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from agent.normalise import classify, faults, limits
from agent.normalise.change_lines import ChangeLines, is_change
from agent.normalise.draft import NOTHING_KNOWN, Context
from agent.normalise.encoder import Encoded, Encoder, Place
from agent.normalise.failures import Failure, as_line, cause, failure
from agent.normalise.instants import Instants
from agent.normalise.local_time import days_before
from agent.normalise.other_lines import OtherLines
from agent.normalise.properties import text_of
from agent.normalise.proxy import ProxyLines
from agent.normalise.reader import Reader
from agent.normalise.redaction import Redactor
from agent.normalise.request_lines import Facts, RequestLines, facts_of, is_request
from agent.normalise.requests import Held, Here, Requests, told_by
from agent.normalise.routes import Routes
from agent.normalise.source import FileInfo, SourceFacts
from agent.normalise.trail import TrailLines
from agent.normalise.waiting import Ahead, Build, Ready, Waiting
from indexer.event import Flag
from indexer.tenants import Tenants

OPEN_SECS: Final = 60.0
"""A request whose end was not seen for so long is given out as it is."""

Document = tuple[str, str, bytes, Any, str, bytes]
"""Index, id, body (JSON), the token that the record was fed with, the tenant's id, and `event.hash`."""


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class Normaliser:
    """Turns the records of one source into documents; what no step can do is `unparsed`, with its text."""

    def __init__(
        self,
        source: SourceFacts,
        *,
        tenants: Tenants,
        redaction_key: bytes,
        extra_names: Iterable[str] = (),
        prefix: str = "smartwms",
        clock: Callable[[], datetime] = utc_now,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tenants = tenants
        self.expired: list[Any] = []
        """Tokens of records that were older than their class keeps; the caller takes them out."""
        self.ahead = Waiting()
        """What is dated ahead of the clock; given out by `tick` when its time has come."""
        self.failures: list[Failure] = []
        """Records whose secrets could not be told, so they are shown nowhere; the caller takes them out."""
        self.fault = ""
        """What is wrong with this machine: records wait for its end; the caller takes it out."""
        self._delayed: list[Ready] = []
        self._source = source
        self._clock = clock
        self._elapsed = elapsed
        self._reader = Reader(
            source.parse,
            Redactor(redaction_key, extra_names),
            is_json=source.provenance in {"structured", "trail"},
        )
        self._encoder = Encoder(
            prefix=prefix,
            host=source.host,
            service=source.service,
            source=source.name,
            format_name=source.format_name,
            provenance=source.provenance,
        )
        routes = Routes()
        self._request_lines = RequestLines(routes, changes_logged=source.changes_logged, tenant=source.tenant)
        self._change_lines = ChangeLines(routes, tenant=source.tenant)
        self._other_lines = OtherLines(tenant=source.tenant)
        self._single: Build | None = None
        if source.provenance == "proxy":
            self._single = ProxyLines(routes, tenant=source.tenant).draft
        elif source.provenance == "trail":
            self._single = TrailLines(tenant=source.tenant).draft
        self._requests = Requests()
        self._instants = Instants()
        self._places: dict[tuple[str, bytes], Place] = {}
        self._too_far = ""
        self._uncertain = ""

    # -- what the pipeline calls

    def feed(
        self,
        file: FileInfo,
        records: list[tuple[int, bytes]],
        flags: dict[int, tuple[str, ...]],
        token: object,
    ) -> list[Document]:
        """Take records (position, raw bytes) of one file; give out the documents that are decided now.

        `flags` holds what the framing saw, by position; it and `records` are emptied, unless this machine
        fails: what is left is to be fed again. Each record comes back exactly once, here or from a later
        call, as a document with its token, or with its token in `expired` or `failures`.
        """
        out: list[Document] = []
        place = self._begin(file)
        self._read(place, records, flags, token, out)
        for held in self._requests.overdue():
            self._give_up(held, out)
        self._requests.forget()
        return out

    def warm(self, file: FileInfo, records: list[tuple[int, bytes]]) -> None:
        """Learn from records that were stored before a restart: context for what follows, no documents."""
        self._read(self._begin(file), records, {}, WARM, [])

    def tick(self) -> list[Document]:
        """Give out what waited too long: for its request's end, for its time, for an end of a fault."""
        out: list[Document] = []
        self._set_clock()
        self._resume(out)
        for held in self._requests.overdue(self._elapsed() - OPEN_SECS):
            self._give_up(held, out)
        self._release_ahead(out)
        return out

    @property
    def is_delayed(self) -> bool:
        """Whether records wait for the end of a fault of this machine."""
        return bool(self._delayed)

    def flush(self) -> list[Document]:
        """Give out everything that still waits for the end of its request."""
        out: list[Document] = []
        self._set_clock()
        for held in self._requests.all():
            self._give_up(held, out)
        return out

    def accept_ahead(self) -> list[Document]:
        """Give out what is ahead of the clock: an operator said so."""
        out: list[Document] = []
        self._set_clock()
        self._release_ahead(out, everything=True)
        return out

    def last_time(self, file: FileInfo) -> str:
        """The last usable time among the records of a file; empty when there was none.

        A record without one takes it, so it belongs to what is remembered of a file across a restart.
        """
        return self._instants.last(file.identity)

    def seed_time(self, file: FileInfo, time: str) -> None:
        """Go on after a restart with what `last_time` said at the position where the file is read on."""
        self._instants.seed(file.identity, time)

    # -- one record

    def _begin(self, file: FileInfo) -> Place:
        self._set_clock()
        key = (file.path, file.identity)
        if key not in self._places:
            self._places[key] = self._encoder.place(file.path, file.identity)
        return self._places[key]

    def _set_clock(self) -> None:
        now = self._clock()
        self._encoder.at(now, self.tenants)
        self._too_far = days_before(now, -self._source.ahead_days)
        # Nor can an event be placed by plans that the copy of the tenants cannot know yet.
        self._uncertain = min(self._too_far, self.tenants.final_before)

    def _read(
        self,
        place: Place,
        records: list[tuple[int, bytes]],
        framed: dict[int, tuple[str, ...]],
        token: object,
        out: list[Document],
    ) -> None:
        # A few at a time, so that what one step leaves is still in the processor's cache for the next.
        while records:
            read: list[Held] = []
            step = records[:_STEP_COUNT]
            taken = self._understood(place, step, framed, token, read)
            del records[:taken]
            if self._single is None:
                self._follow(read, out)
            else:
                for record, here in read:
                    self._emit(self._single, record, NOTHING_KNOWN, here, out)
            if taken < len(step):
                return

    def _understood(
        self,
        place: Place,
        records: list[tuple[int, bytes]],
        framed: dict[int, tuple[str, ...]],
        token: object,
        read: list[Held],
    ) -> int:
        """Add the properties of the records, without secrets and with usable times.

        How many records were taken: less than all when this machine fails.
        """
        read_one, settle, identity = self._reader.read, self._instants.settle, place.identity
        suspects = self._reader.suspects(records)
        for count, (position, raw) in enumerate(records):
            flags: tuple[str, ...] = framed.pop(position, ()) if framed else ()
            try:
                record, original, seen = read_one(raw, flags, is_suspect=position in suspects)
                if not settle(record, identity):
                    seen = (*seen, Flag.TIME_SUSPECT.value)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
                try:
                    read += self._unread((place, position, raw, None, flags, token), error)
                except faults.MACHINE as fault:
                    self.fault = faults.told(fault)
                    framed.update({position: flags} if flags else {})
                    return count
            else:
                read.append((record, (place, position, raw, original, seen, token)))
        return len(records)

    def _unread(self, here: Here, error: Exception) -> list[Held]:
        """A record that could not be read, as its text; none if that cannot be freed of secrets."""
        faults.must_wait(error)
        place, position, raw, _, flags, token = here
        try:
            record, original, flags = self._reader.as_text(raw, flags, cause(error))
            record["@t"] = self._printed_time(raw)
            if not self._instants.settle(record, place.identity):
                flags = (*flags, Flag.TIME_SUSPECT.value)
        except faults.MACHINE:
            raise
        except Exception:  # noqa: BLE001 - what cannot be freed of secrets is shown nowhere
            self._fail(here, error)
            return []
        return [(record, (place, position, raw, original, flags, token))]

    def _printed_time(self, raw: bytes) -> object:
        try:
            return self._source.parse(raw).get("@t")
        except Exception:  # noqa: BLE001 - then it takes that of the record before it
            return None

    def _fail(self, here: Here, error: Exception) -> None:
        if here[-1] is not WARM:
            self.failures.append(failure(here, error))

    def _follow(self, read: list[Held], out: list[Document]) -> None:
        """Follow the requests through the lines of SmartWMS.

        Lines of one request that follow each other, as they mostly do, wait in `run`; only where another
        request's line comes between, in `Requests`.
        """
        requests = self._requests
        run: list[Held] = []
        run_id = ""
        for held in read:
            record, here = held
            requests.read_bytes += len(here[2]) + 1
            request_id: Any = record.get("RequestId")
            if run and request_id != run_id:
                requests.hold(run_id, run, self._elapsed())
                run = []
            if request_id.__class__ is not str:
                self._outside(record, here, out)
            elif "StatusCode" in record and is_request(record):
                self._end_request(record, here, run, out)
                run = []
            elif (facts := requests.closed(request_id)) is not None:
                self._emit(self._builder(record), record, self._context(facts), here, out)
            else:
                run.append(held)
                run_id = request_id
        if run:
            requests.hold(run_id, run, self._elapsed())

    def _end_request(self, record: dict[str, Any], here: Here, run: list[Held], out: list[Document]) -> None:
        """Give out what waited for the line that ends its request, and that line."""
        request_id = record["RequestId"]
        if self._requests.is_open(request_id):
            run = self._requests.take(request_id) + run
        told = told_by(run) if run else NOTHING_KNOWN
        facts = facts_of(record, told)
        self._requests.close(request_id, facts)
        if run:
            context = self._context(facts)
            for each, there in run:
                self._emit(self._builder(each), each, context, there, out)
        self._emit(self._request_lines.draft, record, told, here, out)

    def _context(self, facts: Facts) -> Context:
        """What the end of a request tells its other lines; nothing where that makes us fail."""
        try:
            return self._request_lines.context(facts)
        except Exception:  # noqa: BLE001 - an event that lacks its context is better than none
            return NOTHING_KNOWN

    def _outside(self, record: dict[str, Any], here: Here, out: list[Document]) -> None:
        """A line of no request."""
        if is_request(record):
            self._emit(self._request_lines.draft, record, NOTHING_KNOWN, here, out)
            return
        if text_of(record.get("@mt") or record.get("@m")).startswith(classify.RESTART):
            # The process that served the open requests is gone.
            for each in self._requests.all():
                self._give_up(each, out)
        self._emit(self._builder(record), record, NOTHING_KNOWN, here, out)

    def _give_up(self, records: list[Held], out: list[Document]) -> None:
        """Records whose request did not end in time."""
        context = told_by(records)
        for record, (place, position, raw, original, flags, token) in records:
            here = (place, position, raw, original, (*flags, Flag.INCOMPLETE_REQUEST.value), token)
            self._emit(self._builder(record), record, context, here, out)

    def _builder(self, record: dict[str, Any]) -> Build:
        return self._change_lines.draft if is_change(record) else self._other_lines.draft

    def _emit(
        self, build: Build, record: dict[str, Any], context: Context, here: Here, out: list[Document]
    ) -> None:
        place, position, raw, original, flags, token = here
        if token is WARM:
            return
        moment = record["@t"]
        if moment >= self._uncertain:
            self.ahead.put(Ahead(moment, moment >= self._too_far, (build, record, context, here)))
            return
        shown = raw.decode(errors="replace") if original is None else original
        try:
            done = self._encoder.encode(build(record, context), place, position, raw, shown, flags)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
            try:
                done = self._encode_otherwise(build, record, context, here, error)
            except faults.MACHINE as fault:
                self.fault = faults.told(fault)
                self._delayed.append((build, record, context, here))
                return
            except Exception:  # noqa: BLE001 - as above
                self._fail(here, error)
                return
        if done is None:
            self.expired.append(token)
        else:
            partition, event_id, body, tenant, digest = done
            out.append((partition, event_id, body, token, tenant, digest))

    def _encode_otherwise(
        self, build: Build, record: dict[str, Any], context: Context, here: Here, error: Exception
    ) -> Encoded | None:
        """A record of which no event could be made: with all its properties as texts, else its text alone."""
        faults.must_wait(error)
        place, position, raw, original, flags, _ = here
        shown = raw.decode(errors="replace") if original is None else original
        try:
            plain = limits.cut(limits.as_texts(record))
            return self._encoder.encode(build(plain, context), place, position, raw, shown, flags)
        except faults.MACHINE:
            raise
        except Exception:  # noqa: BLE001 - as above
            line = self._other_lines.draft(as_line(record, shown, error), NOTHING_KNOWN)
            flags = (*flags, Flag.UNPARSED.value)
            return self._encoder.encode(line, place, position, raw, shown, flags)

    def _resume(self, out: list[Document]) -> None:
        """Try again what a fault of this machine has delayed."""
        waiting, self._delayed = self._delayed, []
        for number, each in enumerate(waiting):
            self._emit(*each, out)
            if self._delayed:
                self._delayed += waiting[number + 1 :]
                return

    def _release_ahead(self, out: list[Document], *, everything: bool = False) -> None:
        waiting, self.ahead = self.ahead, Waiting()
        if everything:
            self._uncertain = "9999"
        for item in waiting:
            self._emit(*item.held, out)


WARM: Final = object()
"""The token of records that were stored before a restart: nothing of them is given out."""
_STEP_COUNT: Final = 24
