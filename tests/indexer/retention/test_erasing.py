"""Every event of an erased tenant goes, nobody else's does, and a resend of theirs finds its twin."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from indexer import tenants
from indexer.errors import SettingsError
from indexer.retention import certificates, erasures, holds
from indexer.retention.certificate import Kind
from tests.support.keeping import ACME, DAY, KILLED, NORD, STARTER, Keeping, event_of

NOW = datetime.now(UTC)
# The steps are those of a run (test_killed); here, around each of what cannot be undone.
AT = ("blocked", "certified", "swapped", "deleted", "finished")


def two_tenants(keeping: Keeping) -> list[str]:
    """Events of two tenants, one of which shall be erased; the ids of the other's."""
    keeping.tenant(ACME, "starter")
    keeping.tenant(NORD, "starter")
    keeping.write(NORD, 3)
    keeping.write(NORD, 1, at=1.25)
    stay = keeping.ids()
    keeping.write(ACME, 2)
    keeping.write(ACME, 1, at=3.25)
    return stay


def confirm(keeping: Keeping, now: datetime = NOW) -> None:
    erasures.request(keeping.client, keeping.prefix, ACME, reason="left", by="anna", now=now)
    erasures.confirm(keeping.client, keeping.prefix, ACME, by="ben", now=now)


