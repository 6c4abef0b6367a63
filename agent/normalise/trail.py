"""What our own web UI did, from the trail that it writes: the auditors are audited."""

from typing import Any

import orjson

from agent.normalise import fragments, sentences
from agent.normalise.draft import Context, Draft
from agent.normalise.properties import tenant_of, text_of
from agent.normalise.request_lines import STATUSES
from indexer import agent_report
from indexer.event import ACTIONS, NO_TENANT, Flag, Outcome

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_ORIGIN = ("UserId", "UserName", "UserEmail", "IpAddress", "UserAgent")
_ENTITY = ("EntityType", "EntityId", "EntityNumber")
# What nobody did: it would hide in its number what people do.
_FLAGS = {agent_report.ACTION: (Flag.BOOKKEEPING.value,)}


class TrailLines:
    """Builds drafts for one trail."""

    def __init__(self, *, tenant: str) -> None:
        self._tenant = tenant

    def draft(self, record: dict[str, Any], _context: Context) -> Draft:
        """The event of a line; an action outside the vocabulary is kept as `system`/`logged`."""
        labels = dict(record)
        pop = labels.pop
        own = tenant_of(record.get("TenantId")) or self._tenant or NO_TENANT
        if tenant_of(record.get("TenantId")):
            pop("TenantId")
        action, outcome = text_of(pop("Action", None)), text_of(pop("Outcome", None))
        category = "audit"
        if action not in ACTIONS["audit"]:
            labels["Action"] = action
            category, action = "system", "logged"
        origin = fragments.origin(*(text_of(pop(name, None)) for name in _ORIGIN))
        message = text_of(pop("Message", None)) or text_of(pop("@m", None))
        message = message or f"{origin.who or sentences.UNKNOWN_USER} {action.replace('_', ' ')}"
        entity = fragments.entity(*(text_of(pop(name, None)) for name in _ENTITY))
        method = text_of(record.get("Method"))
        status = record.get("StatusCode")
        http = b""
        if method and status.__class__ is int and status in STATUSES:
            http = fragments.http(method, status)
            del labels["Method"], labels["StatusCode"]
        url = fragments.url({"path": text_of(pop("Path", None)), "query": text_of(pop("Query", None))})
        request_id = text_of(pop("RequestId", None))
        return Draft(
            own=own,
            tenant=own,
            time=pop("@t"),
            head=entity,
            what=fragments.what(category, action),
            outcome=fragments.outcome(outcome if outcome in _OUTCOMES else Outcome.UNKNOWN.value),
            flags=_FLAGS.get(action, ()),
            http=http,
            labels=labels,
            level=pop("@l", None),
            logger=pop("SourceContext", None),
            message=message,
            request=b',"request":{"id":%b}' % orjson.dumps(request_id) if request_id else b"",
            source=origin.source,
            tail=url + origin.user,
            trace=pop("@tr", None),
        )
