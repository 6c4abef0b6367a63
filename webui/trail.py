"""What people do in this UI becomes lines of the trail; see `indexer.trail`."""

from __future__ import annotations

from flask import current_app, g, request

from indexer.trail import Action, Entry, Trail, TrailError
from webui.access import Identity

__all__ = ["Action", "Entry", "Trail", "TrailError", "record"]


def record(  # noqa: PLR0913  one argument a column of the trail
    action: Action,
    message: str,
    *,
    who: Identity | None,
    name: str = "",
    failed: bool = False,
    status: int = 200,
    entity: tuple[str, str] = ("", ""),
    erasure: str = "",
    query: str = "",
    sentence: str = "",
    file_format: str = "",
    rows_count: int = 0,
    provider: str = "",
) -> None:
    """Write what this request did. `who`: None when nobody is signed in, then `name` is what was typed."""
    trail: Trail = current_app.extensions["audit-trail"]
    trail.write(
        Entry(
            Action=action,
            Message=message,
            Outcome="failure" if failed else "success",
            StatusCode=status,
            TenantId="" if who is None or who.tenant_id == "*" else who.tenant_id,
            UserId="" if who is None else who.id,
            UserName=name if who is None else who.name,
            EntityType=entity[0],
            EntityId=entity[1],
            Erasure=erasure,
            Query=query,
            Sentence=sentence,
            Format=file_format,
            Rows=rows_count,
            Provider=provider,
            IpAddress=request.remote_addr or "",
            UserAgent=request.headers.get("User-Agent", "")[:1024],
            Method=request.method,
            Path=request.path,
            RequestId=g.request_id,
        )
    )
