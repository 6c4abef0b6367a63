"""The last step: a draft and its place in the log become the id, the partition and the bytes of a document.

The bytes are joined from encoded parts in sorted order, so that what is hashed is the canonical form
(`indexer.event.canonical`) without encoding anything twice; a test compares the two for every record of the
samples.
"""

from binascii import hexlify
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import Final, NamedTuple, TypeAlias

import orjson

from agent.normalise import fragments
from agent.normalise.draft import Draft
from agent.normalise.local_time import UNDATED, days_before, hour_and_weekday, known_zone
from indexer.event import id_prefix, id_suffix
from indexer.tenants import Tenants

_AGENT: Final = b',"agent":{"version":"%b"}' % version("smartwms-audit").encode()
_MINUTE: Final = 16
_NANOS_LENGTH: Final = 30
_HEAD_END: Final = len('{"@timestamp":"2026-11-23T06:26:39.977513000Z"')
_SORTED: Final = orjson.OPT_SORT_KEYS
_dumps: Final = orjson.dumps
# Later than any time: nothing of an erased tenant is kept.
_NONE_KEPT: Final = "9999"


Encoded: TypeAlias = tuple[str, str, bytes, str, bytes]
"""Partition, id, document, the tenant's id, and the 32 bytes that are `event.hash`."""


class Place:
    """Parts of every event of one file, computed once."""

    __slots__ = ("file", "identity", "logs", "prefix")

    def __init__(self, prefix: str, file: str, identity: bytes) -> None:
        self.prefix = prefix
        self.file = file
        self.identity = identity
        self.logs: dict[tuple[str | None, str | None], bytes] = {}
        """Part `log` by level and logger."""


class _Moment(NamedTuple):
    """What the tenant and the minute decide."""

    partition: str
    class_name: str
    oldest: str
    tenant: bytes
    local: bytes


class Encoder:
    """Encodes the events of one source."""

    def __init__(
        self, *, prefix: str, host: str, service: str, source: str, format_name: str, provenance: str
    ) -> None:
        self._prefix = prefix
        self._host = host
        self._source = source
        self._format_name = format_name
        self._after_position = b',"provenance":"%b"}%b' % (
            provenance.encode(),
            fragments.part("host", {"name": host}),
        )
        self._service = fragments.part("service", {"name": service})
        self._moments: dict[tuple[str, str], _Moment] = {}
        self._tenants: Tenants | None = None
        self._ingested = b""
        self._now: datetime | None = None

    def at(self, now: datetime, tenants: Tenants) -> None:
        """The clock and the copy of the tenants for what follows; neither takes part in any identity."""
        if tenants is not self._tenants or self._now is None or now.date() != self._now.date():
            self._moments.clear()
        self._tenants = tenants
        self._now = now
        self._ingested = f'","ingested":"{now.isoformat(timespec="milliseconds")[:23]}Z",'.encode()

    def place(self, path: str, identity: bytes) -> Place:
        """The parts of an event that its file decides."""
        return Place(id_prefix(self._host, self._source, identity), path, identity)

    def encode(
        self, draft: Draft, place: Place, position: int, raw: bytes, original: str, flags: tuple[str, ...]
    ) -> Encoded | None:
        """The event; None when the event is older than its class keeps.

        `original` is the record as read, without its secrets; `raw` are its bytes, only hashed; `flags` join
        the draft's.
        """
        (
            own, tenant, time, head, what, outcome, own_flags, http, labels, level, logger, message,
            request, source, tail, trace,
        ) = draft  # fmt: skip
        moment = self._moments.get((own, time[:_MINUTE])) or self._moment(own, time)
        _, _, oldest, tenant_part, local = moment
        if time < oldest and (time != UNDATED or oldest is _NONE_KEPT):
            return None
        if tenant != own:
            if self._known_tenants().is_erased(tenant):
                return None
            tenant_part = fragments.tenant(tenant, moment.class_name)
            local = self._local(tenant, time[:_MINUTE])
        if len(time) != _NANOS_LENGTH:
            time = f"{time[:-1]:0<29}Z"
        if own_flags or flags:
            what += b',"flags":%b' % _dumps(sorted({*own_flags, *flags}))
        if trace is not None:
            if trace.__class__ is str:
                tail = b',"trace":{"id":%b}%b' % (_dumps(trace), tail)
            else:
                labels["@tr"] = trace
        event_id = place.prefix + id_suffix(position, raw)
        first = b'{"@timestamp":"%b"%b,"event":{' % (time.encode(), head)
        second = b"".join((
            what,
            b',"id":"%b","original":' % event_id.encode(),
            _dumps(original),
            outcome,
            b',"position":%d' % position,
            self._after_position,
            http,
            b',"labels":',
            _dumps(labels, None, _SORTED),
            local,
            place.logs.get((level, logger)) or self._log(place, level, logger),
            b',"message":',
            _dumps(message),
            request,
            self._service,
            source,
            tenant_part,
            tail,
            b"}",
        ))  # fmt: skip
        hashed = sha256(first)
        hashed.update(second)
        digest = hashed.digest()
        body = b"".join((
            first[:_HEAD_END], _AGENT, first[_HEAD_END:], b'"hash":"', hexlify(digest),
            self._ingested, second,
        ))  # fmt: skip
        return moment.partition, event_id, body, tenant, digest

    def _moment(self, own: str, time: str) -> _Moment:
        tenants = self._known_tenants()
        class_name = tenants.class_at(own, time)
        days = tenants.days_at(own, time)
        minute = time[:_MINUTE]
        oldest = days_before(self._now, days) if days is not None and self._now is not None else ""
        moment = _Moment(
            tenants.partition(self._prefix, own, time),
            class_name,
            _NONE_KEPT if tenants.is_erased(own) else oldest,
            fragments.tenant(own, class_name),
            self._local(own, minute),
        )
        if len(self._moments) >= fragments.REMEMBERED_COUNT:
            self._moments.clear()
        self._moments[own, minute] = moment
        return moment

    def _log(self, place: Place, level: str | None, logger: str | None) -> bytes:
        for text in (level, logger):
            if text is not None and not isinstance(text, str):
                raise TypeError("a level or logger that is no text")
        part = fragments.log(
            level or "Information", logger or "", self._source, place.file, self._format_name
        )
        if len(place.logs) < fragments.REMEMBERED_COUNT:
            place.logs[level, logger] = part
        return part

    def _local(self, tenant: str, minute: str) -> bytes:
        return _wall_clock(minute, self._known_tenants().settings(tenant).zone)

    def _known_tenants(self) -> Tenants:
        if self._tenants is None:
            raise RuntimeError("Encoder.at() comes before the first event")
        return self._tenants


@lru_cache(fragments.REMEMBERED_COUNT)
def _wall_clock(minute: str, zone: str) -> bytes:
    zone = known_zone(zone)
    hour, weekday = hour_and_weekday(minute, zone)
    return fragments.local(hour, weekday, zone)
