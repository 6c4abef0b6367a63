"""What a line of nginx's access log says: a request as the proxy saw it, with the address it came from."""

import re
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import orjson

from agent.normalise import fragments, sentences
from agent.normalise.draft import Context, Draft
from agent.normalise.layouts import Layouts
from agent.normalise.properties import tenant_of, text_of
from agent.normalise.request_lines import CLAIM_ONLY, FAILED, READS, REFUSED, STATUSES, is_export
from agent.normalise.routes import Routes
from indexer.event import NO_TENANT

_LAYOUT: Final = (
    *("@t", "method", "uri", "status", "tenant", "remote_user", "remote_addr", "user_agent"),
    *("request_time", "request_id", "@m"),
)
_SLASH: Final = re.compile("%2[Ff]")
_REMEMBERED_CHARS: Final = 512
_LONGEST_SECS: Final = 1e9
_dumps: Final = orjson.dumps
_new: Final = tuple.__new__


class _Reading(NamedTuple):
    """What method, URI and status of a request say."""

    claimed: str
    what: bytes
    outcome: bytes
    http: bytes
    url: bytes
    entity: bytes
    before: str
    after: str
    nobody: str


class ProxyLines:
    """Builds drafts for one source of access-log lines."""

    def __init__(self, routes: Routes, *, tenant: str) -> None:
        self._tenant = tenant
        self._routes = routes
        self._layouts = Layouts(_LAYOUT)
        self._readings: dict[tuple[str, str, int], _Reading] = {}

    def draft(self, record: dict[str, Any], _context: Context) -> Draft:
        """The event of an access-log line: always `api`; a line it could not parse is `system`."""
        labels = self._layouts.labels(record)
        time, method, uri, status, tenant, user, address, agent, seconds, request_id, printed = (
            self._layouts.values(record)
        )
        reading = self._readings.get((method, uri, status)) or self._read(method, uri, status, labels)
        claimed = reading.claimed
        own = tenant_of(tenant) if tenant else ""
        if tenant and not own:
            labels["tenant"] = tenant
        own = own or ("" if status in CLAIM_ONLY else claimed) or self._tenant or NO_TENANT
        if claimed and own != claimed:
            labels["claimed_tenant"] = claimed
        who, source, user_part = fragments.origin(
            "", "" if user is None or user == "-" else user, "", address or "",
            "" if agent is None or agent == "-" else agent,
        )  # fmt: skip
        what, message = reading.what, reading.nobody
        if who:
            message = f"{reading.before}{who}{reading.after}"
        if printed is not None:
            if method:
                labels["@m"] = printed
            else:
                what, message = fragments.what("system", "logged"), text_of(printed)
        return _new(Draft, (
            own,
            own,
            time,
            reading.entity,
            what if seconds is None else what + _duration(seconds, labels),
            reading.outcome,
            (),
            reading.http,
            labels,
            None,
            None,
            message,
            b',"request":{"id":%b}' % _dumps(text_of(request_id)) if request_id else b"",
            source,
            reading.url + user_part,
            None,
        ))  # fmt: skip

    def _read(self, method: object, uri: object, printed_status: object, labels: dict[str, Any]) -> _Reading:
        status = 0
        if printed_status.__class__ is int and printed_status in STATUSES:
            status = printed_status
        elif printed_status is not None:
            labels["status"] = printed_status
        method, uri = text_of(method), text_of(uri)
        path, _, query = uri.partition("?")
        match = self._routes.match(method, _decoded(path) if "%" in path else path)
        row = match.row
        action = _action(method, status, row.action, query)
        named = match.entity_id or match.entity_number or path or "a malformed request"
        before, after, nobody = (
            text.replace(sentences.GAP, named) for text in sentences.request(action, row, method, status)
        )
        outcome = "unknown" if not status else "failure" if status >= REFUSED else "success"
        reading = _Reading(
            # Of the path as it stands: the tenant chooses the partition, which a resend has to find again.
            self._routes.tenant(path),
            fragments.what("api", action),
            fragments.outcome(outcome),
            fragments.http(method, status) if method else b"",
            fragments.url({"path": path, "query": query, "route": row.template}),
            fragments.entity(match.entity_type, match.entity_id, match.entity_number),
            before,
            after,
            nobody,
        )
        if status and len(uri) <= _REMEMBERED_CHARS:
            if len(self._readings) >= fragments.REMEMBERED_COUNT:
                self._readings.clear()
            self._readings[method, uri, status] = reading
        return reading


def _decoded(path: str) -> str:
    """A path as SmartWMS reads it, without `%xx` but for `%2F`; as it stands where it would break a line."""
    decoded = unquote(_SLASH.sub("%252F", path))
    return decoded if decoded.isprintable() else path


def _action(method: str, status: int, routed: str, query: str) -> str:
    if status >= REFUSED:
        return "failed" if status >= FAILED else "refused"
    if method in READS:
        return "exported" if routed == "exported" or is_export(query) else "read"
    return "called"


def _duration(seconds: object, labels: dict[str, Any]) -> bytes:
    if isinstance(seconds, int | float) and abs(seconds) < _LONGEST_SECS:
        return b',"duration_ms":%b' % _dumps(round(seconds * 1000, 3))
    labels["request_time"] = seconds
    return b""
