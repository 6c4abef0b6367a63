"""What pages show of a tenant: its name and its time zone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from indexer import tenants
from indexer.client import Client
from indexer.event import NO_TENANT
from indexer.plans import Tenant
from indexer.query import Scope
from indexer.tenants import Tenants

UTC_ZONE: Final = ZoneInfo("UTC")
_KEPT_FOR: Final = timedelta(seconds=15)


class NotHereError(LookupError):
    """There is no such thing, or it is not for the one who asks; nobody learns which."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: the account, and what it may see."""

    account: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """A tenant's name, and the zone its people live in."""

    id: str
    name: str
    zone: ZoneInfo


EVERYWHERE: Final = TenantFacts("", "All tenants", UTC_ZONE)
NOWHERE: Final = TenantFacts(NO_TENANT, "No tenant", UTC_ZONE)


class Tenancy:
    """The tenants, read again when what is known is older than a quarter of a minute."""

    def __init__(self, client: Client, index_prefix: str, now: Callable[[], datetime]) -> None:
        """`now`: an aware time."""
        self._client = client
        self._prefix = index_prefix
        self._now = now
        self._lock = threading.Lock()
        self._known: Tenants | None = None

    def all(self) -> list[TenantFacts]:
        """Give all tenants by name."""
        found = (_facts(tenant) for tenant in self._tenants().by_id.values())
        return sorted(found, key=lambda tenant: tenant.name.casefold())

    def facts(self, tenant_id: str) -> TenantFacts:
        """Give one tenant; one that nobody told us about is called by its id and lives in UTC."""
        return NOWHERE if tenant_id == NOWHERE.id else _facts(self._tenants().settings(tenant_id))

    def place(self, reader: Reader, tenant_id: str = "") -> TenantFacts:
        """Give the tenant whose zone a page speaks in; NotHereError when it is not the reader's."""
        own = reader.scope.tenant_id
        if own is not None and tenant_id not in {"", own}:
            raise NotHereError
        chosen = own or tenant_id
        return self.facts(chosen) if chosen else EVERYWHERE

    def current(self) -> Tenants:
        """Give all tenants as they are now, with their plans; at most a quarter of a minute old."""
        return self._tenants()

    def forget(self) -> None:
        """Read the tenants again when they are next asked for: one of them was changed here."""
        with self._lock:
            self._known = None

    def _tenants(self) -> Tenants:
        with self._lock:
            now = self._now()
            if self._known is None or now - self._known.loaded_at > _KEPT_FOR:
                self._known = tenants.load(self._client, self._prefix, now=now, previous=self._known)
            return self._known


def _facts(tenant: Tenant) -> TenantFacts:
    return TenantFacts(tenant.id, tenant.name, ZoneInfo(tenant.zone))
