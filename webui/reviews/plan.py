"""A plan: which weeks of a tenant are reviewed, of what, by whom, until when. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.event import Category
from indexer.query import Choice, FilterError, Window, check_choice, iso
from webui.question import PARAMETERS, Question
from webui.reviews.checklist import names_of
from webui.reviews.week import WEEKDAYS, midnight

MAX_NAME_CHARS: Final = 80
MAX_REVIEWERS_COUNT: Final = 20
MAX_DUE_DAYS: Final = 90
MAX_PERIOD_DAYS: Final = 366
_YEARS: Final = range(1970, 2200)
"""Events have times of these; arithmetic near the ends of `date` would fail."""
_DUE_DAYS: Final = {str(days): days for days in range(1, MAX_DUE_DAYS + 1)}
_ACCOUNT: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")
_SCOPE: Final = ("category", "user", "type")
"""The parameters of /activity that a scope may choose by."""


class FormError(ValueError):
    """What was typed cannot be kept; `problems` has a sentence for each field at fault."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep the problems by field."""
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """An account that reviews, and the names its person has in SmartWMS."""

    account: str
    names: tuple[str, ...] = ()

    def line(self) -> str:
        """As it is typed: `anna: Anna Berg, anna.berg@example.com`."""
        return f"{self.account}: {', '.join(self.names)}" if self.names else self.account


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan of a tenant. `weekday`: when the review of the week before opens; Monday is 1."""

    id: str
    tenant: str
    name: str
    weekday: int
    scope: Question
    reviewers: tuple[Reviewer, ...]
    due_days: int
    on: bool
    since: datetime
    """The week of this moment is the first to be reviewed."""

    def document(self) -> dict[str, Any]:
        """Give the plan as it is stored."""
        return {
            "tenant": self.tenant,
            "name": self.name,
            "weekday": self.weekday,
            "scope": scope_document(self.scope),
            "reviewers": [{"account": each.account, "names": list(each.names)} for each in self.reviewers],
            "due_days": self.due_days,
            "on": self.on,
            "since": iso(self.since),
        }


@dataclass(frozen=True, slots=True)
class PlanForm:
    """A plan as typed."""

    name: str = "Weekly review"
    weekday: str = "1"
    categories: tuple[str, ...] = ()
    users: str = ""
    types: str = ""
    reviewers: str = ""
    due_days: str = "3"
    on: bool = True


def from_document(plan_id: str, source: Mapping[str, Any]) -> Plan:
    """Read a plan back."""
    return Plan(
        id=plan_id,
        tenant=source["tenant"],
        name=source["name"],
        weekday=source["weekday"],
        scope=scope_from_document(source["scope"]),
        reviewers=tuple(Reviewer(each["account"], tuple(each["names"])) for each in source["reviewers"]),
        due_days=source["due_days"],
        on=source["on"],
        since=datetime.fromisoformat(source["since"]),
    )


def form_of(plan: Plan) -> PlanForm:
    """Give the form as it stands for a plan."""
    return PlanForm(
        name=plan.name,
        weekday=str(plan.weekday),
        categories=plan.scope.choice("category").only,
        users=", ".join(plan.scope.choice("user").only),
        types=", ".join(plan.scope.choice("type").only),
        reviewers="\n".join(each.line() for each in plan.reviewers),
        due_days=str(plan.due_days),
        on=plan.on,
    )


def read(form: PlanForm, plan_id: str, tenant: str, since: datetime) -> Plan:
    """Give the plan that was typed; FormError."""
    problems: dict[str, str] = {}
    name = " ".join(form.name.split())
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        problems["name"] = f"A name has 1 to {MAX_NAME_CHARS} characters."
    if form.weekday not in map(str, range(1, len(WEEKDAYS) + 1)):
        problems["weekday"] = "Choose a day of the week."
    due_days = _DUE_DAYS.get(form.due_days.strip(), 0)
    if not due_days:
        problems["due_days"] = f"Choose 1 to {MAX_DUE_DAYS} days."
    try:
        reviewers = read_reviewers(form.reviewers)
    except FormError as error:
        problems |= error.problems
        reviewers = ()
    problems |= scope_problems(form.categories, form.users, form.types)
    if problems:
        raise FormError(problems)
    return Plan(
        id=plan_id,
        tenant=tenant,
        name=name,
        weekday=int(form.weekday),
        scope=scope_of(form.categories, form.users, form.types),
        reviewers=reviewers,
        due_days=due_days,
        on=form.on,
        since=since,
    )


def read_reviewers(text: str) -> tuple[Reviewer, ...]:
    """Read a line for each reviewer: the account, and after a colon the person's names in SmartWMS."""
    found: dict[str, Reviewer] = {}
    for line in filter(None, (each.strip() for each in text.split("\n"))):
        account, _, names = line.partition(":")
        account = account.strip().lower()
        if not _ACCOUNT.fullmatch(account):
            raise FormError({"reviewers": f"“{account}” is no name of an account."})
        reviewer = Reviewer(account, listed(names))
        # What they did in the reviewed set is asked for by all of these at once.
        if reason := _problem("user", names_of(account, reviewer.names)):
            raise FormError({"reviewers": f"The names of “{account}”: {reason}"})
        found[account] = reviewer
    if not 1 <= len(found) <= MAX_REVIEWERS_COUNT:
        raise FormError(
            {"reviewers": f"Name 1 to {MAX_REVIEWERS_COUNT} accounts, each on a line of its own."}
        )
    return tuple(found.values())


