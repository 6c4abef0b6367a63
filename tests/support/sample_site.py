"""The whole product on the sample day: shipped by the real agent, shown by the real UI behind a server."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from examples.demo import AGENT_FILE
from indexer import bootstrap, tenants
from indexer.classes import ClassSettings
from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.query import ActivityFilter, Choice, Scope, within_tenant
from indexer.seals import records
from indexer.seals.report import Extent
from indexer.seals.verify import Verification
from indexer.search import EventSearch
from tests.support import reviewed, shipping
from tests.support.checkout import ROOT
from tests.support.events import NORD, TEST
from tests.support.serving import on_loopback
from tests.support.store import Store
from tests.support.web import HASHER, KEY, PASSWORD
from webui.access import Role
from webui.accounts.service import Accounts
from webui.alerts import forms
from webui.alerts.assembly import make_evaluator
from webui.alerts.condition import Template
from webui.alerts.monitor import EVERY_TENANT
from webui.alerts.monitors import Monitors, new_id
from webui.app import create_app, make_accounts
from webui.exports.assembly import make_worker
from webui.exports.job import Format
from webui.exports.service import Exports
from webui.notification.assembly import make_channels, make_deliveries
from webui.notification.channel import Channel, Kind, Off
from webui.notification.deliveries import LEASE, Deliveries
from webui.notification.delivery import Attempt
from webui.notification.message import Message
from webui.notification.secret import fingerprint, secret
from webui.question import read
from webui.reviews.service import Reviews
from webui.settings import WebSettings
from webui.tenancy import Reader

HOOK = "0ca110ca110c"
SAMPLES = ROOT / "examples" / "smartwms"
ACME = "7c3f9a10-0c55-4f6e-8d7a-3b2c4d5e6f03"
TENANTS = {
    TEST: ("Test Warehouse", "Europe/Stockholm"),
    NORD: ("Nord Logistik", "Asia/Tokyo"),
    ACME: ("Acme Storage", "Europe/Madrid"),
}
PEOPLE = {
    "anna": (Role.ADMIN, TEST),
    "vera": (Role.VIEWER, TEST),
    "otto": (Role.OPERATOR, "*"),
}


@dataclass
class SampleSite:
    """The sample day in a store, with its UI at `address`."""

    store: Store
    folder: Path
    client: Client
    accounts: Accounts
    address: str = ""

    def ship(self) -> None:
        """Run the agent once over everything, the UI's own trail included."""
        subprocess.run(
            [str(shipping.PROGRAM), "run", "--config", str(self.folder / "agent.toml"), "--once"],
            env=self.store.environment,
            cwd=self.folder,
            capture_output=True,
            check=True,
            timeout=shipping.RUN_SECS,
        )
        self.client.request("POST", f"/{self.store.prefix}-audit-*/_refresh")


def _export(exports: Exports, settings: WebSettings, client: Client, prefix: str) -> None:
    """Leave anna one export that is done and one that waits."""
    anna = Reader("anna", Scope(TEST))
    orders = exports.offer(anna, read([("category", "orders"), ("category", "inventory")]))
    exports.ask(anna, orders, Format.CSV, bom=True, record=lambda _: None)
    worker = make_worker(settings, client, prefix, key=KEY, stopping=threading.Event())
    worker.work()
    failures = exports.offer(anna, read([("outcome", "failure")]))
    exports.ask(anna, failures, Format.PDF, bom=False, record=lambda _: None)


