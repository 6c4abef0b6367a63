"""The line that ends a request of SmartWMS: method, path, status, who, from where."""

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

import orjson

from agent.normalise import fragments, sentences
from agent.normalise.draft import Context, Draft
from agent.normalise.layouts import Layouts
from agent.normalise.properties import request_part, tenant_of, text_of
from agent.normalise.routes import NO_ROW, Routes, Row
from indexer.event import NO_TENANT

EXPORT_ROWS: Final = 500
"""A page of so many rows or more is an export."""
CLAIM_ONLY: Final = frozenset({401, 403, 404})
"""Answers that make the tenant in a path a mere claim."""
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
REFUSED: Final = 400
FAILED: Final = 500
STATUSES: Final = range(100, 1000)

# As ASP.NET reads a number: blanks (`+`) and zeros around it mean nothing, and 2147483647 is everything.
_PAGE_SIZE: Final = re.compile(
    r"(?i)(?:^|[?&])(?:pageSize|page_size|limit|take)=[\s+]*+0*+([0-9]{1,19})[\s+]*+(?:&|$)"
)
_LOGIN_REFUSED: Final = frozenset({401, 403, 423, 429})
_REMEMBERED_CHARS: Final = 512
_LONGEST_MS: Final = 1e12
_OUTCOMES: Final = {True: b',"outcome":"failure"', False: b',"outcome":"success"'}
_LAYOUT: Final = (
    *("@t", "@l", "@tr", "@x", "SourceContext", "RequestMethod", "RequestPath", "StatusCode", "QueryString"),
    *("Elapsed", "TenantId", "UserTenantId", "UserId", "UserName", "ClientIP", "UserAgent"),
    *("RequestId", "CorrelationId", "ConnectionId"),
)
_PRINTED: Final = ("@mt", "@m", "@r")
_dumps: Final = orjson.dumps
_new: Final = tuple.__new__

Facts = tuple[str, int, object, object, object, Context]
"""What a request line tells the other lines of its request: path, status, tenant, user's id and name,
and what those lines told; see `RequestLines.context`."""


class _Reading(NamedTuple):
    """What method, path, status and query of a request say."""

    action: str
    claimed: str
    what: bytes
    outcome: bytes
    http: bytes
    url: bytes
    entity: bytes
    before: str
    after: str
    nobody: str


