"""Reviews to look at: one that is being worked on, one that is signed, and the plan they follow."""

from tests.support.events import TEST
from webui.reviews.plan import PlanForm
from webui.reviews.service import Reviews
from webui.reviews.week import Week
from webui.tenancy import Reader

OPEN, SIGNED = "week-open", "week-signed"
WEEK = Week(2026, 48)


def leave(reviews: Reviews, who: Reader, event_id: str, names: str = "") -> str:
    """Leave both in the store; the id of the plan."""
    line = f"{who.account}: {names}" if names else who.account
    plan = reviews.plans.add(TEST, PlanForm(reviewers=line))
    permissions = PlanForm(name="Rights and settings", categories=("users", "configuration"), reviewers=line)
    narrow = reviews.plans.add(TEST, permissions)
    reviews.open_week(plan, WEEK, OPEN, "schedule")
    reviews.look_at(who, OPEN, "exports", "looked at", "The weekly reports of the shift leads, as always.")
    finding = {
        "text": "Cancelled minutes after it was made, without a ticket.",
        "item": "configuration",
        "severity": "high",
        "outcome": "escalated",
        "responsible": "IT security",
        "events": event_id,
    }
    reviews.find(who, OPEN, 0, finding)
    made = reviews.open_week(narrow, WEEK, SIGNED, "schedule")
    assert made
    for item in made.items:
        if item.path and item.count:
            reviews.look_at(who, SIGNED, item.key, "looked at", "Each has its ticket.")
    reviews.find(who, SIGNED, 0, {**finding, "item": "", "outcome": "explained", "severity": "low"})
    revision = str(reviews.one(who, SIGNED).review.revision)
    reviews.sign(
        who, "auditor", SIGNED,
        prove=lambda: "password", revision=revision, why="The only auditor on duty.", record=lambda _: None,
    )  # fmt: skip
    reviews.add_note(
        who, "auditor", SIGNED,
        prove=lambda: "password", note="The ticket was found: OPS-1207.", record=lambda _: None,
    )  # fmt: skip
    return plan.id
