"""Killed after any step and run again, retention ends in the same state; nothing is lost or seen twice."""

import threading
from dataclasses import replace

import psutil
import pytest

from indexer import partitions
from indexer.client import connect
from indexer.errors import StoreError
from indexer.retention import certificates, lease
from indexer.retention.alarms import AlarmError
from indexer.retention.replacement import STEPS
from tests.support.keeping import ACME, KEY, KILLED, NORD, SOL, STARTER, Keeping, event_of
from tests.support.sealing import new_key


def three_fates(keeping: Keeping) -> tuple[list[str], list[str]]:
    """Events that go, that are held, and that are of a tenant that keeps longer; all ids, and the kept."""
    keeping.tenant(ACME, "starter")
    keeping.tenant(NORD, "starter")
    keeping.tenant(SOL, "starter", days=60)
    keeping.write(ACME, 3)
    gone = keeping.ids()
    keeping.write(NORD, 2)
    keeping.write(SOL, 2)
    keeping.hold(NORD)
    return keeping.ids(), [each for each in keeping.ids() if each not in gone]


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_is_ended_by_the_next(keeping: Keeping, step: str) -> None:
    everything, kept = three_fates(keeping)
    assert keeping.run_and_die(30, step) == KILLED
    assert keeping.ids() == (kept if step in {"swapped", "deleted", "finished"} else everything)
    report = keeping.run(30)
    assert report.findings == []
    assert keeping.ids() == kept
    (copy,) = keeping.indices()
    assert copy.startswith("hold-2026.09.01-")
    (certificate,) = certificates.all(keeping.client, keeping.prefix)
    assert certificate.finished is not None
    assert certificate.is_believed([KEY.public])
    assert certificate.removed == {ACME: 3}
    assert [(each.tenant, each.count) for each in certificate.carried] == [(NORD, 2), (SOL, 2)]
    late = event_of(lambda *_: "starter", SOL, 5, 0.25, {})
    assert keeping.send([(f"{keeping.prefix}-audit-{STARTER}", late)]) == [201]
    report = keeping.run(30)
    assert (report.done, report.findings) == ([], [])


def test_what_only_claims_to_be_left_by_a_killed_run_is_not_signed(keeping: Keeping) -> None:
    three_fates(keeping)
    keeping.run(30)
    (made,) = certificates.all(keeping.client, keeping.prefix)
    claimed = replace(made, id="of-somebody-else", finished=None)
    forged = certificates.write(keeping.client, keeping.prefix, claimed, new_key())
    report = keeping.run(30)
    assert [each.name for each in report.findings] == ["certificate-doubted"]
    assert report.done == []
    assert certificates.unfinished(keeping.client, keeping.prefix) == [forged]


def test_a_run_that_was_killed_keeps_no_writer_off_for_good(keeping: Keeping) -> None:
    three_fates(keeping)
    assert keeping.run_and_die(30, "copied") == KILLED
    late = [(f"{keeping.prefix}-audit-{STARTER}", event_of(lambda *_: "starter", SOL, 5, 0.25, {}))]
    # Kept off by the engine, so an agent that sends it again does so with success after the next run.
    assert keeping.send(late) == [403]
    # Nothing is due any more by this time: the next run lets writers in again all the same.
    keeping.run(1)
    assert keeping.send(late) == [201]
    assert keeping.indices() == [STARTER]


def test_a_copy_that_the_store_still_makes_for_a_killed_run_is_ended_first(keeping: Keeping) -> None:
    three_fates(keeping)
    stray: dict[str, object] = {
        "source": {"index": f"{keeping.prefix}-audit-{STARTER}", "size": 1},
        "dest": {"index": f"{keeping.prefix}-stray", "op_type": "create"},
    }
    keeping.client.request("PUT", f"/{keeping.prefix}-stray")
    # As slow as one of millions of events.
    params: dict[str, str | bool] = {"wait_for_completion": False, "requests_per_second": "0.01"}
    task = keeping.client.request("POST", "/_reindex", params=params, body=stray).json["task"]
    assert len(keeping.run(30).done) == 1
    found = keeping.client.request("GET", f"/_tasks/{task}").json
    assert (found["completed"], found["response"]["canceled"]) == (True, "by user request")


def test_no_search_sees_both_or_neither(keeping: Keeping) -> None:
    _, kept = three_fates(keeping)
    seen: set[int] = set()
    failed: list[object] = []
    done = threading.Event()

    path = f"/{partitions.alias(keeping.prefix)}/_search"

    def look() -> None:
        client = connect(keeping.store.settings)
        body = {"size": 0, "track_total_hits": True, "query": {"terms": {"tenant.id": [NORD, SOL]}}}
        while not done.is_set():
            try:
                answer = client.request("POST", path, body=body).json
            except StoreError as error:
                failed.append(error)
                continue
            seen.add(answer["hits"]["total"]["value"])
            failed.extend(answer["_shards"].get("failures", ()))
        client.close()

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        (certificate,) = keeping.run(30).done
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert certificate.after_count == len(kept)
    assert seen == {len(kept)}
    assert failed == []


class TestTheLease:
    def test_keeps_two_runs_apart(self, keeping: Keeping) -> None:
        three_fates(keeping)
        held = lease.take(keeping.client, keeping.prefix)
        with pytest.raises(AlarmError, match="runs since") as raised:
            keeping.run(30)
        assert raised.value.name == "another-run"
        held.give_back()
        assert len(keeping.run(30).done) == 1

    def test_that_was_taken_by_another_ends_the_run_before_it_deletes(self, keeping: Keeping) -> None:
        everything, _ = three_fates(keeping)

        def lose(step: str) -> None:
            if step == "certified":
                # As after a pause of the whole machine that was longer than the lease.
                index = f"{keeping.prefix}-app-retention"
                keeping.client.request("POST", f"/{index}/_update/lease", body={"doc": {"host": "other"}})

        report = keeping.run(30, step=lose)
        assert [(each.name, "taken this run's lease" in each.sentence) for each in report.findings] == [
            ("another-run", True)
        ]
        assert report.done == []
        assert keeping.ids() == everything

    def test_of_a_living_process_that_is_hidden_from_us_holds(
        self, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """systemd hides the processes of other users (`ProtectProc=invisible`)."""
        lease.take(keeping.client, keeping.prefix)
        visible = psutil.Process

        def hidden(process: int | None = None) -> psutil.Process:
            if process is not None:
                raise psutil.NoSuchProcess(process)
            return visible()

        monkeypatch.setattr(psutil, "Process", hidden)
        with pytest.raises(AlarmError, match="runs since"):
            lease.take(keeping.client, keeping.prefix)

    def test_of_a_living_process_elsewhere_holds_until_its_end(self, keeping: Keeping) -> None:
        held = lease.take(keeping.client, keeping.prefix)
        index = f"{keeping.prefix}-app-retention"
        keeping.client.request("POST", f"/{index}/_update/lease", body={"doc": {"host": "other"}})
        with pytest.raises(AlarmError, match="on other"):
            lease.take(keeping.client, keeping.prefix)
        past = {"doc": {"until": "2026-01-01T00:00:00Z"}}
        keeping.client.request("POST", f"/{index}/_update/lease", body=past)
        lease.take(keeping.client, keeping.prefix)
        with pytest.raises(AlarmError):
            held.renew()
