"""The reports there are, as data: what each is called and for, what it rests on, and what makes its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from webui.question import Question
from webui.reports.kinds import failed_logins
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
            "failed-logins",
            "Failed logins",
            "From where, as whom and when sign-ins failed, and which failures were followed by a success.",
            failed_logins.body,
            {"action": failed_logins.ACTIONS},
            ("failures", "minutes"),
        ),
    )
}
