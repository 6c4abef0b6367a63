"""What a record of SmartWMS itself says: a request line, a data-change line, or any other line of its log.

Each builder takes the properties of a record (Serilog's compact JSON; the text format is parsed into the
same), removes what it uses, and leaves the rest as labels. The tables of `classify` and `routes` say what
becomes what; what repeats is remembered.
"""

import re
from typing import Any, Final, NamedTuple

import orjson

from agent.normalise import classify, fragments, sentences
from agent.normalise.draft import Context, Draft
from agent.normalise.routes import NO_ROW, Routes, Row
from indexer.event import NO_TENANT, Flag

CHANGE_LOGGER: Final = "SmartWMS.Audit"
UPDATE_FAILED_LOGGER: Final = "Microsoft.EntityFrameworkCore.Update"
EXPORT_ROWS: Final = 500
"""A page of so many rows or more is an export."""
CLAIM_ONLY: Final = frozenset({401, 403, 404})
"""Answers that make the tenant in a path a mere claim."""
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_PAGE_SIZE: Final = re.compile(r"(?i)(?:^|[?&])(?:pageSize|page_size|limit|take)=(\d{1,9})(?:&|$)")
_LOGIN_REFUSED: Final = frozenset({401, 403, 423, 429})
_GUID_LENGTH: Final = 36
_REFUSED: Final = 400
_FAILED: Final = 500
_SORTED: Final = orjson.OPT_SORT_KEYS
_OUTCOMES: Final = {name: f',"outcome":"{name}"'.encode() for name in ("success", "failure", "unknown")}


def text_of(value: object) -> str:
    """A property as text; null is the empty text."""
    return value if value.__class__ is str else "" if value is None else str(value)


def tenant_of(value: object) -> str:
    """A tenant as its lower-case GUID, or an empty text."""
    return value.lower() if value.__class__ is str and len(value) == _GUID_LENGTH else ""


def is_request(record: dict[str, Any]) -> bool:
    """Whether a record is the line that ends a request."""
    return (
        record.get("StatusCode").__class__ is int
        and record.get("RequestPath").__class__ is str
        and record.get("RequestMethod").__class__ is str
    )


def is_change(record: dict[str, Any]) -> bool:
    """Whether a record tells of a data change."""
    return record.get("SourceContext") == CHANGE_LOGGER and record.get("EntityType").__class__ is str


class _Reading(NamedTuple):
    """What route, method, status and query of a request say."""

    action: str
    what: bytes
    outcome: bytes
    http: bytes
    url_end: bytes
    sentence: tuple[str, str, str]


class _Changing(NamedTuple):
    """What entity type, action, module, fields and status of a data change say."""

    action: str
    kind: str
    subject: str
    fields: list[str]
    fields_part: bytes
    what: bytes
    is_bookkeeping: bool
    sentence: tuple[str, str]


