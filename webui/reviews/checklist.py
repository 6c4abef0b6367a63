"""What a reviewer looks at, as questions to the activity log: each has its count, its sentence, its address.

A question of the checklist lies within the scope of the review; what the scope leaves out altogether is said
to lie outside it instead of being counted as nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time
from typing import Final, Protocol
from urllib.parse import quote

from indexer.hours import outside
from indexer.query import Choice, Window
from webui.question import Question

ACTIVITY: Final = "/activity"
LOOKING: Final = ("signed_in", "sign_in_failed", "signed_out", "searched", "viewed", "reviewed")
"""What somebody does in this audit that is no part in what is reviewed: looking, and reviewing itself."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to look at: its words, and what it asks for."""

    key: str
    title: str
    about: str
    categories: tuple[str, ...]
    actions: tuple[str, ...] = ()
    after_hours: bool = False


SUBJECTS: Final = (
    Subject(
        "failed_logins",
        "Failed logins",
        "One address or one user failing often, or at odd times; a success after many failures.",
        ("authentication", "audit"),
        ("login_failed", "sign_in_failed"),
    ),
    Subject(
        "after_hours",
        "Changes after hours",
        "Who changed something outside of business hours, and why then.",
        ("users", "products", "orders", "inventory", "configuration"),
        after_hours=True,
    ),
    Subject(
        "exports",
        "Exports and downloads",
        "Who took data out, how much of it, and whether it is part of their work.",
        ("api", "audit"),
        ("exported", "downloaded"),
    ),
    Subject(
        "permissions",
        "Permissions and roles",
        "Every right that was given or taken, and who decided it.",
        ("users",),
        ("role_changed", "role_created", "role_updated", "role_deleted", "permissions_changed"),
    ),
    Subject(
        "configuration",
        "Configuration changes",
        "Settings of SmartWMS, and what administrators changed in this audit.",
        ("configuration", "audit"),
        ("created", "updated", "deleted", "configured"),
    ),
)
ALERTS: Final = "alerts"
ALERTS_TITLE: Final = "Alerts"
ALERTS_ABOUT: Final = "What the monitors found in this period, and whether each was dealt with."
TITLES: Final = {**{subject.key: subject.title for subject in SUBJECTS}, ALERTS: ALERTS_TITLE}
ABOUT: Final = {**{subject.key: subject.about for subject in SUBJECTS}, ALERTS: ALERTS_ABOUT}


@dataclass(frozen=True, slots=True)
class AlertsFound:
    """The alerts of a period: how many, how many of them are not closed, and where they are shown."""

    count: int
    open_count: int
    path: str


class AlertsOf(Protocol):
    """Says what the monitors of a tenant found in a period."""

    def __call__(self, tenant: str, window: Window) -> AlertsFound: ...


def asked(subject: Subject, scope: Question, business: tuple[time, time]) -> Question | str:
    """Give the question of a subject within a scope; or, in words, why there is nothing to ask."""
    chosen = scope.choice("category").only
    categories = tuple(each for each in subject.categories if not chosen or each in chosen)
    if not categories:
        return "Outside the scope of this review."
    question = scope.any_of("category", categories)
    if subject.actions:
        question = question.any_of("action", subject.actions)
    if subject.after_hours:
        hours = outside(business)
        if not hours:
            return "This tenant works around the clock: no full hour is after hours."
        question = question.only("hour", hours)
    return question


def own(scope: Question, names: tuple[str, ...]) -> Question:
    """Ask for what a person did in a scope, looking at this audit left out.

    Where the scope itself names users, the answer is to be narrowed to those: a question has one `user`.
    """
    question = replace(scope, chosen={**scope.chosen, "user": Choice(only=names)})
    for action in LOOKING:
        question = question.without("action", action)
    return question


def names_of(account: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Give what somebody may be called in an event: account, e-mail that begins so, names."""
    mail = () if "@" in account else (f"{account}@*",)
    return tuple(dict.fromkeys((account, *mail, *names)))


def activity_path(question: Question) -> str:
    """Give the address of a question's page."""
    return f"{ACTIVITY}?{question.address}"


def event_path(event_id: str) -> str:
    """Give the permalink of an event."""
    return f"{ACTIVITY}/{quote(event_id)}"
