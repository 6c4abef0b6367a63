"""Each thing that can be done to a store, done to a live one; and what the seals say of it."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from click.testing import CliRunner

from indexer import cli, partitions
from indexer.documents import Documents
from indexer.keys import public_pem
from indexer.query import Window
from indexer.retention import certificates
from indexer.retention.certificate import Carried, Kind
from indexer.seals import seal as seals
from indexer.seals.leaves import Leaves
from indexer.seals.states import State
from tests.support import events
from tests.support.events import MORNING, NORD, TEST
from tests.support.sealing import NOW, Site, new_key, told
from tests.support.store import Store

NORDS = {"tenant.id": NORD}
STARTER = {"tenant.class": "starter", "@timestamp": "2026-10-01T06:00:00.0000000Z"}
BUSINESS = {"tenant.class": "business", "@timestamp": "2026-10-01T06:00:00.0000000Z"}


def test_what_reads_as_it_was_sealed_is_verified_root_and_all(site: Site) -> None:
    site.sealed(range(5))
    site.sealed(range(5, 9), NORDS)
    report = site.verify()
    assert told(report) == {"verified": 9}
    assert report.is_sound
    assert report.roots_count == 2


def test_a_seal_cannot_be_changed_or_deleted_in_the_store(site: Site) -> None:
    site.sealed(range(2))
    path = f"{site.store.url}/{site.shelf.index}"
    settings = site.store.get(f"{site.shelf.index}/_settings", flat_settings="true")
    assert isinstance(settings, dict)
    assert settings[site.shelf.index]["settings"]["index.append_only.enabled"] == "true"
    assert path.endswith("-seals")
    found = site.client.send("DELETE", f"/{site.shelf.index}/_doc/x", None, timeout_secs=30)
    assert found.status == 400


def test_no_search_for_events_meets_a_seal(site: Site) -> None:
    site.sealed(range(2))
    listed = site.client.request(
        "GET", f"/_cat/indices/{partitions.pattern(site.store.prefix)}", params={"format": "json"}
    ).json
    assert site.shelf.index not in {row["index"] for row in listed}


class TestIntruders:
    def test_a_forged_event_is_unsealed(self, site: Site) -> None:
        site.sealed(range(3))
        [forged] = site.ship([7], {"message": "sofia User approved everything"})
        report = site.verify()
        assert told(report) == {"verified": 3, "unsealed": 1}
        assert [each.id for each in report.examples[State.UNSEALED]] == [forged["event"]["id"]]

    def test_an_event_that_was_stored_just_now_may_wait_for_its_seal_and_no_longer(self, site: Site) -> None:
        site.sealed(range(1))
        site.ship([2], {"event.ingested": NOW.isoformat()})
        assert told(site.verify(now=NOW + timedelta(minutes=1))) == {"verified": 1, "not sealed yet": 1}
        assert told(site.verify(now=NOW + timedelta(minutes=20))) == {"verified": 1, "unsealed": 1}

    def test_a_copy_of_a_sealed_event_in_another_partition_is_unsealed(self, site: Site) -> None:
        [original] = site.sealed([1])
        other = f"{site.store.prefix}-audit-starter-2026.11.23"
        partitions.ensure(site.client, other)
        site.put(other, original)
        assert told(site.verify()) == {"verified": 1, "unsealed": 1}

    def test_events_in_an_edited_copy_of_a_partition_are_changed_and_missing(self, site: Site) -> None:
        documents = site.sealed(range(5))
        documents[1]["user"]["name"] = "nobody"
        site.replace(documents[:4])
        report = site.verify()
        assert told(report) == {"verified": 3, "changed": 1, "missing": 1}
        assert report.examples[State.CHANGED][0].id == documents[1]["event"]["id"]
        assert report.examples[State.MISSING][0].id == documents[4]["event"]["id"]

    def test_an_event_whose_hash_was_kept_while_it_was_edited_is_changed(self, site: Site) -> None:
        documents = site.sealed(range(2))
        site.delete(site.partition(documents[0]))
        documents[0]["message"] = "nothing happened"
        events.load(site.client, site.store.prefix, documents)
        assert told(site.verify()) == {"verified": 1, "changed": 1}

    def test_an_event_under_another_id_is_unsealed_and_its_own_missing(self, site: Site) -> None:
        documents = site.sealed(range(2))
        site.delete(site.partition(documents[0]))
        renamed = events.document(0)
        renamed["event"]["id"] = documents[0]["event"]["id"][:-1] + "x"
        events.load(site.client, site.store.prefix, [documents[1], renamed])
        assert told(site.verify()) == {"verified": 1, "missing": 1, "unsealed": 1}

    def test_an_event_moved_to_where_it_is_deleted_sooner_is_changed(self, site: Site) -> None:
        [document] = site.sealed([1])
        site.delete(site.partition(document))
        other = f"{site.store.prefix}-audit-starter-2026.11.23"
        partitions.ensure(site.client, other)
        site.put(other, document)
        assert told(site.verify()) == {"changed": 1}

    def test_a_partition_that_is_gone_before_its_time_without_a_certificate_is_early(
        self, site: Site
    ) -> None:
        documents = site.sealed(range(3))
        site.delete(site.partition(documents[0]))
        assert told(site.verify()) == {"early deletion": 3}

    def test_a_partition_that_is_gone_after_its_time_without_a_certificate_is_missing(
        self, site: Site
    ) -> None:
        documents = site.sealed(range(2), STARTER)
        site.delete(site.partition(documents[0]))
        assert told(site.verify()) == {"missing": 2}

    def test_a_hole_in_the_chain_is_a_gap_and_its_events_are_unsealed(self, site: Site) -> None:
        for number in range(4):
            site.sealed([number])
        site.reshelve([site.made[0], site.made[3]])
        report = site.verify()
        assert told(report) == {"verified": 2, "unsealed": 2, "gap": 1}
        assert report.troubles[0].sentence == "seals 1 to 2 are not there"

    def test_a_tail_that_was_cut_leaves_its_events_unsealed(self, site: Site) -> None:
        for number in range(3):
            site.sealed([number])
        site.reshelve(site.made[:2])
        assert told(site.verify()) == {"verified": 2, "unsealed": 1}

    def test_a_tail_that_was_cut_with_its_events_shows_by_the_anchor_alone(self, site: Site) -> None:
        first = site.sealed([0])
        site.sealed([1])
        site.reshelve(site.made[:1])
        site.delete(site.partition(first[0]))
        events.load(site.client, site.store.prefix, first)
        assert told(site.verify()) == {"verified": 1}
        report = site.verify(anchors=site.anchors())
        assert told(report) == {"verified": 1, "anchor mismatch": 1}
        assert "seal 1 of" in report.troubles[0].sentence

    def test_everything_rewritten_with_the_key_shows_by_the_anchor_alone(self, site: Site) -> None:
        documents = site.sealed(range(3))
        anchors = site.anchors()
        documents[0]["user"]["name"] = "nobody"
        site.replace(documents)
        site.made.clear()
        site.make(documents)
        site.reshelve(site.made)
        assert told(site.verify(pinned=[site.key.public])) == {"verified": 3}
        assert told(site.verify(anchors=anchors)) == {"verified": 3, "anchor mismatch": 1}

    def test_everything_rewritten_with_another_key_shows_where_the_keys_are_known(self, site: Site) -> None:
        known = site.key.public
        documents = site.sealed(range(2))
        site.key = new_key()
        site.begin()
        site.make(documents)
        site.reshelve(site.made)
        assert told(site.verify()) == {"verified": 2}
        assert told(site.verify(pinned=[known])) == {"unsealed": 2, "gap": 1}

    def test_a_seal_with_other_leaves_or_another_signature_proves_nothing(self, site: Site) -> None:
        documents = site.ship(range(2))
        made = site.make(documents)
        source = seals.to_source(made, site.made[0][1])
        for number, wrong in enumerate((
            {**source, "leaves": seals.to_source(made, Leaves().pack())["leaves"]},
            {**source, "count": 3},
        )):  # fmt: skip
            path = f"/{site.shelf.index}/_create/{made.id if not number else 'x'}"
            site.client.request("PUT", path, body=wrong)
        assert told(site.verify()) == {"unsealed": 2, "gap": 2}

    def test_two_seals_of_one_number_are_a_gap(self, site: Site) -> None:
        site.sealed([0])
        site.made.clear()
        site.sealed([1])
        report = site.verify()
        assert told(report) == {"verified": 2, "gap": 1}
        assert "two genuine seals have number 0" in report.troubles[0].sentence


class TestLaw:
    def test_what_expired_by_certificate_is_no_finding(self, site: Site) -> None:
        documents = site.sealed(range(3), STARTER)
        site.certify(documents, days=30)
        site.delete(site.partition(documents[0]))
        report = site.verify()
        assert told(report) == {"expired by certificate": 3}
        assert report.is_sound

    def test_a_certificate_of_a_deletion_before_its_time_is_an_early_deletion(self, site: Site) -> None:
        documents = site.sealed(range(3), BUSINESS)
        site.certify(documents, days=1)
        site.delete(site.partition(documents[0]))
        assert told(site.verify()) == {"early deletion": 3}

    def test_a_certificate_that_counts_fewer_than_were_sealed_leaves_the_others_missing(
        self, site: Site
    ) -> None:
        documents = site.sealed(range(3), STARTER)
        site.certify(documents[:2], days=30)
        site.delete(site.partition(documents[0]))
        assert told(site.verify()) == {"expired by certificate": 2, "missing": 1}

    def test_what_one_certificate_does_not_count_is_not_taken_from_what_another_counts(
        self, site: Site
    ) -> None:
        erased = site.sealed(range(3), STARTER)
        expired = site.sealed(range(3, 7), {**STARTER, **NORDS})
        first = site.certify(erased[:1], kind=Kind.ERASURE)
        site.certify(expired, days=30)
        certificates.write(site.client, site.store.prefix, replace(first, id="uuid-of-the-first"), None)
        site.delete(site.partition(erased[0]))
        assert told(site.verify()) == {
            "expired by certificate": 4, "erased by certificate": 1, "missing": 2,
        }  # fmt: skip

    def test_what_was_carried_over_is_verified_where_it_is_now(self, site: Site) -> None:
        mine = site.sealed(range(2), STARTER)
        others = site.sealed(range(2, 4), {**STARTER, **NORDS})
        kept = f"{site.store.prefix}-audit-hold-2026.10"
        partitions.ensure(site.client, kept)
        source = site.partition(mine[0])
        body = {
            "source": {"index": source, "query": {"term": {"tenant.id": NORD}}},
            "dest": {"index": kept, "op_type": "create"},
        }
        site.client.request("POST", "/_reindex", params={"refresh": True}, body=body)
        site.certify([*mine, *others], days=30, carried=[Carried(NORD, kept, 2, "hold")])
        site.delete(source)
        report = site.verify()
        assert told(report) == {"carried over": 2, "expired by certificate": 2}
        assert report.roots_count == 1
        assert told(site.verify(tenant=NORD)) == {"carried over": 2}

    def test_what_was_carried_over_and_expired_later_expired(self, site: Site) -> None:
        documents = site.sealed(range(2), STARTER)
        kept = f"{site.store.prefix}-audit-hold-2026.10"
        site.certify(documents, days=30, carried=[Carried(TEST, kept, 2, "hold")])
        site.delete(site.partition(documents[0]))
        site.certify(documents, index=kept)
        assert told(site.verify()) == {"expired by certificate": 2}

    def test_what_was_erased_by_certificate_is_no_finding_and_the_others_stay_verified(
        self, site: Site
    ) -> None:
        gone = site.sealed(range(2))
        kept = site.sealed(range(2, 4), NORDS)
        index = site.partition(gone[0])
        site.certify([*gone, *kept], kind=Kind.ERASURE, carried=[Carried(NORD, index, 2, "others")])
        site.delete(index)
        events.load(site.client, site.store.prefix, kept)
        assert told(site.verify()) == {"verified": 2, "erased by certificate": 2}

    def test_a_forged_certificate_is_not_believed_where_the_key_of_retention_is_given(
        self, site: Site
    ) -> None:
        retention = new_key()
        expired = site.sealed(range(2), STARTER)
        site.certify(expired, days=30, key=retention)
        site.delete(site.partition(expired[0]))
        hidden = site.sealed(range(2, 5))
        forged = site.certify(hidden, kind=Kind.ERASURE, key=new_key())
        site.delete(site.partition(hidden[0]))
        assert told(site.verify()) == {"expired by certificate": 2, "erased by certificate": 3}
        report = site.verify(certifiers=[retention.public])
        assert told(report) == {"expired by certificate": 2, "early deletion": 3, "doubted certificate": 1}
        assert not report.is_sound
        [trouble] = report.troubles
        assert trouble.sentence == f"the certificate of {forged.index} (test) is signed by no given key"

    def test_a_certificate_that_was_changed_after_it_was_signed_is_never_believed(self, site: Site) -> None:
        documents = site.sealed(range(3), STARTER)
        made = site.certify(documents[:2], days=30, key=new_key())
        site.delete(site.partition(documents[0]))
        stored = Documents(site.client, site.store.prefix, certificates.KIND)
        counted = stored.get(made.id)
        assert counted is not None
        stored.replace(counted, {**counted.source, "tenants": {TEST: 3}, "before_count": 3})
        assert told(site.verify()) == {"missing": 3, "doubted certificate": 1}


class TestAgents:
    def test_an_event_sealed_twice_is_verified_by_either_seal(self, site: Site) -> None:
        documents = site.sealed(range(2))
        site.seal(documents, seen=True)
        assert told(site.verify()) == {"verified": 2}

    def test_an_event_seen_under_another_key_of_redaction_is_vouched_for_by_the_other_seal(
        self, site: Site
    ) -> None:
        site.sealed(range(1))
        site.seal([events.document(0, {"message": "[redacted:00000000]"})], seen=True)
        assert told(site.verify()) == {"verified": 1}

    def test_an_event_only_seen_that_reads_otherwise_is_unsealed(self, site: Site) -> None:
        site.ship([0])
        site.seal([events.document(0, {"message": "another version's words"})], seen=True)
        assert told(site.verify()) == {"unsealed": 1}

    def test_an_agent_that_lost_its_state_begins_anew_and_is_told_of(self, site: Site) -> None:
        site.sealed([0])
        site.begin()
        site.sealed([1])
        report = site.verify()
        assert told(report) == {"verified": 2}
        assert report.restarted == [site.chain]

    def test_a_key_hands_over_to_the_next_one(self, site: Site) -> None:
        first, following = site.key, new_key()
        last = site.seal(site.ship([0]), successor=following.public)
        site.key = following
        site.begin(follows=last.chain, previous=last.digest)
        site.sealed([1])
        report = site.verify(pinned=[first.public])
        assert told(report) == {"verified": 2}
        assert report.restarted == []

    def test_a_chain_that_was_handed_over_to_and_is_not_there_is_a_gap(self, site: Site) -> None:
        site.seal(site.ship([0]), successor=new_key().public)
        assert told(site.verify()) == {"verified": 1, "gap": 1}

    def test_a_chain_cut_before_its_hand_over_is_a_gap(self, site: Site) -> None:
        site.sealed([0])
        following = new_key()
        last = site.make([], successor=following.public)
        site.key = following
        site.begin(follows=last.chain, previous=last.digest)
        site.sealed([1])
        assert told(site.verify()) == {"verified": 2, "gap": 1}


def test_a_tenant_and_a_stretch_of_time_are_verified_alone(site: Site) -> None:
    site.sealed(range(2))
    site.sealed(range(2, 5), NORDS)
    site.sealed(range(5, 6), {"@timestamp": "2026-11-25T06:00:00.0000000Z"})
    assert told(site.verify(tenant=NORD)) == {"verified": 3}
    day = Window(MORNING, MORNING + timedelta(hours=1))
    assert told(site.verify(window=day)) == {"verified": 5}
    assert told(site.verify(tenant=TEST, window=day)) == {"verified": 2}


class TestCommand:
    def test_it_tells_ranges_and_findings_and_its_exit_status_says_so(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        for name, value in site.store.environment.items():
            monkeypatch.setenv(name, value)
        folder = tmp_path_factory.mktemp("verify")
        key = folder / "app-1.pem"
        key.write_bytes(public_pem(site.key.public))
        anchor = folder / "anchors.jsonl"
        documents = site.sealed(range(3))
        anchor.write_bytes(b"".join(each.line for each in site.anchors()))
        options = ["verify", "--key", str(key), "--anchor", str(anchor), "--no-record"]
        good = CliRunner().invoke(cli.main, options)
        assert good.exit_code == 0, good.output
        assert f"{site.partition(documents[0])}  verified 3" in good.output
        site.ship([8])
        bad = CliRunner().invoke(cli.main, [*options, "--json"])
        assert bad.exit_code == 1
        found = orjson.loads(bad.output)
        assert found["totals"] == {"verified": 3, "unsealed": 1}
        assert (found["sound"], found["pinned"], found["anchors"], found["roots"]) == (False, True, 1, 1)

    def test_a_stretch_of_time_that_ends_before_it_begins_is_refused(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in site.store.environment.items():
            monkeypatch.setenv(name, value)
        options = ["verify", "--from", "2026-11-24", "--to", "2026-11-23"]
        answer = CliRunner().invoke(cli.main, options)
        assert answer.exit_code == 2
        assert "--to 2026-11-23 is not after --from 2026-11-24" in answer.output

    def test_a_store_without_seals_is_said_to_have_none(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        answer = CliRunner().invoke(cli.main, ["verify"])
        assert answer.exit_code == 2
        assert f"index {store.prefix}-seals is missing" in answer.output