class TestAnErasure:
    def test_leaves_everybody_elses_events_where_they_are_looked_for(self, keeping: Keeping) -> None:
        stay = two_tenants(keeping)
        confirm(keeping)
        report = keeping.erase(ACME)
        assert report.findings == []
        assert [(each.kind, each.removed) for each in report.done] == [
            (Kind.ERASURE, {ACME: 2}), (Kind.ERASURE, {ACME: 1}),
        ]  # fmt: skip
        assert keeping.ids() == stay
        rebuilt, untouched = keeping.indices()
        assert rebuilt.startswith(f"{STARTER}-")
        assert untouched == "starter-2026.09.02"
        again = [event_of(lambda *_: "starter", NORD, number, 0.25, {}) for number in range(4)]
        assert keeping.send((f"{keeping.prefix}-audit-{STARTER}", each) for each in again) == [
            409, 409, 409, 201,
        ]  # fmt: skip

    def test_loses_nothing_that_is_written_meanwhile(self, keeping: Keeping) -> None:
        two_tenants(keeping)
        confirm(keeping)
        name, done, sent = f"{keeping.prefix}-audit-{STARTER}", threading.Event(), list[str]()

        def write() -> None:
            for number in range(1000, 3000):
                made = event_of(lambda *_: "starter", NORD, number, 0.25, {})
                # As an agent does: what is kept off (403), or meets the very deletion (404), comes again.
                while keeping.send([(name, made)])[0] not in {201, 409}:
                    pass
                sent.append(made["event"]["id"])
                if done.is_set():
                    return

        writer = threading.Thread(target=write)
        writer.start()
        try:
            report = keeping.erase(ACME)
        finally:
            done.set()
            writer.join()
        assert report.findings == []
        ids = keeping.ids()
        assert len(set(ids)) == len(ids)
        assert set(sent) <= set(ids)

    def test_says_in_its_certificates_who_asked_and_who_confirmed(self, keeping: Keeping) -> None:
        two_tenants(keeping)
        confirm(keeping)
        keeping.erase(ACME)
        said = {each.reason for each in certificates.all(keeping.client, keeping.prefix)}
        assert said == {"left (asked for by anna, confirmed by ben)"}

    def test_of_a_partition_leaves_its_expiry_as_it_was(self, keeping: Keeping) -> None:
        two_tenants(keeping)
        confirm(keeping)
        keeping.erase(ACME)
        assert keeping.run(29.9).done == []
        (done,) = keeping.run(30).done
        assert (done.partition, done.removed) == (f"{keeping.prefix}-audit-{STARTER}", {NORD: 3})

    def test_removes_what_was_carried_over_too(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        keeping.tenant(NORD, "starter")
        for tenant_id in (ACME, NORD):
            keeping.tenant(tenant_id, "business", since=20)
            keeping.write(tenant_id, 2)
        keeping.run(30)
        confirm(keeping)
        assert [each.removed for each in keeping.erase(ACME).done] == [{ACME: 2}]
        # The other's are still kept as long as they were promised to be.
        assert keeping.run(89).done == []
        assert [each.removed for each in keeping.run(90).done] == [{NORD: 2}]

    def test_ends_with_a_pass_that_finds_nothing_once_every_agent_knows(self, keeping: Keeping) -> None:
        two_tenants(keeping)
        confirm(keeping, NOW - timedelta(hours=1))
        keeping.erase(ACME)
        # An agent that did not know yet.
        late = event_of(lambda *_: "starter", ACME, 7, 0.25, {})
        assert keeping.send([(f"{keeping.prefix}-audit-{STARTER}", late)]) == [201]
        assert [each.removed for each in keeping.run(0).done] == [{ACME: 1}]
        found = erasures.get(keeping.client, keeping.prefix, ACME)
        assert found
        assert (found.removed_count, found.finished) == (4, None)
        keeping.run(0)
        found = erasures.get(keeping.client, keeping.prefix, ACME)
        assert found
        assert found.finished is not None

    @pytest.mark.parametrize("step", AT)
    def test_that_is_killed_is_ended_by_the_next(self, keeping: Keeping, step: str) -> None:
        stay = two_tenants(keeping)
        confirm(keeping)
        assert keeping.erase_and_die(ACME, step) == KILLED
        report = keeping.erase(ACME)
        assert report.findings == []
        assert keeping.ids() == stay
        found = certificates.all(keeping.client, keeping.prefix)
        assert sum(each.removed.get(ACME, 0) for each in found) == 3
        assert all(each.finished for each in found)
        late = event_of(lambda *_: "starter", NORD, 9, 0.25, {})
        assert keeping.send([(f"{keeping.prefix}-audit-{STARTER}", late)]) == [201]


class TestTwoPersons:
    def test_are_needed(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        erasures.request(keeping.client, keeping.prefix, ACME, reason="left", by="Anna", now=NOW)
        with pytest.raises(SettingsError, match="for a second person"):
            erasures.confirm(keeping.client, keeping.prefix, ACME, by="anna (as root)", now=NOW)
        assert not tenants.load(keeping.client, keeping.prefix, now=NOW).is_erased(ACME)
        assert keeping.run(0).done == []

    def test_cannot_erase_what_is_on_hold(self, keeping: Keeping) -> None:
        stay = two_tenants(keeping)
        hold = keeping.hold(ACME)
        with pytest.raises(SettingsError, match="on legal hold"):
            confirm(keeping)
        holds.release(keeping.client, keeping.prefix, ACME, reason="over", by="ben", now=NOW, hold_id=hold.id)
        confirm(keeping)
        keeping.hold(ACME)
        waits = keeping.erase(ACME)
        assert [each.name for each in waits.findings] == ["held-erasure"]
        assert len(keeping.ids()) == len(stay) + 3

    def test_make_a_tenant_that_cannot_come_back(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        confirm(keeping)
        with pytest.raises(SettingsError, match="was erased"):
            keeping.tenant(ACME, "starter", since=0)

    def test_may_take_back_what_is_not_confirmed(self, keeping: Keeping) -> None:
        keeping.tenant(ACME, "starter")
        erasures.request(keeping.client, keeping.prefix, ACME, reason="left", by="anna", now=NOW)
        erasures.withdraw(keeping.client, keeping.prefix, ACME)
        confirm(keeping)
        with pytest.raises(SettingsError, match="is confirmed"):
            erasures.withdraw(keeping.client, keeping.prefix, ACME)


class TestAHold:
    def test_is_for_another_to_release_than_who_placed_it(self, keeping: Keeping) -> None:
        keeping.hold(ACME)
        with pytest.raises(SettingsError, match="for a second person to release it"):
            holds.release(keeping.client, keeping.prefix, ACME, reason="over", by="ANNA", now=DAY)
        (found,) = holds.release(keeping.client, keeping.prefix, ACME, reason="over", by="ben", now=DAY)
        assert found == holds.all(keeping.client, keeping.prefix, ACME)[0]
        with pytest.raises(SettingsError, match="no hold of tenant"):
            holds.release(keeping.client, keeping.prefix, ACME, reason="over", by="ben", now=DAY)

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501], ids="none blank story".split())
    def test_needs_a_reason(self, keeping: Keeping, reason: str) -> None:
        with pytest.raises(SettingsError, match="a reason has"):
            holds.place(keeping.client, keeping.prefix, ACME, reason=reason, by="anna", now=DAY)

    def test_ends_after_it_begins(self, keeping: Keeping) -> None:
        with pytest.raises(SettingsError, match="does not lie after"):
            keeping.hold(ACME, start=DAY, end=DAY)
