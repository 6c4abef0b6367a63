"""The reports there are, as data: what each is called and for, what it rests on, and what makes its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from webui.question import Question
from webui.reports.kinds import (
    access_review,
    configuration_changes,
    data_access,
    failed_logins,
    user_activity,
)
from webui.reports.material import Material
from webui.reports.report import Body

Make = Callable[[Material, Question, dict[str, int]], Body]


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of report. `rests_on`: the conditions of the Activity Log that all of its numbers share."""

    kind: str
    title: str
    purpose: str
    make: Make
    rests_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    takes: tuple[str, ...] = ()
    """Parameters of its own, from `parameters.NUMBERS`."""


DEFINITIONS: Final[Mapping[str, Definition]] = {
    each.kind: each
    for each in (
        Definition(
            "user-activity",
            "User activity",
            "Who did how much, of what kind, on how many days, and how much of it after hours.",
            user_activity.body,
        ),
        Definition(
            "data-access",
            "Data access",
            "Who read and exported what: in SmartWMS by route and record, and in this audit itself.",
            data_access.body,
            {"category": data_access.CATEGORIES, "action": data_access.ACTIONS},
        ),
        Definition(
            "configuration-changes",
            "Configuration changes",
            "Each change of a setting with what was before and after, and who made it.",
            configuration_changes.body,
            {"category": configuration_changes.CATEGORIES, "action": configuration_changes.ACTIONS},
        ),
        Definition(
            "access-review",
            "Access review",
            "Which accounts the log knows, when each last signed in, and what changed of users and roles.",
            access_review.body,
            {"category": access_review.CATEGORIES, "action": access_review.ACTIONS},
        ),
        Definition(
            "failed-logins",
            "Failed logins",
            "From where, as whom and when sign-ins failed, and which failures were followed by a success.",
            failed_logins.body,
            {"action": failed_logins.ACTIONS},
            ("failures", "minutes"),
        ),
    )
}
