"""What is done by command becomes a line of the trail, like what is done in the web UI."""

from __future__ import annotations

from datetime import UTC, datetime

from indexer import settings
from indexer.errors import SettingsError
from indexer.trail import Entry, Trail, TrailError, TrailSettings


def note(message: str, tenant_id: str, who: str, *, erasure: str = "") -> None:
    """Write down what somebody did about a tenant; `SettingsError` when that cannot be written.

    The line is of no tenant: it is the operators', and outlives the tenant's events.
    """
    path = settings.load(TrailSettings).trail_file
    try:
        Trail(path, lambda: datetime.now(UTC)).write(
            Entry(
                Action="configured",
                Message=message,
                UserName=who,
                EntityType="Tenant",
                EntityId=tenant_id,
                Erasure=erasure,
            )
        )
    except TrailError as error:
        raise SettingsError(
            f"it is done, but AUDIT_WEBUI_TRAIL_FILE is {str(path)!r}, which cannot be written: {error}"
        ) from error
