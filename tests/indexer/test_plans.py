"""The history of a tenant's plans only grows, and never changes where events already lie."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import plans
from indexer.classes import LONGEST, PLANS
from indexer.errors import PermanentError, SettingsError
from indexer.plans import CACHE_SECS, EPOCH, PlanEntry, Tenant, next_plans

NOW = datetime(2026, 11, 23, 17, 20, tzinfo=UTC)
SINCE_EVER = (PlanEntry("starter", EPOCH),)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


class TestTheHistory:
    def test_begins_when_every_agent_will_know_it(self) -> None:
        # Until then the tenant is unknown to an agent or another, and in the longest class for all of them.
        assert next_plans((), "starter", None, None, NOW) == (PlanEntry("starter", at(23, 18)),)
        late = NOW.replace(minute=56)
        assert next_plans((), "starter", None, None, late) == (PlanEntry("starter", at(23, 19)),)
        assert next_plans((), "starter", None, at(30, 6), NOW) == (PlanEntry("starter", at(30, 6)),)

    def test_of_the_longest_class_begins_since_ever_or_at_any_full_hour(self) -> None:
        assert next_plans((), "enterprise", 3650, None, NOW) == (PlanEntry("enterprise", EPOCH, 3650),)
        assert next_plans((), "enterprise", None, EPOCH, NOW) == (PlanEntry("enterprise", EPOCH),)
        assert next_plans((), "enterprise", None, at(1, 6), NOW) == (PlanEntry("enterprise", at(1, 6)),)

    @pytest.mark.parametrize("start", [EPOCH, at(1, 6), at(23, 17)])
    def test_of_another_class_never_begins_before_every_agent_knows_it(self, start: datetime) -> None:
        with pytest.raises(SettingsError, match=r"earliest is 2026-11-23T18:00:00Z \(only enterprise"):
            next_plans((), "starter", None, start, NOW)

    def test_goes_on_at_the_next_full_hour_that_every_agent_will_know_it_by(self) -> None:
        assert next_plans(SINCE_EVER, "business", None, None, NOW)[1].start == at(23, 18)
        # At 17:56 an agent may still use the copy that it read at 17:56, until 18:01.
        assert next_plans(SINCE_EVER, "business", None, None, NOW.replace(minute=56))[1].start == at(23, 19)

    def test_stays_as_it_is_when_its_last_entry_says_the_same(self) -> None:
        assert next_plans(SINCE_EVER, "starter", None, None, NOW) is SINCE_EVER
        assert next_plans(SINCE_EVER, "starter", None, EPOCH, NOW) is SINCE_EVER

    def test_takes_another_number_of_days_as_another_entry(self) -> None:
        assert next_plans(SINCE_EVER, "starter", 60, None, NOW)[1] == PlanEntry("starter", at(23, 18), 60)

    def test_grows_behind_an_entry_that_is_not_in_force_yet(self) -> None:
        history = (*SINCE_EVER, PlanEntry("business", at(30, 0)))
        assert next_plans(history, "enterprise", None, None, NOW)[2].start == at(30, 1)

    @pytest.mark.parametrize(
        ("start", "sentence"),
        [
            (at(23, 17), "too early.*earliest is 2026-11-23T18:00:00Z"),
            (EPOCH, "too early"),
            (NOW + timedelta(days=1), "not a full hour"),
        ],
    )
    def test_refuses_a_start_that_would_move_events(self, start: datetime, sentence: str) -> None:
        with pytest.raises(SettingsError, match=sentence):
            next_plans(SINCE_EVER, "business", None, start, NOW)

    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(PLANS), st.integers(0, 10_000), st.none() | st.integers(-48, 48)),
            max_size=8,
        )
    )
    def test_never_changes_what_an_agent_may_have_decided_by(
        self, steps: list[tuple[str, int, int | None]]
    ) -> None:
        history: tuple[PlanEntry, ...] = ()
        now = NOW
        for plan, minutes, hours in steps:
            now += timedelta(minutes=minutes)
            start = None if hours is None else now.replace(minute=0) + timedelta(hours=hours)
            try:
                longer = next_plans(history, plan, None, start, now)
            except SettingsError:
                continue
            assert longer[: len(history)] == history
            for entry in longer[len(history) :]:
                unchanged = not history and entry.plan == LONGEST
                assert unchanged or entry.start > now + timedelta(seconds=CACHE_SECS)
            history = longer
        assert [entry.start for entry in history] == sorted({entry.start for entry in history})


class TestATenant:
    def test_is_written_and_read_back(self) -> None:
        tenant = Tenant(
            "7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa",
            "Acme",
            "Europe/Madrid",
            "07:00-18:00",
            (*SINCE_EVER, PlanEntry("enterprise", at(24, 0), 3650)),
            4,
        )
        assert Tenant.from_source(tenant.id, tenant.to_source(NOW)) == tenant

    @pytest.mark.parametrize(
        "source", [{}, {"name": "x", "plans": [{}]}, {"plans": [{"plan": "x", "from": "y"}]}]
    )
    def test_that_is_something_else_is_named(self, source: dict[str, object]) -> None:
        with pytest.raises(PermanentError, match="tenant t1 is not readable"):
            Tenant.from_source("t1", source)

    def test_has_one_plan_at_a_time(self) -> None:
        tenant = Tenant(
            "t",
            "n",
            "UTC",
            "00:00-24:00",
            (PlanEntry("starter", at(1, 0)), PlanEntry("business", at(2, 0))),
            1,
        )
        assert tenant.plan_at(at(1, 0) - timedelta(seconds=1)) is None
        assert tenant.plan_at(at(2, 0) - timedelta(microseconds=1)) == tenant.plans[0]
        assert tenant.plan_at(at(2, 0)) == tenant.plans[1]

    @pytest.mark.parametrize(
        ("hours", "begin", "end"),
        [
            ("07:00-18:30", time(7), time(18, 30)),
            ("22:00-06:00", time(22), time(6)),
            ("00:00-24:00", time(0), time(0)),
        ],
    )
    def test_has_business_hours(self, hours: str, begin: time, end: time) -> None:
        assert Tenant("t", "n", "UTC", hours, (), 0).business_hours() == (begin, end)


class TestAnArgument:
    def test_that_is_a_guid_is_made_lower_case(self) -> None:
        assert (
            plans.checked_id(" 7F3C1A52-0B1E-4C67-9D55-2A8E61F0C9AA")
            == "7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa"
        )

    @pytest.mark.parametrize(
        "text", ["", "-", "directory", "7f3c1a52", "{7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa}"]
    )
    def test_that_is_no_guid_is_refused(self, text: str) -> None:
        with pytest.raises(SettingsError, match="is no GUID"):
            plans.checked_id(text)

    @pytest.mark.parametrize("name", ["", "Mars/Base", "../../etc/passwd", "/etc/localtime", "Europe"])
    def test_that_is_no_zone_is_refused(self, name: str) -> None:
        with pytest.raises(SettingsError, match="is no IANA time zone"):
            plans.checked_zone(name)

    @pytest.mark.parametrize(
        "text", ["07:00", "7:00-18:00", "07:00-25:00", "07:60-18:00", "07:00-07:00", "24:00-07:00"]
    )
    def test_that_is_no_stretch_of_hours_is_refused(self, text: str) -> None:
        with pytest.raises(SettingsError, match="are not like 07:00-18:00"):
            plans.checked_hours(text)

    @pytest.mark.parametrize(
        ("plan", "days"), [("starter", 29), ("business", 89), ("enterprise", 364), ("starter", 3654)]
    )
    def test_of_days_the_plan_does_not_allow_is_refused(self, plan: str, days: int) -> None:
        with pytest.raises(SettingsError, match=f"{days} days do not fit the plan {plan}"):
            plans.checked_days(plan, days)

    @pytest.mark.parametrize("plan", ["hold", "gold", ""])
    def test_that_is_no_plan_is_refused(self, plan: str) -> None:
        with pytest.raises(SettingsError, match="does not exist; there are starter, business, enterprise"):
            plans.checked_days(plan, None)
