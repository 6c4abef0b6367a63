"""What is shown to be kept is what is deleted by: whole periods, in UTC."""

from datetime import UTC, datetime, timedelta

import pytest

from indexer import partitions
from indexer.classes import DEFAULTS
from indexer.plans import EPOCH, PlanEntry, Tenant
from indexer.retention import report, schedule
from indexer.tenants import Tenants
from tests.support.keeping import ACME

NOW = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("plans", "since", "until"),
    [
        ((PlanEntry("starter", EPOCH),), "2026-10-26", "2026-12-26"),
        ((PlanEntry("business", EPOCH),), "2026-08-27", "2027-02-24"),
        ((PlanEntry("enterprise", EPOCH),), "2025-11-01", "2027-12-01"),
        ((PlanEntry("enterprise", EPOCH, 3653),), "2016-11-01", "2036-12-01"),
        ((PlanEntry("starter", EPOCH, 45),), "2026-10-11", "2027-01-10"),
        ((), "2025-11-01", "2027-12-01"),
    ],
    ids="starter business enterprise ten-years own unknown".split(),
)
def test_the_days_shown_are_those_on_which_partitions_go(
    plans: tuple[PlanEntry, ...], since: str, until: str
) -> None:
    tenant = Tenant(ACME, "Acme", "Asia/Tokyo", "00:00-24:00", plans, 1)
    known = Tenants({ACME: tenant}, DEFAULTS, NOW)
    kept = report.kept(known, tenant, NOW)
    assert kept.since
    assert kept.until
    assert (f"{kept.since:%Y-%m-%d}", f"{kept.until:%Y-%m-%d}") == (since, until)
    name = known.partition("s", ACME, NOW.isoformat())
    today = partitions.parse(name)
    assert today
    before = schedule.decide(today, [ACME], known, [], kept.until - timedelta(seconds=1))
    assert before is None or [keep.tenant for keep in before.keeps] == [ACME]
    after = schedule.decide(today, [ACME], known, [], kept.until)
    assert after is not None
    assert after.keeps == ()


def test_a_plan_that_was_entered_for_later_is_told() -> None:
    later = NOW + timedelta(days=3)
    tenant = Tenant(ACME, "Acme", "UTC", "00:00-24:00", (PlanEntry("business", later),), 1)
    kept = report.kept(Tenants({ACME: tenant}, DEFAULTS, NOW), tenant, NOW)
    assert (kept.plan, kept.following) == ("enterprise", (("business", later),))
