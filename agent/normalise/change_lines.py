"""A data-change line of SmartWMS: which entity and fields, before and after."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from agent.normalise import classify, fragments, sentences
from agent.normalise.draft import Context, Draft
from agent.normalise.layouts import Layouts
from agent.normalise.properties import request_part, tenant_of, text_in, text_of, url_part
from agent.normalise.routes import Routes
from indexer.event import NO_TENANT, Flag

CHANGE_LOGGER: Final = "SmartWMS.Audit"

_LAYOUT: Final = (
    *("@t", "@l", "@tr", "SourceContext", "EntityType", "Action", "Module", "ChangedFields", "OldValues"),
    *("NewValues", "EntityId", "EntityNumber", "TenantId", "UserId", "UserName", "UserEmail", "IpAddress"),
    *("UserAgent", "RequestPath", "RequestId", "CorrelationId", "ConnectionId", "Outcome"),
    *("AuditAction", "AuditEntity", "AuditKey", "EventType", "@x"),
)
_TWINS: Final = ("AuditAction", "AuditEntity", "AuditKey", "EventType")
_PRINTED: Final = ("@mt", "@m")
_OUTCOMES: Final = {
    "success": b',"outcome":"success"',
    "failure": b',"outcome":"failure"',
    "": b',"outcome":"unknown"',
}
_SAID: Final = ("success", "failure")
_FAILED: Final = ", but it failed: nothing was changed"
_STATUS: Final = "Status"
_STATUS_CHANGE: Final = "StatusChange"
_SORTED: Final = orjson.OPT_SORT_KEYS
_dumps: Final = orjson.dumps
_new: Final = tuple.__new__


class _Changing(NamedTuple):
    """What entity type, action, module, fields and status of a data change say."""

    action: str
    kind: str
    subject: str
    fields: bytes
    what: bytes
    flags: tuple[str, ...]
    before: str
    after: str


class ChangeLines:
    """Builds drafts of data-change lines for one source."""

    def __init__(self, routes: Routes, *, tenant: str) -> None:
        self._tenant = tenant
        self._routes = routes
        self._layouts = Layouts(_LAYOUT, dropped=_PRINTED, kept=("Module",))
        self._changings: dict[tuple[Any, ...], _Changing] = {}

    def draft(self, record: dict[str, Any], context: Context) -> Draft:
        """The event of a record for which `is_change` holds.

        Its outcome is what the line itself says, which the interceptor of `deploy/` writes once it knows; on
        the lines of others it is that of the request, `context.outcome`.
        """
        labels = self._layouts.labels(record)
        (
            time, level, trace, logger, kind, printed, module, listed, before, after, entity_id, number,
            tenant, user_id, name, email, address, agent, path, request_id, correlation_id, connection_id,
            outcome, *twins,
        ) = self._layouts.values(record)  # fmt: skip
        # All values that `_classify` looks at: what is remembered must not depend on an earlier line's.
        detail = ""
        if printed == _STATUS_CHANGE or (listed and _STATUS in listed):
            detail = f"{text_in(before, _STATUS)}\n{text_in(after, _STATUS)}"
        if kind == "StockMovement":
            detail += f"\n{text_in(after, 'MovementType')}"
        key = (kind, printed, module, listed, detail, after is None)
        changing = self._changings.get(key) or self._classify(key, before, after)
        expected = [printed, kind, number, "DataChange", None]
        if twins != expected:
            _label_differing(labels, twins, expected)
        if outcome not in _SAID:
            if outcome is not None:
                labels["Outcome"] = outcome
            outcome = context.outcome
        own = self._owner(tenant, path, labels)
        if changing.subject:
            entity_id = text_in(after or before, changing.subject)
        if not (entity_id.__class__ is number.__class__ is str):
            entity_id, number = text_of(entity_id), text_of(number)
        if not (user_id or name):
            user_id, name, email, _, _ = context
        who, source, user = fragments.origin(
            user_id or "", name or "", email or "", address or "", agent or ""
        )
        start = changing.before
        if changing.action == "permissions_changed":
            start = sentences.permission(changing.kind, before, after)
        message = f"{who or sentences.UNKNOWN_USER}{start}{number or entity_id}{changing.after}"
        head = b',"change":{%b}%b%b' % (
            _sides(before, after, changing.fields),
            fragments.entity(changing.kind, entity_id, number),
            b"" if twins[-1] is None else fragments.error(twins[-1]),
        )
        return _new(Draft, (
            own,
            own if own != NO_TENANT else context.tenant or NO_TENANT,
            time,
            head,
            changing.what,
            _OUTCOMES[outcome],
            changing.flags,
            b"",
            labels,
            level,
            logger,
            message + _FAILED if outcome == "failure" else message,
            request_part(request_id, correlation_id, connection_id, labels),
            source,
            url_part(path) + user,
            trace,
        ))  # fmt: skip

    def _owner(self, tenant: object, path: object, labels: dict[str, Any]) -> str:
        """The tenant that the record belongs to, by itself."""
        if tenant:
            own = tenant_of(tenant)
            if own:
                return own
            labels["TenantId"] = tenant
        if isinstance(path, str):
            own = self._routes.tenant(path)
            if own:
                return own
        return self._tenant or NO_TENANT

    def _classify(self, key: tuple[Any, ...], before: object, after: object) -> _Changing:
        printed_kind, printed, module, listed, _, _ = key
        if any(text is not None and not isinstance(text, str) for text in key[:4]):
            raise TypeError("a name that is no text")
        kind = classify.entity_type(printed_kind)
        fields = listed.split(",") if listed else []
        category, action = classify.change(kind, module or "", printed or "", fields, after)
        shown, subject, fields = classify.subject(kind, fields)
        start, end = sentences.data_change(action, shown, fields, before, after)
        changing = _Changing(
            action,
            shown,
            subject,
            b'"fields":%b' % _dumps(fields) if fields else b"",
            fragments.what(category, action),
            (Flag.BOOKKEEPING.value,) if classify.is_bookkeeping(fields) else (),
            start,
            end,
        )
        if len(self._changings) >= fragments.REMEMBERED_COUNT:
            self._changings.clear()
        self._changings[key] = changing
        return changing


def is_change(record: dict[str, Any]) -> bool:
    """Whether a record tells of a data change."""
    return record.get("SourceContext") == CHANGE_LOGGER and record.get("EntityType").__class__ is str


def context(record: dict[str, Any]) -> Context | None:
    """Who did what a data-change line tells of; None when it does not say."""
    user_id = record.get("UserId")
    if user_id:
        return _context(
            text_of(user_id),
            text_of(record.get("UserName")),
            text_of(record.get("UserEmail")),
            tenant_of(record.get("TenantId")),
        )
    # A sign-in changes the ApplicationUser who signs in, and nobody is signed in yet.
    if record.get("EntityType") != "ApplicationUser":
        return None
    if "LastLoginAt" not in text_of(record.get("ChangedFields")):
        return None
    number = text_of(record.get("EntityNumber"))
    name, email = ("", number) if "@" in number else (number, "")
    return Context(text_of(record.get("EntityId")), name, email, tenant_of(record.get("TenantId")))


@lru_cache(fragments.REMEMBERED_COUNT)
def _context(user_id: str, name: str, email: str, tenant: str) -> Context:
    return Context(user_id, name, email, tenant)


def _sides(before: object, after: object, fields: bytes) -> bytes:
    """What is inside of part `change`: `after`, `before`, `fields`."""
    parts = []
    if after is not None:
        parts.append(
            b'"after":' + _dumps(after if after.__class__ is dict else {"value": after}, None, _SORTED)
        )
    if before is not None:
        parts.append(
            b'"before":' + _dumps(before if before.__class__ is dict else {"value": before}, None, _SORTED)
        )
    if fields:
        parts.append(fields)
    return b",".join(parts)


def _label_differing(labels: dict[str, Any], twins: list[Any], expected: list[Any]) -> None:
    """Keep what the message says about the change where it says something else than the properties."""
    labels.update(
        (name, twin)
        for name, twin, same in zip(_TWINS, twins, expected, strict=False)
        if twin is not None and twin != same
    )
