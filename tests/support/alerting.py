"""Monitors, events and evaluators on a store of a test's own, by a clock that the test moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from indexer import tenants
from indexer.classes import DEFAULTS
from indexer.client import Client, connect
from indexer.documents import Documents
from tests.support import events
from tests.support.events import NORD, TEST, Document
from tests.support.store import Store
from webui.alerts import condition as conditions
from webui.alerts.alert import Alert, from_document
from webui.alerts.assembly import make_evaluator
from webui.alerts.condition import Template
from webui.alerts.evaluator import Evaluator
from webui.alerts.lease import Lease
from webui.alerts.monitor import EVERY_TENANT, Monitor
from webui.alerts.monitors import Monitors

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INTRUDER = "198.51.100.24"


@dataclass
class Watched:
    """A store with two tenants, whose monitors are evaluated."""

    store: Store
    client: Client
    now: datetime = NOON
    numbers: int = 0
    evaluators: list[Evaluator] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    @property
    def monitors(self) -> Monitors:
        return Monitors(Documents(self.client, self.store.prefix, "monitors"))

    def monitor(
        self,
        template: Template = Template.FAILED_LOGINS,
        **changed: Any,  # noqa: ANN401  fields of a monitor
    ) -> Monitor:
        """Store a monitor with its usual numbers; changes of its condition begin with `c_`."""
        usual = conditions.usual(template)
        inner = {name[2:]: value for name, value in changed.items() if name.startswith("c_")}
        outer = {name: value for name, value in changed.items() if not name.startswith("c_")}
        self.numbers += 1
        made = Monitor(
            **{
                "id": f"monitor{self.numbers}",
                "owner": TEST,
                "name": usual.kind.words,
                "condition": replace(usual, **inner),
                "calm": usual.kind.calm,
                "since": self.now,
                "updated": self.now,
                **outer,
            }
        )
        self.monitors.add([made])
        return made

    def happen(self, *fields: Mapping[str, Any], at: datetime | None = None, apart: float = 1) -> None:
        """Put events into the store, the last of them at the given time or now."""
        last = at or self.now
        self.load(
            [
                self.document(each, last - timedelta(seconds=apart * (len(fields) - 1 - place)))
                for place, each in enumerate(fields)
            ]
        )

    def document(self, fields: Mapping[str, Any], at: datetime) -> Document:
        self.numbers += 1
        moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return events.document(self.numbers, {"@timestamp": moment, **fields})

    def load(self, documents: list[Document]) -> None:
        events.load(self.client, self.store.prefix, documents)

    def evaluator(self) -> tuple[Evaluator, Lease]:
        made = make_evaluator(self.client, self.store.prefix, Event(), now=self.clock)
        self.evaluators.append(made[0])
        return made

    def look(self) -> list[Alert]:
        """Have everything looked at by the one evaluator of the test, and give the alerts."""
        if not self.evaluators:
            self.evaluator()
        assert self.evaluators[0].round(everything=True)
        return self.alerts()

    def alerts(self) -> list[Alert]:
        documents = Documents(self.client, self.store.prefix, "alerts")
        found = [from_document(stored.source) for stored in documents.find()]
        return sorted(found, key=lambda alert: (alert.first, alert.id))


def failed(ip: str | None = INTRUDER, user: str = "", tenant: str = TEST) -> dict[str, Any]:
    """A failed login."""
    return {
        "event.category": "authentication",
        "event.action": "login_failed",
        "event.outcome": "failure",
        "entity": None,
        "user": {"name": user} if user else None,
        "source": {"ip": ip} if ip else None,
        "tenant.id": tenant,
        "message": f"A sign-in as {user or 'somebody'} failed",
    }


def login(ip: str = INTRUDER, tenant: str = TEST) -> dict[str, Any]:
    """A login of the usual user."""
    return {
        "event.category": "authentication",
        "event.action": "login",
        "entity": None,
        "source.ip": ip,
        "tenant.id": tenant,
        "message": "sofia User signed in",
    }


def watched(store: Store) -> Watched:
    """Two tenants, one in Stockholm and one in Tokyo, open from seven to six."""
    client = connect(store.settings)
    Documents(client, store.prefix, "tenants").prepare()
    tenants.record_classes(client, store.prefix, DEFAULTS)
    for tenant_id, name, zone in (
        (TEST, "Test Warehouse", "Europe/Stockholm"),
        (NORD, "Nord Logistik", "Asia/Tokyo"),
    ):
        tenants.put(
            client, store.prefix, tenant_id,
            name=name, zone=zone, hours="07:00-18:00", plan="enterprise", start=None, days=None,
            now=datetime.now(UTC),
        )  # fmt: skip
    made = Watched(store, client)
    made.evaluator()
    return made


__all__ = ["EVERY_TENANT", "INTRUDER", "NOON", "Watched", "failed", "login", "watched"]
