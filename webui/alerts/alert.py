"""An alert: what was found, who looks after it, and how it was judged. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from indexer.query import iso

MAX_NOTE_CHARS: Final = 2000
MAX_ACTORS_COUNT: Final = 50
_KEPT_STEPS_COUNT: Final = 100
_KEY_CHARS: Final = 24
_MOMENTS: Final = frozenset({"created", "opened", "first", "last", "notice_due", "closed"})


class State(StrEnum):
    """Where an alert stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


OPEN: Final = (State.NEW, State.ACKNOWLEDGED)


class Verdict(StrEnum):
    """What a closed alert turned out to be."""

    NONE = ""
    REAL = "real"
    BENIGN = "benign"
    FALSE = "false"


VERDICT_WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.REAL: "real: it was what it looked like",
    Verdict.BENIGN: "benign: it happened, and was allowed",
    Verdict.FALSE: "false: it was not what it looked like",
}


class Notice(StrEnum):
    """Whether its channels were told of its last opening."""

    DUE = "due"
    TOLD = "told"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done with an alert. `who` is empty where the evaluator did it."""

    at: datetime
    who: str
    what: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """How something becomes news: at a time, told from `due` on through the channels of that time."""

    at: datetime
    due: datetime
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One occurrence. Times are aware.

    `owner`: whose inbox it is in (a tenant, or `*` for operators); `tenant`: whose events it is about.
    `source`: "monitor", or what else raised it. `opens_count`: how often it was opened, and so told.
    """

    id: str
    key: str
    number: int
    owner: str
    tenant: str
    source: str
    monitor: str = ""
    monitor_name: str = ""
    template: str = ""
    group: str = ""
    group_name: str = ""
    title: str
    text: str
    state: State = State.NEW
    verdict: Verdict = Verdict.NONE
    assignee: str = ""
    created: datetime
    opened: datetime
    first: datetime
    last: datetime
    closed: datetime | None = None
    count: int = 0
    actors: tuple[str, ...] = ()
    evidence: str = ""
    """The address of the search in the activity log that shows its events; empty: there are none."""
    channels: tuple[str, ...] = ()
    opens_count: int = 1
    notice: Notice = Notice.DUE
    notice_due: datetime
    steps: tuple[Step, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look at it."""
        return self.state in OPEN

    @property
    def message_id(self) -> str:
        """The id under which this opening is told, once."""
        return f"alert:{self.id}:{self.opens_count}"

    def step(self, at: datetime, who: str, what: str, note: str = "") -> tuple[Step, ...]:
        """Give its steps with one more."""
        return (*self.steps, Step(at, who, what, note))[-_KEPT_STEPS_COUNT:]

    def reopened(self, opening: Opening, why: str) -> Alert:
        """Give it as it is when it is news again."""
        return replace(
            self,
            state=State.NEW,
            verdict=Verdict.NONE,
            closed=None,
            opened=opening.at,
            opens_count=self.opens_count + 1,
            channels=opening.channels,
            notice=Notice.DUE if opening.channels else Notice.NONE,
            notice_due=opening.due,
            steps=self.step(opening.at, "", f"re-opened: {why}"),
        )

    def document(self) -> dict[str, Any]:
        """Give it as it is stored."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "steps":
                value = [
                    {"at": iso(step.at), "who": step.who, "what": step.what, "note": step.note}
                    for step in value
                ]
            elif isinstance(value, datetime):
                value = iso(value)
            elif isinstance(value, StrEnum):
                value = value.value
            elif isinstance(value, tuple):
                value = list(value)
            found[field.name] = value
        return {**found, "subjects": subjects(self)}


def subjects(alert: Alert) -> list[str]:
    """Give what it shares with related alerts: its group and its actors."""
    return [each for each in dict.fromkeys((alert.group, *alert.actors)) if each]


def from_document(source: Mapping[str, Any]) -> Alert:
    """Read an alert back."""
    values = {name: value for name, value in source.items() if name != "subjects"}
    for name in _MOMENTS:
        if values[name] is not None:
            values[name] = datetime.fromisoformat(values[name])
    return Alert(
        **{
            **values,
            "state": State(values["state"]),
            "verdict": Verdict(values["verdict"]),
            "notice": Notice(values["notice"]),
            "actors": tuple(values["actors"]),
            "channels": tuple(values["channels"]),
            "steps": tuple(
                Step(datetime.fromisoformat(step["at"]), step["who"], step["what"], step["note"])
                for step in values["steps"]
            ),
        }
    )


def key_of(*parts: str) -> str:
    """Give the key of what belongs together: the same source, tenant and group."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_KEY_CHARS]


def id_of(key: str, number: int) -> str:
    """Give the id of the occurrence of that number: whoever finds it twice writes the same document."""
    return f"{key}-{number}"
