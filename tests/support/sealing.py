"""A store whose events are sealed by an agent of the test's own, and everything that can be done to it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indexer import partitions
from indexer.client import Client
from indexer.documents import Documents
from indexer.event import event_hash
from indexer.keys import SigningKey
from indexer.query import Window, iso
from indexer.retention import certificates
from indexer.retention.certificate import Carried, Certificate, Kind
from indexer.seals import seal
from indexer.seals.anchors import Anchor, anchor_of
from indexer.seals.leaves import Leaves, Placement
from indexer.seals.report import Extent, Report
from indexer.seals.seal import Seal
from indexer.seals.shelf import Shelf
from indexer.seals.verify import Verification
from tests.support import events
from tests.support.events import Document
from tests.support.store import Store

Made = tuple[Seal, bytes]
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def new_key() -> SigningKey:
    return SigningKey(Ed25519PrivateKey.generate())


def leaves_of(prefix: str, documents: Iterable[Document], *, seen: bool = False) -> Leaves:
    leaves = Leaves()
    for each in documents:
        about = each["tenant"]
        place = partitions.partition_name(prefix, about["class"], each["@timestamp"], partitions.DAY)
        hash_ = bytes.fromhex(each["event"]["hash"])
        leaves.add(Placement(place, about["id"]), each["event"]["id"], hash_, seen=seen)
    return leaves


class Site:
    """A store, and the chain of an agent that seals what it ships there."""

    def __init__(self, store: Store, client: Client, key: SigningKey | None = None) -> None:
        self.store = store
        self.client = client
        self.key = key or new_key()
        self.shelf = Shelf(client, store.prefix)
        self.shelf.prepare()
        Documents(client, store.prefix, certificates.KIND).prepare()
        self._begun = NOW
        self.begin()

    def begin(self, *, follows: str = "", previous: str = "") -> None:
        """Begin a chain, as an agent does that has no state."""
        self.chain = seal.new_chain(self.key)
        self._begun += timedelta(hours=1)
        self.made: list[Made] = []
        self._follows, self._previous = follows, previous

    def ship(self, numbers: Iterable[int], fields: dict[str, Any] | None = None) -> list[Document]:
        """Store events; nothing is sealed."""
        documents = [events.document(number, fields) for number in numbers]
        events.load(self.client, self.store.prefix, documents)
        return documents

    def make(self, documents: Sequence[Document], *, seen: bool = False, successor: str = "") -> Seal:
        """Seal these events without storing the seal."""
        number = len(self.made)
        self.made.append(seal.make(
            self.key,
            leaves_of(self.store.prefix, documents, seen=seen),
            chain=self.chain,
            number=number,
            previous=self.made[-1][0].digest if number else self._previous,
            host="app-1",
            time=iso(self._begun + timedelta(seconds=number)),
            follows="" if number else self._follows,
            successor=successor,
        ))  # fmt: skip
        return self.made[-1][0]

    def seal(self, documents: Sequence[Document], *, seen: bool = False, successor: str = "") -> Seal:
        """Seal these events."""
        made = self.make(documents, seen=seen, successor=successor)
        self._put(*self.made[-1])
        return made

    def sealed(self, numbers: Iterable[int], fields: dict[str, Any] | None = None) -> list[Document]:
        """Ship and seal events."""
        documents = self.ship(numbers, fields)
        self.seal(documents)
        return documents

    def anchors(self) -> list[Anchor]:
        return [anchor_of(each) for each, _ in self.made]

    def partition(self, document: Document) -> str:
        return partitions.partition_name(
            self.store.prefix, document["tenant"]["class"], document["@timestamp"], partitions.DAY
        )

    # -- what an intruder, or the law, does

    def put(self, index: str, document: Document | bytes, id_: str = "") -> None:
        """Store a document of whatever form in an index, which must take it."""
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        id_ = id_ or orjson.loads(body)["event"]["id"]
        command = orjson.dumps({"create": {"_index": index, "_id": id_}})
        answer = orjson.loads(self.client.bulk(b"%b\n%b\n" % (command, body)).body)
        assert not answer["errors"], answer

    def delete(self, index: str) -> None:
        self.client.request("DELETE", f"/{index}")

    def replace(self, documents: Sequence[Document]) -> None:
        """Delete the partition of these events and put them in its place; hashes are computed anew."""
        self.delete(self.partition(documents[0]))
        for each in documents:
            each["event"]["hash"] = event_hash(each)
        events.load(self.client, self.store.prefix, documents)

    def reshelve(self, made: Iterable[Made]) -> None:
        """Replace everything on the shelf by these seals."""
        self.delete(self.shelf.index)
        self.shelf.prepare()
        for each in made:
            self._put(*each)

    def _put(self, made: Seal, packed: bytes) -> None:
        self.shelf.put(made, seal.to_source(made, packed))

    def certify(
        self,
        documents: Sequence[Document],
        *,
        kind: Kind = Kind.EXPIRY,
        carried: Sequence[Carried] = (),
        begun: datetime = NOW,
        days: int | None = None,
        index: str = "",
        key: SigningKey | None = None,
    ) -> Certificate:
        """Write the certificate of the deletion of these events' partition (not the deletion)."""
        index = index or self.partition(documents[0])
        about = partitions.parse(index)
        assert about is not None
        counts: dict[str, int] = {}
        for each in documents:
            counts[each["tenant"]["id"]] = counts.get(each["tenant"]["id"], 0) + 1
        made = Certificate(
            id=f"uuid-{index}", kind=kind, index=index, partition=index,
            class_name=about.class_name, period=about.period, start=about.start, end=about.end, days=days,
            tenants=counts, carried=tuple(carried), oldest="", newest="", ids_sha256="",
            policy={}, policy_version="", ran_by="test", now=begun, clock=begun, begun=begun, finished=begun,
        )  # fmt: skip
        return certificates.write(self.client, self.store.prefix, made, key)

    # -- the question

    def verify(
        self,
        *,
        tenant: str | None = None,
        window: Window | None = None,
        anchors: Sequence[Anchor] = (),
        pinned: Sequence[str] = (),
        certifiers: Sequence[str] = (),
        now: datetime = NOW,
    ) -> Report:
        extent = Extent(tenant, window or Window())
        check = Verification(self.client, self.store.prefix, extent, now=now)
        return check.run(anchors, pinned, certifiers)


def told(report: Report) -> dict[str, int]:
    """The totals of a report, in words."""
    return {state.value: count for state, count in report.totals.items() if count}
