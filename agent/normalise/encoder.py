"""The last step: a draft and its place in the log become the id, the partition and the bytes of a document.

The bytes are joined from encoded parts in sorted order, so that what is hashed is the canonical form
(`indexer.event.canonical`) without encoding anything twice; a test compares the two for every record of the
samples.
"""

import zlib
from binascii import b2a_base64
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import Final, NamedTuple

import orjson

from agent.normalise import fragments
from agent.normalise.draft import Draft
from agent.normalise.local_time import UNDATED, days_before, hour_and_weekday
from indexer.event import id_prefix
from indexer.tenants import Tenants

_AGENT: Final = b',"agent":{"version":"%b"}' % version("smartwms-audit").encode()
_MINUTE: Final = 16
_NANOS_LENGTH: Final = 30
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_dumps: Final = orjson.dumps
_SORTED: Final = orjson.OPT_SORT_KEYS


class Place(NamedTuple):
    """Parts of every event of one file, computed once."""

    prefix: str
    file: str
    identity: bytes


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
        self._host_part = b"}" + fragments.part("host", {"name": host})
        self._service_part = fragments.part("service", {"name": service})
        self._provenance = b',"provenance":"%b"' % provenance.encode()
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
        self._ingested = f'","ingested":"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",'.encode()

    def place(self, path: str, identity: bytes) -> Place:
        """The parts of an event that its file decides."""
        return Place(id_prefix(self._host, self._source, identity), path, identity)

    def encode(
        self, draft: Draft, place: Place, position: int, raw: bytes, original: str
    ) -> tuple[str, str, bytes] | None:
        """Index, id and document; None when the event is older than its class keeps.

        `original` is the record as read, without its secrets; `raw` are its bytes, only hashed.
        """
        (
            own,
            tenant,
            time,
            head,
            what,
            duration,
            outcome,
            flags,
            http,
            labels,
            message,
            source,
            url,
            user,
            request,
        ) = draft
        moment = self._moments.get((own, time[:_MINUTE])) or self._moment(own, time)
        if time < moment.oldest and time != UNDATED:
            return None
        if tenant == own:
            tenant_part, local = moment.tenant, moment.local
        else:
            tenant_part, local = (
                fragments.tenant(tenant, moment.class_name),
                self._local(tenant, time[:_MINUTE]),
            )
        if len(time) != _NANOS_LENGTH:
            time = f"{time[:-1]}00Z"
        pop = labels.pop
        log = fragments.log(
            pop("@l", None) or "Information",
            pop("SourceContext", None) or "",
            self._source,
            place.file,
            self._format_name,
        )
        trace = pop("@tr", None)
        newline = raw.find(b"\n")
        mark = zlib.crc32(raw if newline < 0 else raw[:newline]) & 0xFFFFFF
        event_id = (
            place.prefix
            + b2a_base64((position << 24 | mark).to_bytes(9, "big"), newline=False)
            .translate(_URL_SAFE)
            .decode()
        )
        first = b'{"@timestamp":"%b"%b,"event":{' % (time.encode(), head)
        second = b"".join((
            what[1:],
            duration,
            b',"flags":%b' % _dumps(sorted(set(flags))) if flags else b"",
            b',"id":"%b","original":' % event_id.encode(),
            _dumps(original),
            outcome,
            b',"position":%d' % position,
            self._provenance,
            self._host_part,
            http,
            b',"labels":',
            _dumps(labels, None, _SORTED),
            local,
            log,
            b',"message":',
            _dumps(message),
            b',"request":{"id":%b}' % request if request else b"",
            self._service_part,
            source,
            tenant_part,
            b',"trace":{"id":%b}' % _dumps(trace) if trace else b"",
            url,
            user,
            b"}",
        ))  # fmt: skip
        digest = sha256(first)
        digest.update(second)
        body = b"".join((
            first[:_SPLIT], _AGENT, first[_SPLIT:], b'"hash":"', digest.hexdigest().encode(),
            self._ingested, second
        ))  # fmt: skip
        return moment.partition, event_id, body

    def _moment(self, own: str, time: str) -> _Moment:
        tenants = self._known_tenants()
        class_name = tenants.class_at(own, time)
        days = tenants.days_at(own, time)
        minute = time[:_MINUTE]
        moment = _Moment(
            tenants.partition(self._prefix, own, time),
            class_name,
            days_before(self._now, days) if days is not None and self._now is not None else "",
            fragments.tenant(own, class_name),
            self._local(own, minute),
        )
        if len(self._moments) >= fragments.REMEMBERED_COUNT:
            self._moments.clear()
        self._moments[own, minute] = moment
        return moment

    def _local(self, tenant: str, minute: str) -> bytes:
        return _wall_clock(minute, self._known_tenants().settings(tenant).zone)

    def _known_tenants(self) -> Tenants:
        if self._tenants is None:
            raise RuntimeError("Encoder.at() comes before the first event")
        return self._tenants


_SPLIT: Final = len('{"@timestamp":"2026-11-23T06:26:39.977513000Z"')


@lru_cache(fragments.REMEMBERED_COUNT)
def _wall_clock(minute: str, zone: str) -> bytes:
    hour, weekday = hour_and_weekday(minute, zone)
    return fragments.local(hour, weekday, zone)
