"""How soon a page's first rows are there: `python -m bench.pages [--events 5000000] [--data DIR]`.

Loads events of 200 tenants into a local node of its own by raw bulk: thirty days of them, some tenants with
fifty times the events of others, a third on each plan, so in daily and in monthly partitions. Then it serves
the UI as `audit-webui run` does, signs in one person of each of twenty tenants, and asks for pages one after
the other, as a browser does; histogram and facets, which a browser fetches after the rows, are timed apart.
With --data the node's folder is kept, and a second run does not load again.
"""

from __future__ import annotations

import html
import itertools
import random
import re
import socket
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import orjson
import requests

from bench.workbench import ANSWER_SECS, Node, Process, client_of, count, prepared, running_node, say
from indexer import partitions, tenants
from indexer.classes import DEFAULTS
from indexer.client import Client
from indexer.event import event_hash
from tests.support import events as samples
from webui.access import Role
from webui.app import make_accounts
from webui.settings import WebSettings

SCRIPTS: Final = Path(sys.executable).parent
PREFIX: Final = "bench"
PASSWORD: Final = "correct horse battery staple"  # noqa: S105  of a bench's own accounts
BATCH_COUNT: Final = 2500
DAYS: Final = 30
TENANTS_COUNT: Final = 200
USERS_COUNT: Final = 20
ENTITIES_COUNT: Final = 200
PLANS: Final = ("starter", "business", "enterprise")
READERS_COUNT: Final = 20
START_SECS: Final = 300.0


