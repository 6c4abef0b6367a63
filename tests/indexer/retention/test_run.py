"""What is over goes, what is to be kept stays, and both can be shown."""

import hashlib
from datetime import timedelta

import pytest

from indexer import indices, partitions
from indexer.errors import MissingError
from indexer.retention import certificates, holds
from indexer.retention.alarms import AlarmError
from indexer.retention.certificate import Carried
from indexer.retention.run import rehearse
from tests.support.keeping import ACME, DAY, NORD, SOL, STARTER, Keeping, event_of


class TestAPartitionBeyondItsClass:
    def test_is_deleted_on_the_day_and_not_before(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.write(ACME, 3)
        keeping.write(ACME, 2, at=1.25)
        assert keeping.run(29.99).done == []
        assert len(keeping.ids()) == 5
        assert [each.removed for each in keeping.run(30).done] == [{ACME: 3}]
        assert keeping.indices() == ["starter-2026.09.02"]

    def test_leaves_a_certificate(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(NORD, "starter")
        keeping.write(ACME, 3)
        keeping.write(NORD, 2, at=0.5)
        ids = keeping.ids()
        keeping.run(30)
        (found,) = certificates.all(keeping.client, keeping.prefix)
        assert found.index == found.partition == f"{keeping.prefix}-audit-{STARTER}"
        assert (found.class_name, found.days, found.period) == ("starter", 30, "day")
        assert (found.start, found.end) == (DAY, DAY + timedelta(days=1))
        assert (found.tenants, found.carried) == ({ACME: 3, NORD: 2}, ())
        assert found.oldest == "2026-09-01T06:00:00.000000000Z"
        assert found.newest == "2026-09-01T12:00:01.000000000Z"
        assert found.ids_sha256 == hashlib.sha256("".join(f"{each}\n" for each in ids).encode()).hexdigest()
        assert found.ran_by == "the test, by --now"
        assert found.policy["starter"] == {"days": 30, "period": "day"}
        assert found.finished is not None

    def test_is_not_found_by_a_second_run(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.write(ACME, 3)
        keeping.run(30)
        report = keeping.run(30)
        assert (report.done, report.findings) == ([], [])
        assert len(certificates.all(keeping.client, keeping.prefix)) == 1

    def test_is_only_named_by_a_rehearsal(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(NORD, "starter")
        keeping.write(ACME, 3)
        keeping.write(NORD, 2)
        keeping.hold(NORD)
        (planned,) = rehearse(keeping.client, keeping.prefix, keeping.order(30)).planned
        assert (planned.event_count, planned.kept_count) == (5, 2)
        assert keeping.indices() == [STARTER]
        assert certificates.all(keeping.client, keeping.prefix) == []

    def test_of_events_without_a_time_is_kept_from_their_arrival_on(self, keeping: Keeping) -> None:
        undated = {"@timestamp": "2000-01-01T00:00:00.000000000Z"}
        name = f"{keeping.prefix}-audit-enterprise-2000.01"
        keeping.put([name])
        made = event_of(lambda *_: "enterprise", "-", 1, 0.25, {})
        assert keeping.send([(name, {**made, **undated})]) == [201]
        assert keeping.run(360).done == []
        assert [each.removed for each in keeping.run(366).done] == [{"-": 1}]


class TestAPlanThatIsLonger:
    def test_now_keeps_a_tenants_events_and_no_others(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(NORD, "starter")
        keeping.tenant(ACME, "business", since=20)
        keeping.write(NORD, 2, at=0.5)
        gone = keeping.ids()
        keeping.write(ACME, 3)
        kept = [each for each in keeping.ids() if each not in gone]
        (done,) = keeping.run(30).done
        (copy,) = keeping.indices()
        assert done.carried == (Carried(ACME, f"{keeping.prefix}-audit-{copy}", 3, "plan"),)
        assert copy.startswith("hold-2026.09.01-")
        assert keeping.ids() == kept

    def test_lets_them_go_when_its_own_time_is_over(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(ACME, "business", since=20)
        keeping.write(ACME, 3)
        keeping.run(30)
        assert keeping.run(89.99).done == []
        assert [each.removed for each in keeping.run(90).done] == [{ACME: 3}]
        assert keeping.indices() == []

    def test_keeps_what_it_carried_over_also_after_a_shorter_one(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(ACME, "business", since=20)
        keeping.write(ACME, 3)
        keeping.run(30)
        keeping.tenant(ACME, "starter", since=40)
        keeping.run(50)
        assert len(keeping.ids()) == 3

    def test_that_was_entered_for_later_counts(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(ACME, "enterprise", since=50)
        keeping.write(ACME, 3)
        keeping.run(30)
        assert len(keeping.ids()) == 3

    def test_by_days_of_its_own_leaves_the_partition_where_a_resend_finds_it(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter", days=60)
        keeping.tenant(NORD, "starter")
        keeping.write(NORD, 2, at=0.5)
        keeping.write(ACME, 3)
        (done,) = keeping.run(30).done
        assert done.removed == {NORD: 2}
        ids, name = keeping.ids(), f"{keeping.prefix}-audit-{STARTER}"
        again = [event_of(lambda *_: "starter", ACME, number, 0.25, {}) for number in range(4)]
        keeping.put([name])
        # Three are there already, under the name that the agent knows; the fourth is late.
        assert keeping.send((name, each) for each in again) == [409, 409, 409, 201]
        assert len(keeping.ids()) == len(ids) + 1
        assert keeping.run(59.99).done == []
        assert [each.removed for each in keeping.run(60).done] == [{ACME: 4}]
        with pytest.raises(MissingError):
            indices.look(keeping.client, name)

    def test_of_one_tenant_outlives_that_of_another_in_the_same_copy(self, keeping: Keeping) -> None:
        for tenant_id, plan in ((ACME, "business"), (NORD, "enterprise"), (SOL, "business")):
            keeping.tenant(tenant_id, "starter")
            keeping.tenant(tenant_id, plan, since=20)
            keeping.write(tenant_id, 2)
        keeping.run(30)
        report = keeping.run(90)
        assert report.findings == []
        (done,) = report.done
        assert (done.removed, done.after_count) == ({ACME: 2, SOL: 2}, 2)
        assert len(keeping.ids()) == 2
        assert [each.removed for each in keeping.run(365).done] == [{NORD: 2}]


class TestALegalHold:
    def test_keeps_everything_of_a_tenant_until_it_is_released(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(NORD, "starter")
        keeping.write(ACME, 3)
        keeping.write(NORD, 2)
        hold = keeping.hold(ACME)
        assert keeping.run(10).done == []
        assert [each.removed for each in keeping.run(30).done] == [{NORD: 2}]
        assert keeping.run(5000).done == []
        holds.release(keeping.client, keeping.prefix, ACME, reason="over", by="ben", now=DAY, hold_id=hold.id)
        assert [each.removed for each in keeping.run(5000).done] == [{ACME: 3}]

    def test_changes_nothing_of_where_events_are_written(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.hold(ACME)
        keeping.write(ACME, 1)
        assert keeping.indices() == [STARTER]

    def test_of_a_time_and_an_entity_keeps_just_that(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(NORD, "starter")
        keeping.write(ACME, 4)
        keeping.write(ACME, 2, first=10, entity__number="SO-1")
        keeping.write(NORD, 2, first=10, entity__number="SO-1")
        keeping.hold(ACME, start=DAY + timedelta(hours=6, seconds=2), end=DAY + timedelta(hours=6, seconds=5))
        keeping.hold(ACME, entity="SO-1")
        (done,) = keeping.run(30).done
        assert done.removed == {ACME: 2, NORD: 2}
        assert [(each.tenant, each.count, each.reason) for each in done.carried] == [(ACME, 4, "hold")]

    def test_may_be_one_of_many(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.write(ACME, 3)
        keeping.write(ACME, 2, first=10, entity__number="SO-399")
        keeping.write(ACME, 2, first=20, entity__number="SO-7", entity__type="Shipment")
        for number in range(400):
            keeping.hold(ACME, entity=f"SO-{number}", entity_type="SalesOrder" if number == 7 else "")
        report = keeping.run(30)
        assert report.findings == []
        assert [(each.removed, each.after_count) for each in report.done] == [({ACME: 5}, 2)]

    def test_is_on_top_of_a_longer_plan(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(ACME, "business", since=20)
        keeping.write(ACME, 3)
        keeping.run(30)
        keeping.hold(ACME)
        keeping.run(200)
        assert len(keeping.ids()) == 3

    def test_placed_at_the_last_moment_is_seen(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.write(ACME, 3)

        def place(step: str) -> None:
            if step == "certified":
                keeping.hold(ACME)

        report = keeping.run(30, step=place)
        assert [each.name for each in report.findings] == ["copy-differs"]
        assert certificates.all(keeping.client, keeping.prefix) == []
        keeping.run(30)
        assert len(keeping.ids()) == 3


class TestARunThatIsNotSure:
    def test_refuses_a_clock_that_is_not_the_clusters(self, keeping: Keeping) -> None:
        order = keeping.order(30)
        wrong = type(order)(order.now)
        with pytest.raises(AlarmError, match="the cluster's says") as raised:
            rehearse(keeping.client, keeping.prefix, wrong)
        assert raised.value.name == "clock-wrong"

    def test_deletes_nothing_without_a_certificate(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.write(ACME, 3)
        index = f"{keeping.prefix}-app-certificates"
        keeping.client.request("PUT", f"/{index}/_block/write")
        assert [each.name for each in keeping.run(30).findings] == ["certificate-not-written"]
        assert len(keeping.ids()) == 3
        keeping.write(ACME, 1, first=3)
        keeping.client.request("PUT", f"/{index}/_settings", body={"index.blocks.write": None})
        assert [each.removed for each in keeping.run(30).done] == [{ACME: 4}]

    def test_passes_over_events_outside_their_period(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.write(ACME, 3)
        stray = event_of(lambda *_: "starter", ACME, 9, 1.25, {})
        assert keeping.send([(f"{keeping.prefix}-audit-{STARTER}", stray)]) == [201]
        keeping.write(ACME, 2, at=-1)
        report = keeping.run(30)
        assert [each.name for each in report.findings] == ["outside-period"]
        assert keeping.indices() == [STARTER]

    def test_passes_over_what_is_not_as_we_make_it(self, keeping: Keeping) -> None:
        name = f"{keeping.prefix}-audit-{STARTER}"
        aliases: dict[str, object] = {partitions.alias(keeping.prefix): {}}
        keeping.client.request("PUT", f"/{name}", body={"aliases": aliases})
        report = keeping.run(30)
        assert [each.name for each in report.findings] == ["not-ours"]
        assert keeping.indices() == [STARTER]


class TestAClosedPartition:
    def test_is_merged_and_still_takes_a_late_event(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        for first in range(3):
            keeping.write(ACME, 1, first=first)
        name = f"{keeping.prefix}-audit-{STARTER}"
        assert keeping.run(0.5).merged == []
        assert keeping.run(1).merged == [name]
        stats = keeping.client.request("GET", f"/{name}/_stats/segments").json["_all"]["primaries"]
        assert stats["segments"]["count"] == 1
        keeping.write(ACME, 1, first=3)
        assert len(keeping.ids()) == 4
        assert keeping.indices() == [STARTER]
