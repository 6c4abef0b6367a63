"""What a line of nginx's access log says: a request as the proxy saw it, with the address it came from."""

from typing import Any, Final

import orjson

from agent.normalise import fragments, sentences
from agent.normalise.draft import Context, Draft
from agent.normalise.routes import Routes
from agent.normalise.smartwms import CLAIM_ONLY, READS, is_export, tenant_of, text_of
from indexer.event import NO_TENANT

_REFUSED: Final = 400
_FAILED: Final = 500


class ProxyEvents:
    """Builds drafts for one source of access-log lines."""

    def __init__(self, *, tenant: str) -> None:
        self._tenant = tenant
        self._routes = Routes()

    def request(self, record: dict[str, Any], _context: Context) -> Draft:
        """One access-log line.

        Every event of nginx is of category `api`, a line it could not parse of `system`.
        """
        pop = record.pop
        method, uri, status = text_of(pop("method", None)), text_of(pop("uri", None)), pop("status", None)
        status = status if status.__class__ is int else 0
        path, _, query = uri.partition("?")
        row, claimed, entity_type, entity_id, entity_number = self._routes.match(method, path)
        own = tenant_of(pop("tenant", None))
        if status and status not in CLAIM_ONLY:
            own = own or claimed
        own = own or self._tenant or NO_TENANT
        if claimed and own != claimed:
            record["claimed_tenant"] = claimed
        action = _action(method, status, row.action, query)
        user, agent = text_of(pop("remote_user", None)), text_of(pop("user_agent", None))
        user, agent = ("" if text == "-" else text for text in (user, agent))
        origin = fragments.origin("", user, "", text_of(pop("remote_addr", None)), agent)
        before, after, nobody = sentences.request(action, row, method, status)
        seconds = pop("request_time", None)
        duration = b""
        if seconds.__class__ is float:
            duration = b',"duration_ms":%b' % orjson.dumps(round(seconds * 1000, 3))
        outcome = "unknown" if not status else "failure" if status >= _REFUSED else "success"
        url = {"path": path, "query": query, "route": row.template}
        request_id = text_of(pop("request_id", None))
        what = fragments.what("api", action)
        message = f"{before}{origin.who}{after}" if origin.who else nobody
        message = message.replace(sentences.GAP, entity_id or entity_number or path or "a malformed request")
        if not method and "@m" in record:
            what, message = fragments.what("system", "logged"), text_of(pop("@m"))
        return (
            own, own, pop("@t"), fragments.entity(entity_type, entity_id, entity_number),
            what, duration, b',"outcome":"%b"' % outcome.encode(), [],
            fragments.http(method, status) if method else b"", record, message,
            origin.source, fragments.part("url", {name: value for name, value in url.items() if value}),
            origin.user, orjson.dumps(request_id) if request_id else b"",
        )  # fmt: skip


def _action(method: str, status: int, routed: str, query: str) -> str:
    if status >= _REFUSED:
        return "failed" if status >= _FAILED else "refused"
    if method in READS:
        return "exported" if routed == "exported" or is_export(query) else "read"
    return "called"