class SmartwmsEvents:
    """Builds drafts for one source. `changes_logged`: its data changes have lines of their own."""

    def __init__(self, *, changes_logged: bool, tenant: str) -> None:
        self._changes_logged = changes_logged
        self._tenant = tenant
        self._routes = Routes()
        self._readings: dict[tuple[Row, str, int, str], _Reading] = {}
        self._changings: dict[tuple[Any, ...], _Changing] = {}

    # -- the line that ends a request

    def request(self, record: dict[str, Any], context: Context) -> Draft:
        """A request line; `is_request` holds."""
        pop = record.pop
        method, path, status = pop("RequestMethod"), pop("RequestPath"), pop("StatusCode")
        row, path_tenant, entity_type, entity_id, entity_number = self._routes.match(method, path)
        key = (row, method, status, pop("QueryString", None) or "")
        reading = self._readings.get(key) or self._read(key)
        claimed = tenant_of(pop("TenantId", None)) or path_tenant
        own = tenant_of(pop("UserTenantId", None)) if "UserTenantId" in record else ""
        if not own and status not in CLAIM_ONLY:
            own = claimed
        own = own or self._tenant or NO_TENANT
        if claimed and own != claimed:
            record["claimed_tenant"] = claimed
        user_id, name, email = pop("UserId", None) or "", pop("UserName", None) or "", ""
        if not (user_id or name):
            user_id, name, email, _, _ = context
            if not name and reading.action == "login_failed":
                name = text_of(record.get("AttemptedUser"))
        elif user_id == context.user_id:
            email = context.user_email
        origin = fragments.origin(
            user_id, name, email, pop("ClientIP", None) or "", pop("UserAgent", None) or ""
        )
        before, after, nobody = reading.sentence
        message = f"{before}{origin.who}{after}" if origin.who else nobody
        if sentences.GAP in message:
            message = message.replace(sentences.GAP, entity_id or entity_number or path)
        duration = pop("Elapsed", None)
        for printed in ("@r", "@mt", "@m"):
            pop(printed, None)
        head = fragments.entity(entity_type, entity_id, entity_number) if entity_type else b""
        if "@x" in record:
            head += fragments.error(pop("@x"))
        return (
            own, own if own != NO_TENANT else context.tenant or NO_TENANT, pop("@t"), head, reading.what,
            b',"duration_ms":%b' % orjson.dumps(duration) if duration.__class__ is float else b"",
            reading.outcome, [], reading.http, record, message, origin.source,
            b',"url":{"path":%b%b' % (orjson.dumps(path), reading.url_end), origin.user, _request_id(record),
        )  # fmt: skip

    def context_of(self, record: dict[str, Any], inside: Context) -> Context:
        """What a request line tells the other lines of its request, given what they told (`inside`)."""
        status, tenant = record["StatusCode"], inside.tenant
        if not tenant and status not in CLAIM_ONLY:
            path = record["RequestPath"]
            tenant = (
                tenant_of(record.get("TenantId")) or self._routes.match(record["RequestMethod"], path).tenant
            )
        outcome = "failure" if status >= _REFUSED or inside.outcome == "failure" else "success"
        user_id, name = record.get("UserId"), record.get("UserName")
        if user_id or name:
            email = inside.user_email if inside.user_id == user_id else ""
            return Context(text_of(user_id), text_of(name), email, tenant, outcome)
        return Context(inside.user_id, inside.user_name, inside.user_email, tenant, outcome)

    def _read(self, key: tuple[Row, str, int, str]) -> _Reading:
        row, method, status, query = key
        category, action = self._request_action(row, method, status, query)
        say = (
            sentences.domain_request
            if category not in {"api", "authentication", "audit"}
            else sentences.request
        )
        url = {"query": query.removeprefix("?"), "route": row.template}
        reading = _Reading(
            action,
            fragments.what(category, action),
            _OUTCOMES["failure" if status >= _REFUSED else "success"],
            fragments.http(method, status),
            b"".join(fragments.part(name, value) for name, value in url.items()) + b"}",
            say(action, row, method, status),
        )
        if len(self._readings) >= fragments.REMEMBERED_COUNT:
            self._readings.clear()
        self._readings[key] = reading
        return reading

    def _request_action(self, row: Row, method: str, status: int, query: str) -> tuple[str, str]:
        if status >= _REFUSED:
            return _failed_action(row, status)
        if row.category in {"authentication", "audit"}:
            return row.category, row.action
        if method in READS:
            return "api", "exported" if row.action == "exported" or is_export(query) else "read"
        if self._changes_logged or row is NO_ROW or not row.category:
            return "api", "called"
        return row.category, row.action

    # -- a data change

    def change(self, record: dict[str, Any], context: Context) -> Draft:
        """A data-change line; `is_change` holds. `context.outcome` says whether its request succeeded."""
        pop = record.pop
        before, after, path = pop("OldValues", None), pop("NewValues", None), pop("RequestPath", None)
        printed, kind = pop("Action", None) or "", pop("EntityType")
        detail = ""
        if printed == "StatusChange":
            detail = f"{_value(before, 'Status')}\n{_value(after, 'Status')}"
        elif kind == "StockMovement":
            detail = _value(after, "MovementType")
        key = (kind, printed, record.get("Module"), pop("ChangedFields", None) or "", detail, after is None)
        changing = self._changings.get(key) or self._classify(key, before, after)
        tenant = tenant_of(pop("TenantId", None))
        if not tenant and path.__class__ is str:
            tenant = self._routes.match("", path).tenant
        own = tenant or self._tenant or NO_TENANT
        entity_id, number = text_of(pop("EntityId", None)), text_of(pop("EntityNumber", None))
        if changing.subject:
            entity_id = _value(after or before, changing.subject)
        user_id, name, email = (
            pop("UserId", None) or "",
            pop("UserName", None) or "",
            pop("UserEmail", None) or "",
        )
        if not (user_id or name):
            user_id, name, email, _, _ = context
        origin = fragments.origin(
            user_id, name, email, pop("IpAddress", None) or "", pop("UserAgent", None) or ""
        )
        start, end = changing.sentence
        message = f"{origin.who or sentences.UNKNOWN_USER}{start}{number or entity_id}{end}"
        if changing.action == "permissions_changed":
            done = sentences.permission(before, after)
            message = f"{origin.who or sentences.UNKNOWN_USER} {done} role {entity_id}"
        if context.outcome == "failure":
            message += ", but it failed: nothing was changed"
        for twin in ("AuditAction", "AuditEntity", "AuditKey", "EventType", "@mt", "@m"):
            pop(twin, None)
        sides = b"" if after is None else b'"after":%b,' % orjson.dumps(_object(after), None, _SORTED)
        if before is not None:
            sides += b'"before":%b,' % orjson.dumps(_object(before), None, _SORTED)
        sides = sides + changing.fields_part if changing.fields else sides[:-1]
        head = b',"change":{%b}%b' % (sides, fragments.entity(changing.kind, entity_id, number))
        return (
            own, own if own != NO_TENANT else context.tenant or NO_TENANT, pop("@t"), head, changing.what,
            b"", _OUTCOMES[context.outcome or "unknown"],
            [Flag.BOOKKEEPING.value] if changing.is_bookkeeping else [], b"", record,
            message, origin.source, _url(path), origin.user, _request_id(record),
        )  # fmt: skip

    def _classify(self, key: tuple[Any, ...], before: object, after: object) -> _Changing:
        kind, printed, module, listed, _, _ = key
        kind = classify.entity_type(kind)
        fields = text_of(listed).split(",") if listed else []
        category, action = classify.change(kind, text_of(module), printed, fields, after)
        shown, subject, fields = classify.subject(kind, fields)
        changing = _Changing(
            action,
            shown,
            subject,
            fields,
            b'"fields":%b' % orjson.dumps(fields),
            fragments.what(category, action),
            classify.is_bookkeeping(fields),
            sentences.data_change(action, shown, fields, before, after),
        )
        if len(self._changings) >= fragments.REMEMBERED_COUNT:
            self._changings.clear()
        self._changings[key] = changing
        return changing

    # -- everything else

    def other(self, record: dict[str, Any], context: Context) -> Draft:
        """Any other line: start, warning, exception."""
        pop = record.pop
        template = text_of(pop("@mt", None))
        message = text_of(pop("@m", None)) or rendered(template, record)
        pop("@r", None)
        path, exception = pop("RequestPath", None), pop("@x", None)
        own = tenant_of(pop("TenantId", None)) or self._tenant or NO_TENANT
        category, action, outcome = classify.log_line(
            text_of(record.get("@l")), message, has_exception=exception is not None
        )
        user_id, name = (
            text_of(pop("UserId", None)),
            text_of(pop("UserName", None)) or text_of(pop("User", None)),
        )
        email = text_of(pop("UserEmail", None))
        if not user_id and name in {"", context.user_name}:
            user_id, name, email, _, _ = context
        origin = fragments.origin(
            user_id, name, email, text_of(pop("ClientIP", None)), text_of(pop("UserAgent", None))
        )
        return (
            own, own if own != NO_TENANT else context.tenant or NO_TENANT, pop("@t"),
            fragments.error(exception), fragments.what(category, action), b"", _OUTCOMES[outcome], [], b"",
            record, message or "(an empty line)",
            origin.source, _url(path), origin.user, _request_id(record),
        )  # fmt: skip


