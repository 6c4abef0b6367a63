"""What somebody with credentials, a key or the whole cluster does to be believed, and to blind who looks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from indexer import cli, partitions
from indexer.documents import Documents
from indexer.errors import PartitionError
from indexer.retention import certificates
from indexer.retention.certificate import Carried, Kind
from indexer.seals import seal as seals
from indexer.seals.leaves import Leaves, Placement
from indexer.seals.states import State
from tests.support import events
from tests.support.events import NORD, TEST, Document
from tests.support.sealing import NOW, Site, new_key, told

STARTER = {"tenant.class": "starter"}
LONG_AGO = {"tenant.class": "business", "@timestamp": "2026-08-01T06:00:00.0000000Z"}
RECENT = {"tenant.class": "business", "@timestamp": "2026-10-01T06:00:00.0000000Z"}


class TestWhoHoldsAKey:
    """A seal that is made afterwards vouches for nothing that was sealed otherwise before."""

    def edited(self, site: Site) -> Document:
        """Three sealed events, one of them edited in the store."""
        documents = site.sealed(range(3))
        documents[0]["user"]["name"] = "nobody"
        site.replace(documents)
        return documents[0]

    @pytest.mark.parametrize("seen", [False, True])
    def test_an_edited_event_that_the_same_agent_seals_again_is_changed(
        self, site: Site, *, seen: bool
    ) -> None:
        document = self.edited(site)
        site.seal([document], seen=seen)
        report = site.verify(anchors=site.anchors())
        assert told(report) == {"verified": 2, "changed": 1}
        assert report.examples[State.CHANGED][0].id == document["event"]["id"]

    def test_an_edited_event_that_another_trusted_agent_seals_is_changed(self, site: Site) -> None:
        document, first = self.edited(site), site.key.public
        site.key = new_key()
        site.begin()
        site.seal([document])
        assert told(site.verify(pinned=[first, site.key.public])) == {"verified": 2, "changed": 1}

    def test_an_anchor_of_a_key_that_is_not_among_those_given_makes_none_believed(self, site: Site) -> None:
        site.sealed(range(2))
        assert told(site.verify(anchors=site.anchors())) == {"verified": 2}
        report = site.verify(anchors=site.anchors(), pinned=[new_key().public])
        assert told(report) == {"unsealed": 2, "gap": 1}

    def test_an_event_that_is_moved_edited_and_sealed_there_is_missing_where_it_was(self, site: Site) -> None:
        documents = site.sealed(range(2))
        site.delete(site.partition(documents[0]))
        events.load(site.client, site.store.prefix, documents[1:])
        site.sealed([0], STARTER)
        assert told(site.verify()) == {"verified": 2, "missing": 1}

    def test_an_event_that_another_agent_saw_and_read_otherwise_stays_what_it_was(self, site: Site) -> None:
        site.sealed([0])
        site.seal([events.document(0, {"tenant.id": NORD})], seen=True)
        assert told(site.verify()) == {"verified": 1}

    def test_an_event_of_two_partitions_is_verified_in_either(self, site: Site) -> None:
        site.sealed([0])
        site.sealed([0], STARTER)
        assert told(site.verify()) == {"verified": 2}


class TestForgedCertificates:
    """Whoever writes one of an expiry needs the time to be over, whatever else it says."""

    @pytest.mark.parametrize(
        "said",
        [{"class_name": "hold"}, {"class_name": "starter"}, {"begun": NOW + timedelta(days=400)},
         {"end": NOW - timedelta(days=4000)}],
        ids=["of no class", "of a shorter class", "of the future", "of the past"],
    )  # fmt: skip
    def test_of_an_expiry_before_its_time_it_explains_nothing(self, site: Site, said: dict[str, Any]) -> None:
        documents = site.sealed(range(3), RECENT)
        made = replace(site.certify(documents, days=1), **said)
        certificates.write(site.client, site.store.prefix, made, None)
        site.delete(site.partition(documents[0]))
        assert told(site.verify()) == {"early deletion": 3}

    def test_nor_when_the_events_are_said_to_have_been_carried_over_before(self, site: Site) -> None:
        documents = site.sealed(range(3), RECENT)
        kept = f"{site.store.prefix}-audit-hold-2026.10.01-0123abcd"
        site.certify(documents, days=90, carried=[Carried(TEST, kept, 3, "hold")])
        site.certify(documents, index=kept)
        site.delete(site.partition(documents[0]))
        assert told(site.verify()) == {"early deletion": 3}

    def test_after_their_time_what_was_carried_over_may_go(self, site: Site) -> None:
        documents = site.sealed(range(3), LONG_AGO)
        kept = f"{site.store.prefix}-audit-hold-2026.08.01-0123abcd"
        site.certify(documents, days=90, carried=[Carried(TEST, kept, 3, "hold")])
        site.certify(documents, index=kept)
        site.delete(site.partition(documents[0]))
        assert told(site.verify()) == {"expired by certificate": 3}

    @pytest.mark.parametrize(
        "said",
        [{"kind": "whim"}, {"tenants": {TEST: "all"}}, {"tenants": {TEST: -1}}, {"days": -1},
         {"begun": "2026-11-24T12:00:00"}],
        ids=["of no kind", "counting in words", "counting below zero", "of days below zero", "of no zone"],
    )  # fmt: skip
    def test_one_that_cannot_be_read_is_doubted_and_hides_nothing(
        self, site: Site, said: dict[str, Any]
    ) -> None:
        documents = site.sealed(range(2))
        made = site.certify(documents, kind=Kind.ERASURE)
        stored = Documents(site.client, site.store.prefix, certificates.KIND)
        forged = stored.get(made.id)
        assert forged is not None
        stored.replace(forged, {**forged.source, **said})
        report = site.verify()
        assert told(report) == {"verified": 2, "doubted certificate": 1}
        assert "is not readable" in report.troubles[0].sentence


class TestWhoHides:
    def narrowed(self, site: Site, **how: object) -> str:
        """A sealed partition that the alias shows a part of only; its name."""
        name = site.partition(site.sealed(range(3))[0])
        add = {"index": name, "alias": partitions.alias(site.store.prefix), **how}
        site.client.request("POST", "/_aliases", body={"actions": [{"add": add}]})
        return name

    @pytest.mark.parametrize(
        "how",
        [{"filter": {"term": {"event.action": "deleted"}}}, {"search_routing": "1"}],
        ids=["filter", "routing"],
    )
    def test_a_partition_that_searches_see_a_part_of_only_is_a_finding(
        self, site: Site, how: dict[str, Any]
    ) -> None:
        name = self.narrowed(site, **how)
        report = site.verify()
        assert told(report) == {"verified": 3, "hidden": 1}
        assert report.troubles[0].sentence == f"searches see a part of {name} only"

    def test_no_agent_writes_into_it(self, site: Site) -> None:
        name = self.narrowed(site, filter={"match_none": {}})
        with pytest.raises(PartitionError, match="shows a part of its events only"):
            partitions.ensure(site.client, name)


class TestWhoBlinds:
    """An intruder's document is named, and keeps nobody from looking at the others."""

    @pytest.mark.parametrize("field", ["event", "tenant"])
    @pytest.mark.parametrize("form", ["list", "nothing"])
    def test_an_event_whose_objects_are_none(self, site: Site, field: str, form: str) -> None:
        name = site.partition(site.sealed([0])[0])
        forged = events.document(5)
        id_ = forged["event"]["id"]
        forged[field] = [forged[field]] if form == "list" else None
        site.put(name, forged, id_)
        report = site.verify()
        assert told(report) == {"verified": 1, "unsealed": 1}
        assert report.examples[State.UNSEALED][0].id == id_

    @pytest.mark.parametrize(
        ("good", "bad"),
        [(b"sofia User changed", b"\\ud800"), (b'"Production"', b"1e999")],
        ids=["half a pair", "a number beyond all bounds"],
    )  # fmt: skip
    def test_an_event_that_only_the_store_can_read(self, site: Site, good: bytes, bad: bytes) -> None:
        name = site.partition(site.sealed([0])[0])
        forged = events.document(5)
        site.put(name, orjson.dumps(forged).replace(good, bad), forged["event"]["id"])
        assert told(site.verify()) == {"verified": 1, "unsealed": 1}

    def test_a_partition_that_keeps_no_source(self, site: Site) -> None:
        site.sealed([0])
        name = f"{site.store.prefix}-audit-starter-2026.11.23"
        body = {"mappings": {"_source": {"enabled": False}}, "aliases": {site.store.prefix + "-audit": {}}}
        site.client.request("PUT", f"/{name}", body=body)
        site.put(name, events.document(3))
        assert told(site.verify()) == {"verified": 1, "unsealed": 1}

    @pytest.mark.parametrize(
        "junk", [b"{}", b'{"chain":"\\ud800","number":1}', b'{"host":"app-1","chain":["a","b"]}']
    )
    def test_a_document_that_is_no_seal(self, site: Site, junk: bytes) -> None:
        site.sealed([0])
        site.client.request("PUT", f"/{site.shelf.index}/_create/x", body=junk)
        site.client.request("PUT", f"/{site.shelf.index}/_create/y", body=junk)
        assert told(site.verify()) == {"verified": 1, "gap": 2}

    def test_a_seal_of_placements_that_are_no_names(self, site: Site) -> None:
        site.sealed([0])
        key, leaves = new_key(), Leaves()
        leaves.add(Placement(1, 2), "i" * 24, bytes(32), seen=False)  # type: ignore[arg-type]
        made, packed = seals.make(key, leaves, chain=seals.new_chain(key), number=0, previous="",
                                  host="app-1", time="2026-11-24T12:00:00Z")  # fmt: skip
        site.shelf.put(made, seals.to_source(made, packed))
        assert told(site.verify()) == {"verified": 1, "gap": 1}

    def test_an_event_whose_words_would_move_the_cursor(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in site.store.environment.items():
            monkeypatch.setenv(name, value)
        site.ship([5], {"tenant.id": "nobody\x1b[1A\x1b[2K"})
        told_of = CliRunner().invoke(cli.main, ["verify", "--no-record"], color=True)
        assert told_of.exit_code == 1
        assert "tenant nobody\\u001b[1A\\u001b[2K" in told_of.output
