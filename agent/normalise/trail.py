"""What our own web UI did, from the trail that it writes: the auditors are audited."""

from typing import Any

import orjson

from agent.normalise import fragments, sentences
from agent.normalise.draft import Context, Draft
from agent.normalise.smartwms import tenant_of, text_of
from indexer.event import ACTIONS, NO_TENANT, Outcome

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


class TrailEvents:
    """Builds drafts for one trail."""

    def __init__(self, *, tenant: str) -> None:
        self._tenant = tenant

    def entry(self, record: dict[str, Any], _context: Context) -> Draft:
        """One line of the trail; an action outside the vocabulary is kept as `system`/`logged`."""
        pop = record.pop
        own = tenant_of(pop("TenantId", None)) or self._tenant or NO_TENANT
        action, outcome = text_of(pop("Action", None)), text_of(pop("Outcome", None))
        category = "audit"
        if action not in ACTIONS["audit"]:
            record["Action"] = action
            category, action = "system", "logged"
        names = ("UserId", "UserName", "UserEmail", "IpAddress", "UserAgent")
        origin = fragments.origin(*(text_of(pop(name, None)) for name in names))
        message = text_of(pop("Message", None)) or text_of(pop("@m", None))
        message = message or f"{origin.who or sentences.UNKNOWN_USER} {action.replace('_', ' ')}"
        entity = fragments.entity(
            *(text_of(pop(name, None)) for name in ("EntityType", "EntityId", "EntityNumber"))
        )
        method, status = text_of(pop("Method", None)), pop("StatusCode", None)
        url = {"path": text_of(pop("Path", None)), "query": text_of(pop("Query", None))}
        request_id = text_of(pop("RequestId", None))
        outcome = outcome if outcome in _OUTCOMES else Outcome.UNKNOWN.value
        return (
            own, own, pop("@t"), entity, fragments.what(category, action), b"",
            b',"outcome":"%b"' % outcome.encode(), [],
            fragments.http(method, status) if method and status.__class__ is int else b"", record, message,
            origin.source, fragments.part("url", {name: value for name, value in url.items() if value}),
            origin.user, orjson.dumps(request_id) if request_id else b"",
        )  # fmt: skip