def _failed_action(row: Row, status: int) -> tuple[str, str]:
    if row.action == "login" and status in _LOGIN_REFUSED:
        return "authentication", "login_failed"
    if row.action == "token_refreshed" and status < _FAILED:
        return "authentication", "token_refused"
    return "api", "failed" if status >= _FAILED else "refused"


def signed_in(record: dict[str, Any]) -> Context | None:
    """Who a data-change line of a sign-in tells of: the ApplicationUser that it updates."""
    if record.get("EntityType") != "ApplicationUser" or record.get("UserId"):
        return None
    if "LastLoginAt" not in text_of(record.get("ChangedFields")):
        return None
    number = text_of(record.get("EntityNumber"))
    name, email = ("", number) if "@" in number else (number, "")
    return Context(text_of(record.get("EntityId")), name, email, tenant_of(record.get("TenantId")))


def is_export(query: str) -> bool:
    """Whether a query string asks for a page as large as an export."""
    found = _PAGE_SIZE.search(query) if query else None
    return found is not None and int(found[1]) >= EXPORT_ROWS


def rendered(template: str, record: dict[str, Any]) -> str:
    """A message template with the record's own properties in their places."""
    if "{" not in template:
        return template
    renderings = iter(record.get("@r") or ())

    def value(found: re.Match[str]) -> str:
        if found[2] and (text := next(renderings, None)) is not None:
            return str(text)
        known = record.get(found[1])
        return found[0] if known is None else str(known)

    return re.sub(r"\{[@$]?(\w+)(?:,-?\d+)?(:[^{}]*)?\}", value, template).rstrip()


def _value(values: object, name: str) -> str:
    return text_of(values.get(name)) if values.__class__ is dict else ""


def _object(values: object) -> object:
    return values if values.__class__ is dict else {"value": values}


def _url(path: object) -> bytes:
    return b',"url":{"path":%b}' % orjson.dumps(path) if path.__class__ is str else b""


def _request_id(record: dict[str, Any]) -> bytes:
    """The id of the record's request; a property that only repeats it is no label."""
    request_id = record.pop("RequestId", None)
    if request_id.__class__ is not str:
        return b""
    if record.get("CorrelationId") == request_id:
        del record["CorrelationId"]
    connection = record.get("ConnectionId")
    if connection.__class__ is str and request_id.startswith(connection):
        del record["ConnectionId"]
    return orjson.dumps(request_id)
