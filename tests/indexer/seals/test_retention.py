"""Retention itself deletes, carries over and erases; the seals say that it was lawful, and to the event."""

from datetime import UTC, datetime

from indexer import partitions
from indexer.client import Client
from indexer.event import event_hash
from indexer.query import OPERATOR, Query, iso, within_tenant
from indexer.retention import erasures
from indexer.seals import scan, seal
from indexer.seals.leaves import Leaves, Placement
from indexer.seals.report import Extent, Report
from indexer.seals.shelf import Shelf
from indexer.seals.verify import Verification
from tests.support.keeping import ACME, NORD, STARTER, Keeping
from tests.support.sealing import new_key, told
from tests.support.store import Store

NOW = datetime.now(UTC)


def seal_everything(client: Client, prefix: str) -> None:
    """Seal what lies in the partitions, as the agent that stored it does."""
    leaves, key = Leaves(), new_key()
    names = [
        row["index"]
        for row in client.request(
            "GET", f"/_cat/aliases/{partitions.alias(prefix)}", params={"format": "json"}
        ).json
    ]
    for page in scan.events(client, sorted(names), within_tenant(OPERATOR, Query({"match_all": {}}))):
        for hit in page:
            document = hit["_source"]
            place = Placement(hit["_index"], document["tenant"]["id"])
            leaves.add(place, hit["_id"], bytes.fromhex(event_hash(document)), seen=False)
    shelf = Shelf(client, prefix)
    shelf.prepare()
    made, packed = seal.make(
        key, leaves, chain=seal.new_chain(key), number=0, previous="", host="app-1", time=iso(NOW)
    )
    shelf.put(made, seal.to_source(made, packed))


def verified(keeping: Keeping) -> Report:
    return Verification(keeping.client, keeping.prefix, Extent(), now=NOW).run()


def test_what_retention_does_is_no_finding_and_what_else_is_done_is(store: Store) -> None:
    keeping = Keeping(store)
    keeping.tenant(ACME, "starter")
    keeping.tenant(NORD, "starter")
    keeping.write(ACME, 3)
    keeping.write(NORD, 2)
    keeping.write(ACME, 2, at=1.25)
    keeping.write(NORD, 4, at=1.25)
    seal_everything(keeping.client, keeping.prefix)
    assert told(verified(keeping)) == {"verified": 11}

    keeping.hold(NORD)
    keeping.run(30)
    assert STARTER not in keeping.indices()
    assert told(verified(keeping)) == {"verified": 6, "carried over": 2, "expired by certificate": 3}

    erasures.request(keeping.client, keeping.prefix, ACME, reason="left", by="anna", now=NOW)
    erasures.confirm(keeping.client, keeping.prefix, ACME, by="ben", now=NOW)
    keeping.erase(ACME)
    lawful = {
        "verified": 4, "carried over": 2, "expired by certificate": 3, "erased by certificate": 2,
    }  # fmt: skip
    report = verified(keeping)
    assert told(report) == lawful
    assert report.is_sound

    [kept] = [name for name in keeping.indices() if name.startswith("hold-")]
    keeping.client.request("DELETE", f"/{keeping.prefix}-audit-{kept}")
    report = verified(keeping)
    assert report.totals.total() == sum(lawful.values())
    assert not report.is_sound
    keeping.client.close()
