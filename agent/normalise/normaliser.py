"""From records to documents, for one source: parse, redact, wait for the request's end, classify, encode.

Nothing here touches a disk or a network. A document's id and index depend only on the record's own bytes, its
place, the source's settings and the plan history; what the other lines of its request told fills fields, and
moves nothing.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from agent.normalise import classify, limits, smartwms
from agent.normalise.draft import NOTHING_KNOWN, Context, Draft
from agent.normalise.encoder import Encoder, Place
from agent.normalise.instants import Instants
from agent.normalise.local_time import days_before
from agent.normalise.proxy import ProxyEvents
from agent.normalise.redaction import Redactor
from agent.normalise.requests import Here, Requests
from agent.normalise.smartwms import SmartwmsEvents
from agent.normalise.trail import TrailEvents
from indexer.event import VALUE_LIMIT_BYTES, Flag
from indexer.tenants import Tenants

OPEN_SECS: Final = 60.0
"""A request whose end was not seen for so long is given out as it is."""

Build = Callable[[dict[str, Any], Context], Draft]
Document = tuple[str, str, bytes, Any]
"""Index, id, body (JSON), and the token that the record was fed with."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as the events name it: its path, and its identity of `indexer.event.IDENTITY_BYTES`."""

    path: str
    identity: bytes


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the settings of the agent and of one source say."""

    name: str
    host: str
    service: str
    format_name: str
    provenance: str
    parse: Callable[[bytes], dict[str, Any]]
    """One record's bytes to its properties.

    ValueError when it is none, with what could be read as `known`.
    """
    changes_logged: bool = False
    tenant: str = ""
    ahead_days: int = 2


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class Normaliser:
    """Turns the records of one source into documents; see `feed`."""

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
        self.ahead: list[tuple[str, Any]] = []
        """Time and held record of what is too far ahead of the clock.

        Given out by `tick` when its day has come.
        """
        self._source = source
        self._clock = clock
        self._elapsed = elapsed
        self._redactor = Redactor(redaction_key, extra_names)
        self._encoder = Encoder(
            prefix=prefix,
            host=source.host,
            service=source.service,
            source=source.name,
            format_name=source.format_name,
            provenance=source.provenance,
        )
        self._events = SmartwmsEvents(changes_logged=source.changes_logged, tenant=source.tenant)
        self._single: Build | None = None
        if source.provenance == "proxy":
            self._single = ProxyEvents(tenant=source.tenant).request
        elif source.provenance == "trail":
            self._single = TrailEvents(tenant=source.tenant).entry
        self._requests = Requests()
        self._instants = Instants()
        self._places: dict[tuple[str, bytes], Place] = {}
        self._too_far = ""

    # -- what the pipeline calls

    def feed(
        self,
        file: FileInfo,
        records: list[tuple[int, bytes]],
        flags: dict[int, tuple[str, ...]],
        token: object,
    ) -> list[Document]:
        """Take records (position, raw bytes) of one file; give out the documents that are decided now.

        `flags` holds what the framing saw, by position, and is emptied. Each record comes back exactly once,
        here or from a later call, as a document with its token or as its token in `expired`.
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
        self._read(self._begin(file), records, {}, _WARM, [])

    def tick(self) -> list[Document]:
        """Give out what waited too long for its request's end, and what is no longer ahead of the clock."""
        out: list[Document] = []
        self._set_clock()
        for held in self._requests.overdue(self._elapsed() - OPEN_SECS):
            self._give_up(held, out)
        self._release_ahead(out)
        return out

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

    # -- one record

    def _begin(self, file: FileInfo) -> Place:
        self._set_clock()
        key = (file.path, file.identity)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._encoder.place(file.path, file.identity)
        return place

    def _set_clock(self) -> None:
        now = self._clock()
        self._encoder.at(now, self.tenants)
        # Nor can an event be placed by plans that the copy of the tenants cannot know yet.
        self._too_far = min(days_before(now, -self._source.ahead_days), self.tenants.final_before)

    def _read(
        self,
        place: Place,
        records: list[tuple[int, bytes]],
        framed: dict[int, tuple[str, ...]],
        token: object,
        out: list[Document],
    ) -> None:
        parse, is_suspect, settle = self._source.parse, self._redactor.is_suspect, self._instants.settle
        requests, single, identity = self._requests, self._single, place.identity
        for position, raw in records:
            flags: tuple[str, ...] = framed.pop(position, ()) if framed else ()
            original = None
            try:
                record = parse(raw)
            except ValueError as error:
                record = _unparsed(raw, error)
                flags = (*flags, Flag.UNPARSED.value)
            if is_suspect(raw):
                record, original, flags = self._redacted(record, raw, flags)
            elif len(raw) > VALUE_LIMIT_BYTES:
                record = limits.cut(record)
            if not settle(record, identity):
                flags = (*flags, Flag.TIME_SUSPECT.value)
            requests.read_bytes += len(raw) + 1
            here = (place, position, raw, original, flags, token)
            if single is not None:
                self._emit(self._built(single, record, NOTHING_KNOWN, here), here, out)
            elif "StatusCode" in record and smartwms.is_request(record):
                self._end_request(record, here, out)
            else:
                self._inside(record, here, out)

    def _end_request(self, record: dict[str, Any], here: Here, out: list[Document]) -> None:
        """The line that ends a request: what waited for it is decided now."""
        request_id = record.get("RequestId")
        earlier = self._requests.take(request_id) if request_id.__class__ is str else ()
        told = _told(earlier) if earlier else NOTHING_KNOWN
        if request_id.__class__ is str:
            context = self._events.context_of(record, told)
            self._requests.close(request_id, context)
            for each, there in earlier:
                self._emit(self._built(self._builder(each), each, context, there), there, out)
        self._emit(self._built(self._events.request, record, told, here), here, out)

    def _inside(self, record: dict[str, Any], here: Here, out: list[Document]) -> None:
        """A line of a request that has not ended, of one that has, or of none."""
        request_id: Any = record.get("RequestId")
        context: Context | None = NOTHING_KNOWN
        if request_id.__class__ is str:
            context = self._requests.closed(request_id)
        elif (record.get("@mt") or record.get("@m") or "").startswith(classify.RESTART):
            # The process that served the open requests is gone.
            for each in self._requests.all():
                self._give_up(each, out)
        if context is None:
            self._requests.hold(request_id, record, here, self._elapsed())
        else:
            self._emit(self._built(self._builder(record), record, context, here), here, out)

    def _give_up(self, records: Iterable[tuple[dict[str, Any], Here]], out: list[Document]) -> None:
        """Records whose request did not end in time."""
        context = _told(records)
        for record, (place, position, raw, original, flags, token) in records:
            here = (place, position, raw, original, (*flags, Flag.INCOMPLETE_REQUEST.value), token)
            self._emit(self._built(self._builder(record), record, context, here), here, out)

    def _builder(self, record: dict[str, Any]) -> Build:
        return self._events.change if smartwms.is_change(record) else self._events.other

    def _built(self, build: Build, record: dict[str, Any], context: Context, here: Here) -> Draft:
        try:
            return build(record, context)
        except (TypeError, AttributeError, ValueError):
            # A property of an unexpected type: take it as text. Builders consume the record: read it again.
            _, _, raw, original, flags, _ = here
            again = (
                _unparsed(raw, ValueError("read again"))
                if Flag.UNPARSED in flags
                else self._source.parse(raw)
            )
            if original is not None:
                again, _, _ = self._redacted(again, raw, ())
            again["@t"] = record.get("@t") or again.get("@t")
            settled = limits.cut(limits.as_texts(again))
            self._instants.settle(settled, here[0].identity)
            return build(settled, context)

    def _emit(self, draft: Draft, here: Here, out: list[Document]) -> None:
        place, position, raw, original, flags, token = here
        if token is _WARM:
            return
        if draft[2] >= self._too_far:
            self.ahead.append((draft[2], (draft, here)))
            return
        if flags:
            draft[7].extend(flags)
        done = self._encoder.encode(
            draft, place, position, raw, raw.decode(errors="replace") if original is None else original
        )
        if done is None:
            self.expired.append(token)
        else:
            out.append((*done, token))

    def _release_ahead(self, out: list[Document], *, everything: bool = False) -> None:
        waiting, self.ahead = self.ahead, []
        if everything:
            self._too_far = "9999"
        for _, (draft, here) in waiting:
            self._emit(draft, here, out)

    # -- what must not be kept, and what could not be read

    def _redacted(
        self, record: dict[str, Any], raw: bytes, flags: tuple[str, ...]
    ) -> tuple[dict[str, Any], str, tuple[str, ...]]:
        """The record and its original without secrets, and the flags that say so."""
        clean, secrets = self._redactor.properties(record)
        text = raw.decode(errors="replace")
        if self._source.provenance in {"structured", "trail"} and Flag.UNPARSED not in flags:
            original = text if clean == record else orjson.dumps(clean).decode()
        else:
            original = self._redactor.text(_named_values(text, record, clean), secrets)
        if clean != record or original != text:
            flags = (*flags, Flag.REDACTED.value)
        return limits.cut(clean) if len(raw) > VALUE_LIMIT_BYTES else clean, original, flags


