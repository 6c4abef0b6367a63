"""Reviews open by themselves, once, and say so when nobody does them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import parse_qsl

import pytest

from indexer.documents import Documents
from tests.support.events import NORD, TEST
from tests.webui.reviews.conftest import ANNA, TUESDAY, Desk
from webui.question import read
from webui.reviews.plan import PlanForm, form_of
from webui.reviews.review import ItemState, Review


class TestAWeek:
    def test_that_is_over_is_opened_once_however_many_workers_look(self, desk: Desk) -> None:
        plan = desk.plan()
        for worker in [desk.opening() for _ in range(3)]:
            while worker.work():
                pass
        (review,) = desk.opened(plan)
        assert review.week == "2026-W48"
        assert review.title == "Weekly review, week 48 of 2026"
        assert review.start == datetime(2026, 11, 22, 23, tzinfo=UTC)
        assert [each.account for each in review.reviewers] == ["auditor"]
        opened = [line for line in desk.site.trail() if line.get("EntityId") == review.id]
        assert [line["Action"] for line in opened] == ["reviewed"]
        assert opened[0]["TenantId"] == TEST

    def test_that_is_not_over_is_not_opened(self, desk: Desk) -> None:
        plan = desk.plan()
        desk.at(datetime(2026, 11, 29, 22, 58, tzinfo=UTC))
        assert desk.opened(plan) == []
        desk.at(datetime(2026, 11, 29, 23, 0, tzinfo=UTC))
        assert len(desk.opened(plan)) == 1

    def test_that_cannot_be_recorded_is_opened_when_it_can(self, desk: Desk) -> None:
        plan = desk.plan()
        kept = desk.site.trail_path.with_suffix(".kept")
        desk.site.trail_path.touch()
        desk.site.trail_path.rename(kept)
        desk.site.trail_path.mkdir()
        assert desk.opened(plan) == []
        desk.site.trail_path.rmdir()
        kept.rename(desk.site.trail_path)
        assert len(desk.opened(plan)) == 1

    def test_is_cut_by_the_calendar_of_its_tenant(self, desk: Desk) -> None:
        plan = desk.plan(NORD, PlanForm(reviewers="stranger"))
        desk.at(datetime(2026, 11, 29, 15, 0, tzinfo=UTC))
        (review,) = desk.opened(plan)
        assert (review.start, review.zone.key) == (datetime(2026, 11, 22, 15, tzinfo=UTC), "Asia/Tokyo")

    def test_that_was_missed_is_made_up_for(self, desk: Desk) -> None:
        plan = desk.plan()
        desk.later(weeks=2)
        assert [each.week for each in desk.opened(plan)] == ["2026-W50", "2026-W49", "2026-W48"]

    def test_of_a_plan_that_was_off_is_not_made_up_for(self, desk: Desk) -> None:
        plan = desk.plan(form=PlanForm(reviewers="auditor", on=False))
        assert desk.opened(plan) == []
        desk.later(weeks=1)
        form = form_of(plan)
        desk.reviews.plans.change(ANNA, plan.id, replace(form, on=True))
        assert desk.opened(plan) == []
        desk.later(weeks=1)
        assert [each.week for each in desk.opened(plan)] == ["2026-W50"]


class TestAPlanThatCannotBeAsked:
    """Forms take none; one that was stored all the same is its own tenant's trouble."""

    SCOPES: ClassVar = {
        "51 users": {"user": [f"user{number}" for number in range(51)]},
        "a long user": {"user": ["u" * 257]},
        "a long type": {"type": ["t" * 257]},
    }

    @pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES.keys())
    def test_keeps_no_other_from_being_opened(
        self, desk: Desk, scope: dict[str, list[str]], caplog: pytest.LogCaptureFixture
    ) -> None:
        bad = desk.plan(form=PlanForm(name="A", reviewers="auditor"))
        other = desk.plan(NORD, PlanForm(name="B", reviewers="stranger"))
        documents = Documents(desk.site.client, desk.site.store.prefix, "reviewplans")
        stored = documents.get(bad.id)
        assert stored
        documents.replace(stored, {**stored.source, "scope": scope})
        assert len(desk.opened(other)) == 1
        assert desk.of(bad) == []
        assert f"no review of the plan {bad.id} of the tenant {TEST} can be opened" in caplog.text


class TestTheChecklist:
    def test_counts_what_happened_in_the_scope(self, review: Review) -> None:
        assert {item.key: item.count for item in review.items} == {
            "failed_logins": 1,
            "after_hours": 1,
            "exports": 2,
            "permissions": 1,
            "configuration": 2,
        }
        assert review.counted == review.opened

    @pytest.mark.parametrize("who", ["auditor", "operator"])
    def test_leads_to_exactly_what_it_counted(self, desk: Desk, review: Review, who: str) -> None:
        browser = desk.client(who)
        for item in review.items:
            page = browser.get(f"{item.path}&counts=1")
            assert page.status_code == 200
            assert page.text.count('<li class="event') == item.count, item
            asked = read(parse_qsl(item.path.partition("?")[2])).filter(review.zone, TUESDAY)
            assert replace(asked, tenant_id="").sentence(review.zone) == item.sentence

    def test_says_what_lies_outside_its_scope(self, desk: Desk) -> None:
        (review,) = desk.opened(
            desk.plan(form=PlanForm(reviewers="auditor", categories=("configuration", "api")))
        )
        found = {item.key: item for item in review.items}
        assert found["permissions"].state is ItemState.NOT_APPLICABLE
        assert found["permissions"].sentence == "Outside the scope of this review."
        assert (found["exports"].count, found["configuration"].count, found["after_hours"].count) == (1, 2, 1)

    def test_of_a_scope_with_users_counts_theirs_alone(self, desk: Desk) -> None:
        (review,) = desk.opened(desk.plan(form=PlanForm(reviewers="auditor", users="SAID@test001.example")))
        found = {item.key: item for item in review.items}
        assert (found["exports"].count, found["configuration"].count) == (1, 0)
        assert found["configuration"].state is ItemState.NOT_APPLICABLE


class TestOverdue:
    def test_is_told_once(self, desk: Desk, review: Review) -> None:
        before = desk.reviews.overdue_count(ANNA)
        desk.later(days=3)
        for _ in range(2):
            worker = desk.opening()
            while worker.work():
                pass
        assert [each.id for each in desk.told if each.id == review.id] == [review.id]
        assert desk.reviews.overdue_count(ANNA) > before

    def test_is_not_what_is_signed(self, desk: Desk, review: Review) -> None:
        documents = Documents(desk.site.client, desk.site.store.prefix, "reviews")
        stored = documents.get(review.id)
        assert stored
        documents.replace(stored, {**stored.source, "signed": "2026-12-01T10:00:00Z", "signed_by": "auditor"})
        desk.later(days=3)
        worker = desk.opening()
        while worker.work():
            pass
        assert review.id not in {each.id for each in desk.told}