def listed(text: str) -> tuple[str, ...]:
    """Give the parts of a list with commas."""
    return tuple(dict.fromkeys(filter(None, (" ".join(each.split()) for each in text.split(",")))))


def scope_of(categories: tuple[str, ...], users: str, types: str) -> Question:
    """Give the question that a scope asks; empty fields choose everything."""
    question = Question()
    chosen = tuple(dict.fromkeys(categories))
    for name, values in (("category", chosen), ("user", listed(users)), ("type", listed(types))):
        if values:
            question = question.any_of(name, values)
    return question


def scope_problems(categories: tuple[str, ...], users: str, types: str) -> dict[str, str]:
    """Say what of a scope cannot be asked for, by field of the form."""
    problems = {}
    if strange := sorted(set(categories) - set(Category)):
        problems["category"] = f"“{strange[0]}” is none of the categories."
    for name, dimension, values in (
        ("users", "user", listed(users)),
        ("types", "entity_type", listed(types)),
    ):
        if reason := _problem(dimension, values):
            problems[name] = reason
    return problems


def _problem(dimension: str, values: tuple[str, ...]) -> str:
    """Say why events cannot be asked for by these values of a dimension; empty: they can."""
    try:
        check_choice(dimension, Choice(only=values))
    except FilterError as error:
        return error.reason
    return ""


def read_period(form: Mapping[str, str], zone: ZoneInfo, now: datetime) -> Window:
    """Give the period that was typed, whole days that are over; FormError."""
    days: list[date] = []
    problems = {}
    for name in ("from", "to"):
        try:
            day = date.fromisoformat(form.get(name, ""))
        except ValueError:
            day = date.max
        if day.year not in _YEARS:
            problems[name] = "Choose a day, such as 2026-11-16."
        days.append(day)
    if problems:
        raise FormError(problems)
    first, last = days
    if not 0 <= (last - first).days < MAX_PERIOD_DAYS:
        raise FormError({"to": f"A period has 1 to {MAX_PERIOD_DAYS} days."})
    end = midnight(last + timedelta(days=1), zone)
    if end > now:
        raise FormError({"to": "The last day must be over: what is still going on cannot be reviewed."})
    return Window(midnight(first, zone), end)


def scope_document(scope: Question) -> dict[str, list[str]]:
    """Give a scope as it is stored: values by parameter of /activity."""
    return {name: list(scope.choice(name).only) for name in _SCOPE if scope.choice(name).only}


def scope_from_document(source: Mapping[str, Any]) -> Question:
    """Read a scope back."""
    question = Question()
    for name, values in source.items():
        if name in PARAMETERS:
            question = question.any_of(name, tuple(values))
    return question
