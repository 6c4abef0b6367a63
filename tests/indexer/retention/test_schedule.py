"""What is kept of a partition, and until when, is decided by plans, holds and the moment alone."""

from datetime import UTC, datetime, timedelta

import pytest

from indexer import partitions
from indexer.classes import DEFAULTS, Classes, RetentionClass
from indexer.plans import PlanEntry, Tenant
from indexer.retention import schedule
from indexer.retention.hold import Hold
from indexer.tenants import Tenants
from tests.support.keeping import ACME, DAY, NORD

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def partition(name: str) -> partitions.Partition:
    found = partitions.parse(name)
    assert found
    return found


STARTER = partition("s-audit-starter-2026.09.01")
MONTH = partition("s-audit-enterprise-2026.09")
COPY = partition("s-audit-hold-2026.09.01-1a2b3c4d")


def known(*plans: PlanEntry, classes: Classes = DEFAULTS) -> Tenants:
    return Tenants({ACME: Tenant(ACME, "Acme", "UTC", "00:00-24:00", plans, 1)}, classes, DAY)


def after(days: float) -> datetime:
    return DAY + timedelta(days=1 + days)


@pytest.mark.parametrize(
    ("plans", "days"),
    [
        ((PlanEntry("starter", LONG_AGO),), 30),
        ((PlanEntry("starter", LONG_AGO, 45),), 45),
        ((PlanEntry("starter", LONG_AGO), PlanEntry("business", DAY + timedelta(days=3))), 90),
        ((PlanEntry("starter", LONG_AGO), PlanEntry("business", DAY + timedelta(days=3), 120)), 120),
        # What held between the event's time and now promised nothing for either.
        (
            (
                PlanEntry("starter", LONG_AGO),
                PlanEntry("enterprise", DAY + timedelta(days=3)),
                PlanEntry("starter", DAY + timedelta(days=9)),
            ),
            30,
        ),
        ((PlanEntry("starter", LONG_AGO), PlanEntry("enterprise", DAY + timedelta(days=400), 3650)), 3650),
        # Of one day with two plans of the class, the longer one counts for all of it.
        ((PlanEntry("starter", LONG_AGO, 60), PlanEntry("starter", DAY + timedelta(hours=6))), 60),
        ((), 365),
    ],
    ids="class own-days now now-own-days between later two-of-a-day unknown".split(),
)
def test_the_longest_plan_that_has_a_claim_counts(plans: tuple[PlanEntry, ...], days: int) -> None:
    assert schedule.kept_days(STARTER, ACME, known(*plans), DAY + timedelta(days=30)) == days


def test_nothing_is_due_before_the_whole_period_is() -> None:
    plans = known(PlanEntry("enterprise", LONG_AGO))
    end = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=365)
    assert schedule.decide(MONTH, [ACME], plans, [], end - timedelta(seconds=1)) is None
    assert schedule.decide(MONTH, [ACME], plans, [], end) == schedule.Due(MONTH, (), is_written=False)


def test_a_class_of_more_days_is_due_later() -> None:
    longer = Classes({**DEFAULTS.by_name, "starter": RetentionClass("starter", 60, "day")})
    plans = known(PlanEntry("starter", LONG_AGO), classes=longer)
    assert schedule.decide(STARTER, [ACME], plans, [], after(59)) is None
    assert schedule.decide(STARTER, [ACME], plans, [], after(60)) is not None


@pytest.mark.parametrize(
    ("days", "is_written"), [(31, True), (59, True), (61, False)], ids="late later over".split()
)
def test_writers_know_a_partition_while_an_agent_would_store_an_event_of_it(
    days: int, *, is_written: bool
) -> None:
    plans = known(PlanEntry("starter", LONG_AGO, 60), PlanEntry("business", DAY + timedelta(days=20)))
    due = schedule.decide(STARTER, [ACME, NORD], plans, [], after(days))
    assert due is not None
    assert due.is_written is is_written


def test_a_copy_is_kept_as_long_as_it_was_promised() -> None:
    plans = known(PlanEntry("starter", LONG_AGO))
    assert schedule.decide(COPY, [ACME], plans, [], after(80), promised={ACME: 90}) == schedule.Due(
        COPY, (schedule.Keep(ACME, "plan", {"term": {"tenant.id": ACME}}, 90),), is_written=False
    )
    assert schedule.decide(COPY, [ACME], plans, [], after(90), promised={ACME: 90}) == schedule.Due(
        COPY, (), is_written=False
    )


@pytest.mark.parametrize(
    ("start", "end", "entity", "whole"),
    [
        (None, None, "", True),
        (DAY, None, "", True),
        (DAY, DAY + timedelta(days=1), "", True),
        (DAY + timedelta(hours=1), None, "", False),
        (None, DAY + timedelta(hours=1), "", False),
        (None, None, "SO-1", False),
        (DAY + timedelta(days=1), None, "", None),
        (None, DAY, "", None),
    ],
    ids="all since within from to entity later earlier".split(),
)
def test_a_hold_keeps_what_it_covers(
    start: datetime | None, end: datetime | None, entity: str, *, whole: bool | None
) -> None:
    hold = Hold("h", ACME, "r", "anna", DAY, start=start, end=end, entity_id=entity)
    due = schedule.decide(STARTER, [ACME, NORD], known(PlanEntry("starter", LONG_AGO)), [hold], after(400))
    assert due is not None
    assert [keep.is_whole for keep in due.keeps] == ([] if whole is None else [whole])


def test_a_hold_keeps_nothing_once_it_is_released() -> None:
    hold = Hold("h", ACME, "r", "anna", DAY, released=DAY, released_by="ben")
    assert schedule.active([hold]) == []


def test_an_erasure_keeps_everybody_else() -> None:
    due = schedule.without(STARTER, [ACME, NORD, "-"], ACME)
    assert [keep.tenant for keep in due.keeps] == ["-", NORD]
    assert due.is_written


def test_what_was_to_be_erased_is_kept_by_a_hold_alone() -> None:
    erased = Tenant(ACME, "Acme", "UTC", "00:00-24:00", (PlanEntry("starter", LONG_AGO, 90),), 1, DAY)
    plans = Tenants({ACME: erased}, DEFAULTS, DAY)
    due = schedule.decide(STARTER, [ACME], plans, [], after(30))
    assert due == schedule.Due(STARTER, (), is_written=False)
    held = schedule.decide(STARTER, [ACME], plans, [Hold("h", ACME, "r", "anna", DAY)], after(30))
    assert held is not None
    assert [keep.reason for keep in held.keeps] == ["hold"]