class RequestLines:
    """Builds drafts of request lines. `changes_logged`: data changes have lines of their own."""

    def __init__(self, routes: Routes, *, changes_logged: bool, tenant: str) -> None:
        self._changes_logged = changes_logged
        self._tenant = tenant
        self._routes = routes
        self._layouts = Layouts(_LAYOUT, dropped=_PRINTED)
        self._readings: dict[tuple[str, str, int, str | None], _Reading] = {}

    def draft(self, record: dict[str, Any], context: Context) -> Draft:
        """The event of a record for which `is_request` holds; `context` is what its request's lines told."""
        labels = self._layouts.labels(record)
        (
            time, level, trace, exception, logger, method, path, status, query, elapsed, tenant, user_tenant,
            user_id, name, address, agent, request_id, correlation_id, connection_id,
        ) = self._layouts.values(record)  # fmt: skip
        reading = self._readings.get((method, path, status, query)) or self._read(method, path, status, query)
        own = reading.claimed
        if not own or own != tenant or user_tenant is not None or status in CLAIM_ONLY:
            own = self._owner(own, status, tenant, user_tenant, labels)
        email = ""
        if not (user_id or name):
            user_id, name, email, _, _ = context
            if not name and reading.action == "login_failed":
                name = text_of(record.get("AttemptedUser"))
        elif user_id == context.user_id:
            email = context.user_email
        who, source, user = fragments.origin(user_id or "", name or "", email, address or "", agent or "")
        return _new(Draft, (
            own,
            own if own != NO_TENANT else context.tenant or NO_TENANT,
            time,
            reading.entity if exception is None else reading.entity + fragments.error(exception),
            reading.what if elapsed is None else reading.what + _duration(elapsed, labels),
            reading.outcome,
            (),
            reading.http,
            labels,
            level,
            logger,
            f"{reading.before}{who}{reading.after}" if who else reading.nobody,
            request_part(request_id, correlation_id, connection_id, labels),
            source,
            reading.url + user,
            trace,
        ))  # fmt: skip

    def context(self, facts: Facts) -> Context:
        """What a request line tells the other lines of its request."""
        path, status, tenant_id, user_id, name, inside = facts
        tenant = inside.tenant
        if not tenant and status not in CLAIM_ONLY:
            tenant = tenant_of(tenant_id) or self._routes.tenant(path)
        outcome = "failure" if status >= REFUSED or inside.outcome == "failure" else "success"
        if user_id or name:
            email = inside.user_email if inside.user_id == user_id else ""
            return _context(text_of(user_id), text_of(name), email, tenant, outcome)
        return _context(inside.user_id, inside.user_name, inside.user_email, tenant, outcome)

    def _owner(
        self, claimed: str, status: int, tenant: object, user_tenant: object, labels: dict[str, Any]
    ) -> str:
        """The tenant that the record belongs to, by itself."""
        if tenant:
            known = tenant_of(tenant)
            if known:
                claimed = known
            else:
                labels["TenantId"] = tenant
        own = "" if status in CLAIM_ONLY else claimed
        if user_tenant:
            known = tenant_of(user_tenant)
            if known:
                own = known
            else:
                labels["UserTenantId"] = user_tenant
        own = own or self._tenant or NO_TENANT
        if claimed and own != claimed:
            labels["claimed_tenant"] = claimed
        return own

    def _read(self, method: str, path: str, status: int, query: str | None) -> _Reading:
        if not isinstance(query, str | None):
            raise TypeError("a query that is no text")
        match = self._routes.match(method, path)
        row = match.row
        category, action = self._action(row, method, status, query or "")
        say = sentences.request
        if category not in {"api", "authentication", "audit"}:
            say = sentences.domain_request
        named = match.entity_id or match.entity_number or path
        before, after, nobody = (
            text.replace(sentences.GAP, named) for text in say(action, row, method, status)
        )
        url = {"path": path, "query": (query or "").removeprefix("?"), "route": row.template}
        reading = _Reading(
            action,
            match.tenant,
            fragments.what(category, action),
            _OUTCOMES[status >= REFUSED],
            fragments.http(method, status),
            fragments.url(url),
            fragments.entity(match.entity_type, match.entity_id, match.entity_number),
            before,
            after,
            nobody,
        )
        if len(path) <= _REMEMBERED_CHARS and len(query or "") <= _REMEMBERED_CHARS:
            if len(self._readings) >= fragments.REMEMBERED_COUNT:
                self._readings.clear()
            self._readings[method, path, status, query] = reading
        return reading

    def _action(self, row: Row, method: str, status: int, query: str) -> tuple[str, str]:
        if status >= REFUSED:
            return _failed_action(row, status)
        if row.category in {"authentication", "audit"}:
            return row.category, row.action
        if method in READS:
            return "api", "exported" if row.action == "exported" or is_export(query) else "read"
        if self._changes_logged or row is NO_ROW or not row.category:
            return "api", "called"
        return row.category, row.action


@lru_cache(fragments.REMEMBERED_COUNT)
def _context(user_id: str, name: str, email: str, tenant: str, outcome: str) -> Context:
    return Context(user_id, name, email, tenant, outcome)


def is_request(record: dict[str, Any]) -> bool:
    """Whether a record is the line that ends a request."""
    status = record.get("StatusCode")
    return (
        status.__class__ is int
        and status in STATUSES
        and record.get("RequestPath").__class__ is str
        and record.get("RequestMethod").__class__ is str
    )


def facts_of(record: dict[str, Any], inside: Context) -> Facts:
    """What a request line tells the other lines of its request, given what they told (`inside`)."""
    return (
        record["RequestPath"],
        record["StatusCode"],
        record.get("TenantId"),
        record.get("UserId"),
        record.get("UserName"),
        inside,
    )


def is_export(query: str) -> bool:
    """Whether a query string asks for a page as large as an export."""
    if "%" in query:
        query = "&".join(unquote_plus(pair).replace("&", " ") for pair in query.split("&"))
    found = _PAGE_SIZE.search(query) if query else None
    return found is not None and int(found[1]) >= EXPORT_ROWS


def _failed_action(row: Row, status: int) -> tuple[str, str]:
    if row.action == "login" and status in _LOGIN_REFUSED:
        return "authentication", "login_failed"
    if row.action == "token_refreshed" and status < FAILED:
        return "authentication", "token_refused"
    return "api", "failed" if status >= FAILED else "refused"


def _duration(elapsed_ms: object, labels: dict[str, Any]) -> bytes:
    if (elapsed_ms.__class__ is float or elapsed_ms.__class__ is int) and -1 < elapsed_ms < _LONGEST_MS:
        return b',"duration_ms":%b' % _dumps(elapsed_ms)
    labels["Elapsed"] = elapsed_ms
    return b""
