"""Any other line of SmartWMS's log: start and stop, warnings, exceptions."""

import re
from collections.abc import Iterator
from typing import Any, Final

from agent.normalise import classify, fragments
from agent.normalise.draft import Context, Draft
from agent.normalise.layouts import Layouts
from agent.normalise.properties import request_part, tenant_of, text_of, url_part
from indexer.event import NO_TENANT

_UPDATE_LOGGER: Final = "Microsoft.EntityFrameworkCore.Update"
_UPDATE_FAILED: Final = "An exception occurred in the database while saving changes"
_ERRORS: Final = ("Error", "Fatal")

_LAYOUT: Final = (
    *("@t", "@l", "@tr", "@x", "SourceContext", "@mt", "@m", "RequestPath", "TenantId", "UserId", "UserName"),
    *("User", "UserEmail", "ClientIP", "UserAgent", "RequestId", "CorrelationId", "ConnectionId"),
)
_HOLE: Final = re.compile(r"\{[@$]?(\w+)(?:,-?\d+)?(:[^{}]*)?\}")
_new: Final = tuple.__new__


class OtherLines:
    """Builds drafts of all other lines for one source."""

    def __init__(self, *, tenant: str) -> None:
        self._tenant = tenant
        self._layouts = Layouts(_LAYOUT, dropped=("@r",))

    def draft(self, record: dict[str, Any], context: Context) -> Draft:
        """The event of a record that is no request line and no data change."""
        # First of all: `labels` gives the record properties that it does not have.
        message = text_of(record.get("@m")) or rendered(text_of(record.get("@mt")), record)
        labels = self._layouts.labels(record)
        (
            time, level, trace, exception, logger, _, _, path, tenant, user_id, name,
            user, email, address, agent, request_id, correlation_id, connection_id,
        ) = self._layouts.values(record)  # fmt: skip
        own = tenant_of(tenant)
        if tenant and not own:
            labels["TenantId"] = tenant
        own = own or self._tenant or NO_TENANT
        category, action, outcome = classify.log_line(
            text_of(level), message, has_exception=exception is not None
        )
        user_id, name, email = text_of(user_id), text_of(name) or text_of(user), text_of(email)
        if not user_id and name in {"", context.user_name}:
            user_id, name, email, _, _ = context
        origin = fragments.origin(user_id, name, email, text_of(address), text_of(agent))
        return _new(Draft, (
            own,
            own if own != NO_TENANT else context.tenant or NO_TENANT,
            time,
            fragments.error(exception),
            fragments.what(category, action),
            fragments.outcome(outcome),
            (),
            b"",
            labels,
            level,
            logger,
            message or "(an empty line)",
            request_part(request_id, correlation_id, connection_id, labels),
            origin.source,
            url_part(path) + origin.user,
            trace,
        ))  # fmt: skip


def is_failed_update(record: dict[str, Any]) -> bool:
    """Whether a record says that the database refused the changes of its request."""
    if record.get("SourceContext") != _UPDATE_LOGGER:
        return False
    if record.get("@l") in _ERRORS:
        return True
    return text_of(record.get("@mt") or record.get("@m")).startswith(_UPDATE_FAILED)


def rendered(template: str, record: dict[str, Any]) -> str:
    """A message template with the record's own properties in their places, as Serilog shows them."""
    if "{" not in template:
        return template
    printed = record.get("@r")
    renderings: Iterator[object] = iter(printed if isinstance(printed, list) else ())

    def value(found: re.Match[str]) -> str:
        if found[2] and (text := next(renderings, None)) is not None:
            return str(text)
        known = record.get(found[1], found[0])
        if known is None:
            return "null"
        return text_of(known) if isinstance(known, dict | list) else str(known)

    return _HOLE.sub(value, template).rstrip()
