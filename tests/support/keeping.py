"""A store with tenants whose plans began long ago and with events of any time, for tests of what is kept."""

import multiprocessing
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indexer import event, partitions, tenants
from indexer.classes import DEFAULTS
from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.keys import SigningKey
from indexer.retention import erasures, holds, run
from indexer.retention.hold import Hold
from indexer.retention.run import Order, Report
from tests.support.events import Document, document
from tests.support.store import Store

ACME, NORD, SOL = (
    "7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa",
    "1d0b6c1e-52a7-4c1b-9a53-6a1f0e8f2a02",
    "9a4e2f00-1c35-4a57-8a7e-52fb63e1d7b1",
)
DAY = datetime(2026, 9, 1, tzinfo=UTC)
"""The day whose events are looked at."""
STARTER = "starter-2026.09.01"
DYING_SECS = 60
# The same in a process that is going to be killed.
KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KILLED = 9
SETTLE_SECS = 0.05
KINDS = ("tenants", "certificates", "holds", "erasures", "retention")


class Quiet:
    """Nobody watches."""

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, count: int) -> None: ...


def nothing(_step: str) -> None: ...


@dataclass
class Keeping:
    """A prepared store. Times are given in days after DAY."""

    store: Store

    def __post_init__(self) -> None:
        self.client: Client = connect(self.store.settings)
        self.prefix = self.store.prefix
        for kind in KINDS:
            Documents(self.client, self.prefix, kind).prepare()
        tenants.record_classes(self.client, self.prefix, DEFAULTS)

    def clean(self) -> None:
        """Forget every event, tenant and certificate; cheaper than another store."""
        for name in self.indices():
            self.client.request("DELETE", f"/{self.prefix}-audit-{name}")
        everything: dict[str, object] = {"query": {"match_all": {}}}
        self.client.request("POST", f"/{self.prefix}-app-*/_refresh")
        self.client.request(
            "POST",
            f"/{self.prefix}-app-*/_delete_by_query",
            params={"refresh": True, "conflicts": "proceed"},
            body=everything,
        )
        tenants.record_classes(self.client, self.prefix, DEFAULTS)

    def tenant(self, tenant_id: str, plan: str, *, days: int | None = None, since: float = -400) -> None:
        """Give a tenant a plan from so many days after DAY."""
        start = DAY + timedelta(days=since)
        tenants.put(
            self.client, self.prefix, tenant_id,
            name=tenant_id[:4], zone="UTC", hours="00:00-24:00", plan=plan, days=days,
            start=start, now=start - timedelta(days=1),
        )  # fmt: skip

    def write(
        self, tenant_id: str, count: int, *, at: float = 0.25, first: int = 0, **fields: object
    ) -> None:
        """Write events as an agent places them, a second apart, `at` days after DAY."""
        known = tenants.load(self.client, self.prefix, now=DAY)
        made = self.documents(tenant_id, count, at=at, first=first, **fields)
        self.put(known.partition(self.prefix, tenant_id, each["@timestamp"][:19]) for each in made)
        verdicts = self.send(
            (known.partition(self.prefix, tenant_id, each["@timestamp"][:19]), each) for each in made
        )
        assert verdicts == [201] * count, verdicts

    def documents(
        self, tenant_id: str, count: int, *, at: float = 0.25, first: int = 0, **fields: object
    ) -> list[Document]:
        """Make events, as `write` writes them."""
        known = tenants.load(self.client, self.prefix, now=DAY)
        return [
            event_of(known.class_at, tenant_id, number, at, fields) for number in range(first, first + count)
        ]

    def put(self, names: Iterable[str]) -> None:
        """Make partitions."""
        for name in set(names):
            partitions.ensure(self.client, name)

    def send(self, placed: Iterable[tuple[str, Document]]) -> list[int]:
        """Send documents to partitions; their statuses."""
        lines: list[bytes] = []
        for name, each in placed:
            lines += [
                orjson.dumps({"create": {"_index": name, "_id": each["event"]["id"]}}),
                orjson.dumps(each),
            ]
        answer = orjson.loads(self.client.bulk(b"\n".join(lines) + b"\n").body)
        self.client.request("POST", f"/{partitions.alias(self.prefix)}/_refresh")
        return [item["create"]["status"] for item in answer["items"]]

    def hold(self, tenant_id: str, *, start: datetime | None = None, end: datetime | None = None,
             entity: str = "", entity_type: str = "") -> Hold:  # fmt: skip
        return holds.place(
            self.client, self.prefix, tenant_id, reason="case 7", by="anna", now=DAY,
            start=start, end=end, entity_id=entity, entity_type=entity_type,
        )  # fmt: skip

    def run_and_die(self, after: float, step: str) -> int:
        """Run retention in a process of its own, which ends hard after a step; its exit code."""
        return self._process(_die, after, step)

    def erase_and_die(self, tenant_id: str, step: str) -> int:
        """Erase a tenant in such a process."""
        return self._process(_die_erasing, tenant_id, step)

    def _process(self, what: Callable[..., None], *arguments: object) -> int:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        process = context.Process(target=what, args=(self.store, *arguments))
        process.start()
        process.join(DYING_SECS)
        assert process.exitcode is not None
        return process.exitcode

    def erase(self, tenant_id: str, *, step: Callable[[str], None] = nothing) -> Report:
        """Erase a tenant, the erasure of which is confirmed."""
        found = erasures.get(self.client, self.prefix, tenant_id)
        assert found
        return run.erase(self.client, self.prefix, found, self.order(0, step), Quiet())

    def run(self, after: float, *, step: Callable[[str], None] = nothing) -> Report:
        """Run retention so many days after DAY has ended."""
        return run.run(self.client, self.prefix, self.order(after, step), Quiet())

    def order(self, after: float, step: Callable[[str], None] = nothing) -> Order:
        return Order(
            DAY + timedelta(days=1 + after),
            is_given=True,
            ran_by="the test",
            after=step,
            settle_secs=SETTLE_SECS,
            key=KEY,
        )

    def ids(self) -> list[str]:
        """The ids of all events that a reader sees, sorted; one that is there twice is there twice."""
        alias = partitions.alias(self.prefix)
        self.client.request("POST", f"/{alias}/_refresh")
        body = {"size": 10_000, "_source": False}
        hits = self.client.request("POST", f"/{alias}/_search", body=body).json["hits"]["hits"]
        return sorted(hit["_id"] for hit in hits)

    def indices(self) -> list[str]:
        """The partitions and copies there are, without the prefix."""
        beginning = f"{self.prefix}-audit-"
        return [
            name.removeprefix(beginning) for name in self.store.index_names() if name.startswith(beginning)
        ]


