"""Reviews that people start by hand, and the plans of administrators."""

from typing import ClassVar

import pytest

from tests.support.events import NORD, TEST
from tests.support.web import token
from tests.webui.reviews.conftest import Desk
from webui.reviews.plan import form_of, read_reviewers

MANY = ", ".join(f"user{number}" for number in range(51))
UNASKABLE = [
    ({"users": MANY}, "At most 50 values can be chosen at once."),
    ({"users": "u" * 257}, "A value has 1 to 256 characters."),
    ({"types": "t" * 257}, "A value has 1 to 256 characters."),
    ({"reviewers": f"auditor: {MANY}"}, "The names of “auditor”: At most 50 values"),
    ({"reviewers": f"auditor: {'n' * 257}"}, "The names of “auditor”: A value has 1 to 256 characters."),
    ({"reviewers": f"auditor: {'é' * 256}"}, "The names of “auditor”: That has too many accents"),
]


class TestByHand:
    FORM: ClassVar = {
        "from": "2026-11-23",
        "to": "2026-11-24",
        "reviewers": "auditor",
        "category": "products",
    }

    def start(self, desk: Desk, who: str = "auditor", **form: str) -> tuple[int, str]:
        browser = desk.client(who)
        sent = {"csrf_token": token(browser, "/reviews/new"), **self.FORM, **form}
        answer = browser.post("/reviews/new", data=sent, follow_redirects=True)
        return answer.status_code, answer.text

    def test_any_period_that_is_over_is_reviewed(self, desk: Desk) -> None:
        status, text = self.start(desk)
        assert status == 200
        assert "Review of 2026-11-23 to 2026-11-24" in text
        assert "Categories: products" in text

    @pytest.mark.parametrize(
        ("form", "says"),
        [
            ({"to": "2026-12-01"}, "The last day must be over"),
            ({"to": "2026-11-22"}, "A period has 1 to 366 days."),
            ({"from": "yesterday"}, "Choose a day"),
            ({"category": "weather"}, "“weather” is none of the categories."),
            ({"reviewers": "no body"}, "“no body” is no name of an account."),
            ({"reviewers": "auditor\nnosuch"}, "“nosuch” is no account of this tenant that may review."),
            ({"reviewers": "owner"}, "“owner” is no account of this tenant that may review."),
            ({"reviewers": "stranger"}, "“stranger” is no account of this tenant that may review."),
            ({"from": "0001-01-01", "to": "0001-01-01"}, "Choose a day"),
            ({"from": "9999-12-31", "to": "9999-12-31"}, "Choose a day"),
            *UNASKABLE,
        ],
    )
    def test_what_is_impossible_is_named(self, desk: Desk, form: dict[str, str], says: str) -> None:
        status, text = self.start(desk, **form)
        assert status == 400
        assert says in text

    def test_a_review_has_whatever_names_the_form_takes(self, desk: Desk) -> None:
        names = ", ".join([f"user{number}" for number in range(46)] + ["n" * 256, "(" * 256])
        assert self.start(desk, reviewers=f"auditor: {names}")[0] == 200

    def test_nobody_reviews_another_tenant(self, desk: Desk) -> None:
        assert self.start(desk, tenant=NORD)[0] == 404
        assert self.start(desk, "operator")[0] == 400
        assert self.start(desk, "operator", tenant=TEST)[0] == 200


class TestPlans:
    FORM: ClassVar = {
        "name": "Weekly",
        "weekday": "2",
        "due_days": "5",
        "reviewers": "auditor\nadmin",
        "on": "1",
    }

    def save(
        self, desk: Desk, path: str = "/reviews/plans", who: str = "admin", **form: str
    ) -> tuple[int, str]:
        browser = desk.client(who)
        sent = {"csrf_token": token(browser, "/reviews/plans"), **self.FORM, **form}
        answer = browser.post(path, data=sent, follow_redirects=True)
        return answer.status_code, " ".join(answer.text.split())

    def test_are_made_and_changed_by_an_administrator(self, desk: Desk) -> None:
        status, text = self.save(desk, users="sofia*, li*")
        assert status == 200
        assert "opens on Tuesdays, due after 5 days" in text
        (plan,) = desk.reviews.plans.of(TEST)
        assert form_of(plan).users == "sofia*, li*"
        assert self.save(desk, f"/reviews/plans/{plan.id}", name="Mine", on="")[0] == 200
        (plan,) = desk.reviews.plans.of(TEST)
        assert (plan.name, plan.on) == ("Mine", False)
        configured = [line for line in desk.site.trail() if line.get("EntityId") == plan.id]
        assert [line["Action"] for line in configured] == ["configured", "configured"]
        assert self.save(desk, f"/reviews/plans/{plan.id}", "stranger")[0] == 404
        assert desk.client("stranger").get(f"/reviews/plans/{plan.id}").status_code == 404

    @pytest.mark.parametrize(
        ("form", "says"),
        [
            ({"name": " "}, "A name has 1 to 80 characters."),
            ({"weekday": "8"}, "Choose a day of the week."),
            ({"due_days": "0"}, "Choose 1 to 90 days."),
            ({"reviewers": ""}, "Name 1 to 20 accounts"),
            ({"reviewers": "owner"}, "“owner” is no account of this tenant that may review."),
            ({"reviewers": "stranger"}, "“stranger” is no account of this tenant that may review."),
            ({"category": "weather"}, "“weather” is none of the categories."),
            ({"due_days": "1" * 5000}, "Choose 1 to 90 days."),
            ({"due_days": "²"}, "Choose 1 to 90 days."),
            *UNASKABLE,
        ],
    )
    def test_that_are_impossible_are_named(self, desk: Desk, form: dict[str, str], says: str) -> None:
        status, text = self.save(desk, **form)
        assert status == 400
        assert says in text
        assert desk.reviews.plans.of(None) == []

    def test_of_an_operator_name_their_tenant(self, desk: Desk) -> None:
        assert self.save(desk, who="operator")[0] == 400
        assert self.save(desk, who="operator", tenant=TEST, reviewers="operator")[0] == 200

    def test_are_read_as_they_are_typed(self) -> None:
        found = read_reviewers("anna: Anna Berg,  anna@x.example\n\n  Li \nanna: Anna")
        assert [each.line() for each in found] == ["anna: Anna", "li"]
