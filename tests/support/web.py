"""The web UI on a real store with the events of two tenants, and its people signed in by its own form."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from indexer import tenants
from indexer.classes import DEFAULTS
from indexer.client import Client, connect
from indexer.documents import Documents
from tests.support import events, watching
from tests.support.events import NORD, TEST
from tests.support.store import Store
from webui.access import Role
from webui.accounts.service import Accounts
from webui.app import create_app, make_accounts
from webui.notification.assembly import make_channels
from webui.notification.channel import Channel, Kind
from webui.notification.secret import fingerprint, secret
from webui.settings import WebSettings

PASSWORD = "correct horse battery staple"
KEY = b"k" * 32
CHANNEL = "c4a44e1c4a44"
# argon2id all the same, but so little work that a test can sign in a hundred times.
HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PEOPLE = {
    "owner": (Role.VIEWER, TEST),
    "auditor": (Role.AUDITOR, TEST),
    "admin": (Role.ADMIN, TEST),
    "stranger": (Role.ADMIN, NORD),
    # To whom things are done.
    "spare": (Role.VIEWER, TEST),
    "operator": (Role.OPERATOR, "*"),
}


@dataclass
class Clock:
    """A clock that tests move; it begins at the real time, which session cookies are signed with."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Site:
    """An installed web UI."""

    app: Flask
    store: Store
    client: Client
    accounts: Accounts
    trail_path: Path
    clock: Clock
    settings: WebSettings

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def signed_in(self, name: str) -> FlaskClient:
        browser = self.browser()
        answer = sign_in(browser, name)
        assert answer == 303, answer
        return browser

    def trail(self) -> list[dict[str, object]]:
        if not self.trail_path.exists():
            return []
        return [orjson.loads(line) for line in self.trail_path.read_bytes().split(b"\n") if line]


def token(browser: FlaskClient, path: str = "/sign-in") -> str:
    """The CSRF token of the first form of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(path).text)
    assert found, path
    return found[1]


def sign_in(browser: FlaskClient, name: str, password: str = PASSWORD, target: str = "/") -> int:
    """Send the sign-in form; its status."""
    form = {"csrf_token": token(browser), "name": name, "password": password, "next": target}
    return browser.post("/sign-in", data=form).status_code


def add_channel(client: Client, index_prefix: str) -> None:
    """Give the test tenant a webhook."""
    text = secret(KEY, CHANNEL, 1)
    make_channels(client, index_prefix).add(
        Channel(
            id=CHANNEL,
            tenant=TEST,
            name="On call",
            kind=Kind.WEBHOOK,
            url="https://hooks.example.com/audit/T0KEN",
            created=events.MORNING,
            secret_print=fingerprint(text),
        )
    )


def build(
    store: Store, folder: Path, *, change: Callable[[WebSettings], WebSettings] = lambda each: each
) -> Site:
    """Make a site on a store: two tenants with their events, and PEOPLE."""
    client = connect(store.settings)
    clock = Clock()
    Documents(client, store.prefix, "tenants").prepare()
    for kind in ("certificates", "holds", "erasures", "retention"):
        Documents(client, store.prefix, kind).prepare()
    Documents(client, store.prefix, "verifications").prepare()
    tenants.record_classes(client, store.prefix, DEFAULTS)
    for tenant_id, name, zone in (
        (TEST, "Test Warehouse", "Europe/Stockholm"),
        (NORD, "Nord Logistik", "Asia/Tokyo"),
    ):
        tenants.put(
            client, store.prefix, tenant_id,
            name=name, zone=zone, hours="07:00-18:00", plan="enterprise", start=None, days=None, now=clock(),
        )  # fmt: skip
    events.load(client, store.prefix, [*events.sample(), *events.sample(NORD, events.MARTA)])
    settings = change(
        WebSettings(
            trail_file=folder / "trail.log",
            secret_key_file=folder / "secret.key",
            export_dir=folder / "exports",
        )
    )
    app = create_app(settings, client, store.prefix, KEY, now=clock, hasher=HASHER)
    accounts = make_accounts(settings, client, store.prefix, now=clock, hasher=HASHER)
    accounts.prepare()
    app.extensions["audit-exports"].prepare()
    app.extensions["audit-notifications"].prepare()
    add_channel(client, store.prefix)
    app.extensions["audit-reviews"].prepare()
    app.extensions["audit-schedules"].prepare()
    watching.add(client, store.prefix, clock())
    for name, (role, tenant_id) in PEOPLE.items():
        accounts.add(name, role, tenant_id, PASSWORD)
    return Site(app, store, client, accounts, settings.trail_file, clock, settings)


@pytest.fixture(scope="module")
def site(module_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for the tests of one module, which change nothing that another test looks at."""
    made = build(module_store, tmp_path_factory.mktemp("site"))
    yield made
    made.client.close()


@pytest.fixture
def own_site(store: Store, tmp_path: Path) -> Iterator[Site]:
    """A site for one test alone."""
    made = build(store, tmp_path)
    yield made
    made.client.close()