def event_of(
    class_at: Callable[[str, str], str], tenant_id: str, number: int, at: float, fields: dict[str, object]
) -> Document:
    """An event of a tenant, `number` seconds after `at` days after DAY."""
    moment = DAY + timedelta(days=at, seconds=number)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    named = {name.replace("__", "."): value for name, value in fields.items()}
    made = document(
        number,
        {
            "@timestamp": text,
            "tenant.id": tenant_id,
            "tenant.class": class_at(tenant_id, text[:19]),
            "event.ingested": text[:23] + "Z",
            "message": f"event {number} of {tenant_id}",
            **named,
        },
    )
    made["event"]["id"] = event.id_prefix("vm", tenant_id, moment.isoformat().encode()[:5]) + event.id_suffix(
        number * 100, text.encode()
    )
    made["event"]["hash"] = event.event_hash(made)
    return made


def _die(store: Store, after: float, step: str) -> None:
    _again(store).run(after, step=_end_at(step))


def _die_erasing(store: Store, tenant_id: str, step: str) -> None:
    _again(store).erase(tenant_id, step=_end_at(step))


def _end_at(step: str) -> Callable[[str], None]:
    def die(reached: str) -> None:
        if reached == step:
            os._exit(KILLED)

    return die


def _again(store: Store) -> Keeping:
    """The same store in another process."""
    keeping = Keeping.__new__(Keeping)
    keeping.store, keeping.prefix, keeping.client = store, store.prefix, connect(store.settings)
    return keeping