@dataclass(frozen=True)
class Tenant:
    """One of the tenants; the events of `number` 0 are the most."""

    number: int

    @property
    def id(self) -> str:
        return str(uuid.UUID(int=(0xE9006AB8 << 96) | (4 << 76) | (8 << 60) | self.number))

    @property
    def plan(self) -> str:
        return PLANS[self.number % len(PLANS)]

    @property
    def weight(self) -> float:
        return 1 / (self.number + 4)

    def user(self, number: int) -> dict[str, str]:
        name = f"user{number}.of{self.number}"
        return {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)), "name": name, "email": f"{name}@example.com"}

    def entity(self, kind: str, number: int) -> dict[str, str]:
        name = f"{kind}-{self.number}-{number}"
        return {"type": kind, "id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)), "number": name}


ALL: Final = [Tenant(number) for number in range(TENANTS_COUNT)]


@dataclass(frozen=True)
class Load:
    """So many events, evenly over the DAYS before `end`."""

    count: int
    end: datetime

    def documents(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Partition, id and body of each event, oldest first; always the same."""
        chance = random.Random(7)
        day = samples.sample()
        step = timedelta(days=DAYS) / self.count
        users = {tenant: [tenant.user(each) for each in range(USERS_COUNT)] for tenant in ALL}
        chosen: Iterator[Tenant] = itertools.chain.from_iterable(
            chance.choices(ALL, [tenant.weight for tenant in ALL], k=BATCH_COUNT) for _ in itertools.count()
        )
        for number, tenant in zip(range(self.count), chosen, strict=False):
            made = day[number % len(day)]
            text = f"{self.end - (self.count - number) * step:%Y-%m-%dT%H:%M:%S.%f}0Z"
            made["@timestamp"] = text
            made["event"]["id"] = f"bench{number:019d}"
            made["tenant"] = {"id": tenant.id, "class": tenant.plan}
            if "user" in made:
                made["user"] = users[tenant][chance.randrange(USERS_COUNT)]
            if "entity" in made:
                made["entity"] = tenant.entity(made["entity"]["type"], chance.randrange(ENTITIES_COUNT))
                if number % 3 == 0:
                    # As on a request line: the page has to learn its name.
                    del made["entity"]["number"]
            made["request"]["id"] = f"bench:{number // 3:08}"
            made["event"]["hash"] = event_hash(made)
            name = partitions.partition_name(PREFIX, tenant.plan, text, DEFAULTS[tenant.plan].period)
            yield name, made["event"]["id"].encode(), orjson.dumps(made)


def load(client: Client, wanted: Load) -> None:
    """Tenants and events into an empty node."""
    for tenant in ALL:
        tenants.put(
            client, PREFIX, tenant.id,
            name=f"Warehouse {tenant.number}", zone="Europe/Stockholm", hours="07:00-18:00",
            plan=tenant.plan, start=None, days=None, now=wanted.end - timedelta(days=DAYS + 2),
        )  # fmt: skip
    known: set[str] = set()
    lines: list[bytes] = []
    began = time.monotonic()
    for number, (name, event_id, body) in enumerate(wanted.documents(), start=1):
        if name not in known:
            partitions.ensure(client, name)
            known.add(name)
        lines += [b'{"create":{"_index":"%b","_id":"%b"}}' % (name.encode(), event_id), body]
        if number % BATCH_COUNT == 0 or number == wanted.count:
            _send(client, lines)
            if number % (100 * BATCH_COUNT) == 0:
                say(f"{number:,} events, {number / (time.monotonic() - began):,.0f}/s")
    client.request("POST", f"/{partitions.alias(PREFIX)}/_refresh", timeout_secs=ANSWER_SECS)


def _send(client: Client, lines: list[bytes]) -> None:
    answer = orjson.loads(client.bulk(b"\n".join(lines) + b"\n", timeout_secs=ANSWER_SECS).body)
    if answer["errors"]:
        raise click.ClickException("the node refused some of the events")
    lines.clear()


def held(client: Client) -> int:
    """How many events the node has."""
    return count(client, partitions.pattern(PREFIX))


@contextmanager
def kept_node(folder: Path, heap: str) -> Iterator[Node]:
    """A node whose data stays."""
    node = Node(folder, heap)
    node.start()
    try:
        yield node
    finally:
        node.stop()


@contextmanager
def serving(url: str, folder: Path) -> Iterator[str]:
    """The UI, as people run it; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "AUDIT_OPENSEARCH_URL": url,
        "AUDIT_INDEX_PREFIX": PREFIX,
        "AUDIT_WEBUI_TRAIL_FILE": str(folder / "trail.log"),
        "AUDIT_WEBUI_EXPORT_DIR": str(folder / "exports"),
        "AUDIT_WEBUI_SECRET_KEY_FILE": str(folder / "secret.key"),
    }
    server = Process(
        [SCRIPTS / "audit-webui", "run", "--port", str(port)],
        folder / "webui.log",
        environment=environment,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECS
        while not _answers(address):
            server.require_running()
            if time.monotonic() > deadline:
                raise click.ClickException((folder / "webui.log").read_text("utf-8"))
            time.sleep(0.2)
        yield address
    finally:
        server.end(15)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/sign-in", timeout=5).ok
    except requests.ConnectionError:
        return False


@dataclass(frozen=True)
class Person:
    """Somebody of one tenant, signed in."""

    tenant: Tenant
    address: str
    browser: requests.Session

    def ask(self, path: str) -> tuple[float, str]:
        """A page and the milliseconds until all of it is there."""
        began = time.perf_counter()
        answer = self.browser.get(self.address + path, timeout=120)
        took = 1000 * (time.perf_counter() - began)
        if answer.status_code != 200 or "/sign-in" in answer.url:  # noqa: PLR2004
            raise click.ClickException(f"{path} was answered {answer.status_code} at {answer.url}")
        return took, answer.text


def signed_in(address: str, tenant: Tenant) -> Person:
    browser = requests.Session()
    form = browser.get(f"{address}/sign-in", timeout=60).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    if token is None:
        raise click.ClickException("the sign-in page has no form")
    typed = {"csrf_token": token[1], "name": f"person{tenant.number}", "password": PASSWORD}
    browser.post(f"{address}/sign-in", data=typed, timeout=60, headers={"Referer": address})
    return Person(tenant, address, browser)


def accounts(client: Client, people: list[Tenant], folder: Path) -> None:
    settings = WebSettings(secret_key_file=folder / "secret.key", trail_file=folder / "trail.log")
    made = make_accounts(settings, client, PREFIX)
    made.prepare()
    known = {each.name for each in made.all()}
    for tenant in people:
        if f"person{tenant.number}" not in known:
            made.add(f"person{tenant.number}", Role.VIEWER, tenant.id, PASSWORD)


Address = Callable[[Client, Tenant, random.Random], str]


def _activity(_client: Client, _tenant: Tenant, _chance: random.Random) -> str:
    return "/activity?view="


def _week(_client: Client, _tenant: Tenant, _chance: random.Random) -> str:
    return "/activity?range=7d"


def _of_user(_client: Client, tenant: Tenant, chance: random.Random) -> str:
    return f"/activity?user={tenant.user(chance.randrange(USERS_COUNT))['name']}&category=orders"


def _words(_client: Client, _tenant: Tenant, chance: random.Random) -> str:
    return f"/activity?q=status+{chance.choice(['confirmed', 'draft'])}&range=30d"


def _history(kind: str) -> Address:
    def address(client: Client, tenant: Tenant, chance: random.Random) -> str:
        wanted = [{"term": {"tenant.id": tenant.id}}, {"term": {"entity.type": kind}}]
        body = {
            "size": 0,
            "query": {"bool": {"filter": wanted}},
            "aggs": {"ids": {"terms": {"field": "entity.id", "size": ENTITIES_COUNT}}},
        }
        found: Any = client.request("POST", f"/{partitions.alias(PREFIX)}/_search", body=body).json
        return f"/history/{kind}/{chance.choice(found['aggregations']['ids']['buckets'])['key']}"

    return address


PAGES: Final[dict[str, Address]] = {
    "/activity, all that is kept": _activity,
    "/activity, last 7 days": _week,
    "/activity, a user's orders": _of_user,
    "/activity, words in 30 days": _words,
    "/history of a sales order": _history("SalesOrder"),
    "/history of a product": _history("Product"),
}


def measure(client: Client, people: list[Person], rounds: int) -> dict[str, list[float]]:
    """Ask for each page `rounds` times for each person, in a mixed order, and for the counts after rows."""
    chance = random.Random(11)
    asked = [
        (name, person, address(client, person.tenant, chance))
        for name, address in PAGES.items()
        for person in people
        for _ in range(rounds)
    ]
    chance.shuffle(asked)
    found: dict[str, list[float]] = {name: [] for name in PAGES}
    later: dict[str, list[float]] = {}
    for name, person, path in asked:
        took, page = person.ask(path)
        found[name].append(took)
        source = re.search(r'data-counts="([^"]+)"', page)
        if source is not None:
            took, _ = person.ask(html.unescape(source[1]))
            later.setdefault(f"{name}: histogram and facets", []).append(took)
    return found | later


def table(found: dict[str, list[float]]) -> Iterator[str]:
    yield f"{'':52} {'asked':>6} {'median':>8} {'95 %':>8}"
    for name, times in found.items():
        ordered = sorted(times)
        high = ordered[int(len(ordered) * 0.95)]
        yield f"{name:52} {len(times):>6} {statistics.median(times):>5.0f} ms {high:>5.0f} ms"


@click.command()
@click.option("--events", default=5_000_000, show_default=True, help="How many events, of 200 tenants.")
@click.option("--rounds", default=5, show_default=True, help="How often each person asks for each page.")
@click.option("--heap", default="2g", show_default=True, help="Java heap of the node.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the node, kept and found again; without it a temporary one.",
)
def main(events: int, rounds: int, heap: str, data: Path | None) -> None:
    """Ask for pages among many events."""
    people = ALL[:: TENANTS_COUNT // READERS_COUNT]
    node_of = running_node(heap) if data is None else kept_node(data.resolve(), heap)
    with tempfile.TemporaryDirectory(prefix="smartwms-audit-bench-") as name, node_of as node:
        client = client_of(node.url, PREFIX)
        prepared(node.url, PREFIX)
        if not held(client):
            load(client, Load(events, datetime.now(UTC).replace(minute=0, second=0, microsecond=0)))
        if held(client) != events:
            raise click.ClickException(f"--data is {data}, which has {held(client):,} events; delete it")
        accounts(client, people, Path(name))
        listed: Any = client.request("GET", f"/_alias/{partitions.alias(PREFIX)}").json
        click.echo(f"{events:,} events of {TENANTS_COUNT} tenants in {len(listed)} partitions")
        with serving(node.url, Path(name)) as address:
            signed = [signed_in(address, tenant) for tenant in people]
            measure(client, signed, 1)
            for line in table(measure(client, signed, rounds)):
                click.echo(line)


if __name__ == "__main__":
    main()