def _channels(client: Client, prefix: str) -> None:
    """Leave anna three channels, with what was sent through them."""
    channels, deliveries = make_channels(client, prefix), make_deliveries(client, prefix)
    channels.prepare()
    deliveries.prepare()
    now = datetime.now(UTC)
    hook = Channel(
        id=HOOK,
        tenant=TEST,
        name="On call",
        kind=Kind.WEBHOOK,
        url="https://hooks.example.com/audit",
        created=now - timedelta(days=20),
        secret_print=fingerprint(secret(KEY, HOOK, 1)),
    )
    mails = Channel(
        id="5ec5ec5ec5ec",
        tenant=TEST,
        name="Security",
        kind=Kind.EMAIL,
        recipients=("security@example.com", "shift-lead@example.com"),
        created=now - timedelta(days=12),
    )
    channels.add(hook)
    channels.add(mails)
    channels.add(replace(hook, id="51e51e51e51e", name="Ticket system", off=Off.PERSON, off_since=now))
    refused = Attempt(now, 0.231, 503, "upstream down", "The receiver answered 503.")
    taken, mailed = Attempt(now, 0.094, 200, "ok"), Attempt(now, 1.31, 250)
    for number, (minutes, title, attempts) in enumerate(
        (
            (2900, "anna gave erik the role Administrator", [taken]),
            (190, "6 failed logins from 203.0.113.77", [refused, refused, taken]),
            (3, "erik exported 2,400 rows in 10 minutes", [refused]),
        )
    ):
        at = now - timedelta(minutes=minutes)
        alert = Message(
            id=f"alert:{number}", type="alert.opened", tenant=TEST, timestamp=at, title=title, text=""
        )
        deliveries.enqueue(alert, [hook.id, mails.id], at)
        for channel, tries in ((hook.id, attempts), (mails.id, [mailed])):
            _try(deliveries, f"{alert.id}@{channel}", tries, at)


def _try(deliveries: Deliveries, delivery_id: str, attempts: list[Attempt], at: datetime) -> None:
    held = deliveries.get(delivery_id)
    assert held
    for each in attempts:
        begun = held.delivery.begun("pictures", at, LEASE)
        held = deliveries.write(held, begun.ended(replace(each, at=at), at))
        at = held.delivery.due


def _review(reviews: Reviews, search: EventSearch) -> None:
    """Leave anna two reviews, whose findings rest on a change of an order."""
    asked = ActivityFilter(category=Choice(("orders",)), action=Choice(("status_changed",)))
    changed = search.event(within_tenant(Scope(TEST), asked.query()))
    reviewed.leave(reviews, Reader("anna", Scope(TEST)), changed.id if changed else "")


def _watch(client: Client, prefix: str) -> None:
    """Have the sample day watched by the usual monitors, of anna's tenant and of the operators."""
    since = datetime(2026, 11, 23, tzinfo=UTC)
    for owner in (TEST, EVERY_TENANT):
        Monitors(Documents(client, prefix, "monitors")).add(
            [
                replace(forms.usual(template, owner, since, "anna"), id=new_id())
                for template in Template
                if template is not Template.OWN_QUERY
            ]
        )
    evaluator, lease = make_evaluator(client, prefix, threading.Event())
    evaluator.round(everything=True)
    lease.release()


def _verify(client: Client, prefix: str) -> None:
    """Verify everything, as an operator does every night."""
    report = Verification(client, prefix, Extent(), now=datetime.now(UTC)).run()
    assert report.is_sound, report.totals
    records.write(client, prefix, report)


@contextmanager
def serving(store: Store, folder: Path, samples: Path = SAMPLES) -> Iterator[SampleSite]:
    """Prepare a store, ship `samples`, and serve the UI to PEOPLE, whose password is PASSWORD."""
    client = connect(store.settings)
    bootstrap.apply(client, store.prefix, bootstrap.plan(client, store.prefix, ClassSettings()))
    for tenant_id, (name, zone) in TENANTS.items():
        tenants.put(
            client, store.prefix, tenant_id,
            name=name, zone=zone, hours="07:00-18:00", plan="enterprise",
            start=None, days=None, now=datetime.now(UTC),
        )  # fmt: skip
    settings = WebSettings(
        trail_file=folder / "trail.log",
        secret_key_file=folder / "secret.key",
        export_dir=folder / "exports",
    )
    (folder / "agent.toml").write_text(AGENT_FILE.replace("logs/", f"{samples}/"), "utf-8")
    (folder / "trail.log").touch()
    accounts = make_accounts(settings, client, store.prefix, hasher=HASHER)
    accounts.prepare()
    known = {each.name for each in accounts.all()}
    for name, (role, tenant_id) in PEOPLE.items():
        if name not in known:
            accounts.add(name, role, tenant_id, PASSWORD)
    site = SampleSite(store, folder, client, accounts)
    site.ship()
    app = create_app(settings, client, store.prefix, KEY, hasher=HASHER)
    _channels(client, store.prefix)
    _export(app.extensions["audit-exports"], settings, client, store.prefix)
    _verify(client, store.prefix)
    _review(app.extensions["audit-reviews"], EventSearch(client, store.prefix))
    _watch(client, store.prefix)
    with closing(client), on_loopback(app) as site.address:
        yield site
