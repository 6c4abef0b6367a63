"""One index in trouble is a finding; the others go on, and nothing of it is lost or taken for gone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from indexer.retention import certificates, erasures, last_run
from indexer.retention.erasures import Erasure
from indexer.retention.hold import Hold
from tests.support.keeping import ACME, KILLED, NORD, STARTER, Keeping

SECOND = "starter-2026.09.02"


def two_days(keeping: Keeping) -> None:
    keeping.tenant(ACME, "starter")
    keeping.write(ACME, 3)
    keeping.write(ACME, 2, at=1.25)


@contextmanager
def blocked(keeping: Keeping, name: str, block: str = "read_only_allow_delete") -> Iterator[None]:
    """By default as the store does by itself where the disk is full."""
    path = f"/{keeping.prefix}-audit-{name}/_settings"
    keeping.client.request("PUT", path, body={f"index.blocks.{block}": True})
    try:
        yield
    finally:
        keeping.client.request("PUT", path, body={f"index.blocks.{block}": None})


def confirmed(keeping: Keeping, tenant_id: str = ACME) -> None:
    then = datetime.now(UTC) - timedelta(hours=1)
    erasures.request(keeping.client, keeping.prefix, tenant_id, reason="left", by="anna", now=then)
    erasures.confirm(keeping.client, keeping.prefix, tenant_id, by="ben", now=then)


def erasure_of(keeping: Keeping) -> Erasure:
    found = erasures.get(keeping.client, keeping.prefix, ACME)
    assert found
    return found


def placing(keeping: Keeping, at: str) -> Callable[[str], None]:
    def place(step: str) -> None:
        if step == at:
            keeping.hold(ACME)

    return place


class TestAnIndexOfNoClass:
    def test_is_passed_over(self, keeping: Keeping) -> None:
        two_days(keeping)
        keeping.client.request("PUT", f"/{keeping.prefix}-audit-archive-2026.08.01")
        report = keeping.run(40)
        assert [each.name for each in report.findings] == ["not-ours"]
        assert "archive-2026.08.01" in report.findings[0].sentence
        assert keeping.indices() == ["archive-2026.08.01"]

    def test_is_so_too_where_its_year_is_the_last_there_is(self, keeping: Keeping) -> None:
        two_days(keeping)
        keeping.client.request("PUT", f"/{keeping.prefix}-audit-enterprise-9999.12")
        assert len(keeping.run(40).done) == 2


class TestAPartitionThatTheStoreRefuses:
    def test_is_passed_over(self, keeping: Keeping) -> None:
        two_days(keeping)
        with blocked(keeping, STARTER):
            report = keeping.run(40)
        assert [(each.name, STARTER in each.sentence) for each in report.findings] == [("passed-over", True)]
        assert keeping.indices() == [STARTER]
        last = last_run.read(keeping.client, keeping.prefix)
        assert last
        assert (last.deleted_count, len(last.findings)) == (1, 1)
        assert keeping.run(40).findings == []
        assert keeping.indices() == []

    def test_is_not_merged_and_no_other_is_kept_from_it(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        for first in range(3):
            keeping.write(ACME, 1, first=first)
            keeping.write(ACME, 1, first=first, at=1.25)
        with blocked(keeping, STARTER, "read_only"):
            report = keeping.run(10)
        assert report.merged == [f"{keeping.prefix}-audit-{SECOND}"]
        assert [each.name for each in report.findings] == ["not-merged"]


class TestAClosedPartition:
    def test_is_told_and_the_others_go(self, keeping: Keeping) -> None:
        two_days(keeping)
        keeping.client.request("POST", f"/{keeping.prefix}-audit-{STARTER}/_close")
        report = keeping.run(40)
        assert [(each.name, "is closed" in each.sentence) for each in report.findings] == [("not-ours", True)]
        assert [each.removed for each in report.done] == [{ACME: 2}]

    def test_ends_no_erasure(self, keeping: Keeping) -> None:
        two_days(keeping)
        confirmed(keeping)
        closed = f"/{keeping.prefix}-audit-{STARTER}"
        keeping.client.request("POST", f"{closed}/_close")
        for _ in range(2):
            assert [each.name for each in keeping.erase(ACME).findings] == ["not-ours"]
        found = erasure_of(keeping)
        assert (found.removed_count, found.finished) == (2, None)
        keeping.client.request("POST", f"{closed}/_open")
        assert [each.removed for each in keeping.erase(ACME).done] == [{ACME: 3}]


class TestAnErasure:
    def test_goes_on_past_an_index_that_the_store_refuses(self, keeping: Keeping) -> None:
        two_days(keeping)
        confirmed(keeping)
        with blocked(keeping, STARTER, "read_only"):
            report = keeping.erase(ACME)
        assert [each.name for each in report.findings] == ["passed-over"]
        assert [each.removed for each in report.done] == [{ACME: 2}]

    def test_counts_also_what_a_killed_run_removed(self, keeping: Keeping) -> None:
        two_days(keeping)
        confirmed(keeping)
        keeping.erase_and_die(ACME, "finished")
        keeping.erase(ACME)
        assert erasure_of(keeping).removed_count == 5

    def test_leaves_what_is_put_on_hold_meanwhile(self, keeping: Keeping) -> None:
        two_days(keeping)
        confirmed(keeping)
        placed: list[Hold] = []

        def place(step: str) -> None:
            if step == "finished" and not placed:
                placed.append(keeping.hold(ACME))

        report = keeping.erase(ACME, step=place)
        assert [each.name for each in report.findings] == ["held-erasure"]
        assert (len(report.done), len(keeping.ids())) == (1, 2)
        assert erasure_of(keeping).finished is None

    def test_leaves_what_is_put_on_hold_at_the_last_moment(self, keeping: Keeping) -> None:
        two_days(keeping)
        confirmed(keeping)
        report = keeping.erase(ACME, step=placing(keeping, "certified"))
        assert {each.name for each in report.findings} == {"held-erasure"}
        assert (report.done, len(keeping.ids())) == ([], 5)


class TestAHoldAfterTheSwap:
    """The original has left the alias, and is not deleted yet."""

    def test_brings_back_what_it_covers(self, keeping: Keeping) -> None:
        two_days(keeping)
        keeping.tenant(NORD, "starter")
        keeping.write(NORD, 2)
        keeping.hold(NORD)
        report = keeping.run(30, step=placing(keeping, "swapped"))
        assert [each.name for each in report.findings] == ["copy-differs"]
        assert keeping.indices() == [STARTER, SECOND]
        assert len(keeping.ids()) == 7
        assert certificates.all(keeping.client, keeping.prefix) == []
        (done,) = keeping.run(30).done
        assert (done.removed, done.after_count, len(keeping.ids())) == ({}, 5, 7)

    def test_is_seen_by_the_run_after_one_that_was_killed(self, keeping: Keeping) -> None:
        two_days(keeping)
        assert keeping.run_and_die(30, "swapped") == KILLED
        keeping.hold(ACME)
        assert [each.name for each in keeping.run(30).findings] == ["copy-differs"]
        assert len(keeping.ids()) == 5
        keeping.write(ACME, 1, first=3)

    def test_of_something_else_changes_nothing(self, keeping: Keeping) -> None:
        two_days(keeping)
        assert keeping.run_and_die(30, "swapped") == KILLED
        keeping.hold(ACME, entity="SO-1")
        assert [each.removed for each in keeping.run(30).done] == [{ACME: 3}]


class TestACopyThatVanished:
    def test_costs_not_the_original_and_holds_up_nothing(self, keeping: Keeping) -> None:
        two_days(keeping)
        keeping.hold(ACME)
        keeping.run_and_die(30, "swapped")
        (copy,) = [each for each in keeping.indices() if each.startswith("hold-")]
        keeping.client.request("DELETE", f"/{keeping.prefix}-audit-{copy}")
        report = keeping.run(31)
        assert "passed-over" in {each.name for each in report.findings}
        assert STARTER in keeping.indices()
        assert [each.index for each in report.done] == [f"{keeping.prefix}-audit-{SECOND}"]
        assert len(certificates.unfinished(keeping.client, keeping.prefix)) == 1


@pytest.mark.parametrize("is_held", [False, True], ids=["released", "held"])
def test_a_hold_on_an_entity_that_a_partition_does_not_have_leaves_no_index(
    keeping: Keeping, *, is_held: bool
) -> None:
    keeping.tenant(ACME, "starter")
    keeping.write(ACME, 3)
    if is_held:
        keeping.hold(ACME, entity="SO-1")
    assert [each.removed for each in keeping.run(30).done] == [{ACME: 3}]
    assert keeping.indices() == []
