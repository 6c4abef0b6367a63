"""What may be deleted already: asked of the plans that retention itself goes by."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from indexer.classes import DEFAULTS
from indexer.plans import PlanEntry, Tenant
from indexer.query import Window
from indexer.tenants import Tenants
from webui.reports.completeness import deleted, statements

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def known(*plans: PlanEntry) -> Tenants:
    tenant = Tenant("t", "Test Warehouse", "Europe/Stockholm", "07:00-18:00", plans, 1)
    return Tenants({"t": tenant}, DEFAULTS, NOW)


def day(month: int, number: int) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


STARTER = PlanEntry("starter", day(1, 1))
TO_BUSINESS = (STARTER, PlanEntry("business", day(10, 1)))


@pytest.mark.parametrize(
    ("plans", "start", "end", "gone"),
    [
        ((STARTER,), day(11, 1), day(11, 24), []),
        ((STARTER,), day(10, 1), day(11, 1), [(day(10, 1), datetime(2026, 10, 25, 9, tzinfo=UTC))]),
        ((STARTER,), day(9, 1), day(10, 1), [(day(9, 1), day(10, 1))]),
        # What was written under the longer plan is there; what was before it is not.
        (TO_BUSINESS, day(9, 15), day(11, 1), [(day(9, 15), day(10, 1))]),
        ((), day(1, 1), day(11, 1), []),
    ],
    ids=["all is kept", "the beginning is gone", "all is gone", "a longer plan", "the longest class"],
)
def test_stretches_that_the_plan_of_their_time_does_not_keep(
    plans: tuple[PlanEntry, ...],
    start: datetime,
    end: datetime,
    gone: list[tuple[datetime, datetime]],
) -> None:
    assert list(deleted(known(*plans), "t", Window(start, end), NOW)) == gone


def test_is_said_with_the_tenant_and_the_plan() -> None:
    window = Window(day(10, 1), day(11, 1))
    (said,) = statements(known(STARTER), {"t": "Test Warehouse"}, window, ZoneInfo("Europe/Stockholm"), NOW)
    assert said == (
        "Events of Test Warehouse from 1 Oct 2026, 02:00 until 25 Oct 2026, 10:00 may be deleted already: "
        "the plan of that time keeps 30 days."
    )