_WARM: Final = object()
_LONG: Final = 4096


def _unparsed(raw: bytes, error: ValueError) -> dict[str, Any]:
    """The properties of a record that its format does not understand: nothing of it is dropped."""
    text = raw.decode(errors="replace")
    known: dict[str, Any] = getattr(error, "known", {})
    return {**known, "@m": text.partition("\n")[0][:1000].strip() or "(unreadable)", "reason": str(error)}


def _told(records: Iterable[tuple[dict[str, Any], Any]]) -> Context:
    """What the records of one request tell together: who, whose, and whether the database refused."""
    known = NOTHING_KNOWN
    failed = False
    for record, _ in records:
        logger = record.get("SourceContext")
        if logger == smartwms.UPDATE_FAILED_LOGGER:
            failed = True
        if known.user_id or logger != smartwms.CHANGE_LOGGER:
            continue
        user_id = record.get("UserId")
        if user_id:
            name, email = smartwms.text_of(record.get("UserName")), smartwms.text_of(record.get("UserEmail"))
            known = Context(
                smartwms.text_of(user_id), name, email, smartwms.tenant_of(record.get("TenantId"))
            )
        else:
            known = smartwms.signed_in(record) or known
    return known._replace(outcome="failure") if failed else known


def _named_values(text: str, record: object, clean: object) -> str:
    """A text that prints properties as JSON, with the redacted ones replaced where their names stand."""
    if isinstance(record, dict) and isinstance(clean, dict):
        for name, value in record.items():
            kept = clean.get(name)
            if kept == value:
                continue
            if isinstance(kept, str) and not (isinstance(value, str) and len(value) > _LONG):
                mark = f"{orjson.dumps(name).decode()}:"
                text = text.replace(mark + orjson.dumps(value).decode(), mark + orjson.dumps(kept).decode())
            else:
                text = _named_values(text, value, kept)
    return text
