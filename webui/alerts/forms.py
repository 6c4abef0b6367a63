"""The form of a monitor: what is typed becomes a monitor, or a sentence for each fault. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from indexer.errors import SettingsError
from indexer.plans import checked_hours
from webui import question as questions
from webui.alerts import condition as conditions
from webui.alerts.condition import KINDS, MAX_THRESHOLD, MAX_WINDOW, Condition, Template
from webui.alerts.monitor import MAX_NAME_CHARS, Monitor
from webui.question import QuestionError

MAX_CALM: Final = timedelta(days=7)
MAX_ROLES_COUNT: Final = 20
MAX_CHANNELS_COUNT: Final = 20
TEXTS: Final = (
    "name",
    "threshold",
    "window",
    "rows",
    "group",
    "query",
    "view",
    "roles",
    "calm",
    "quiet",
    "owner",
)
_UTC: Final = ZoneInfo("UTC")
# No more than any number here may have: Python refuses to read thousands of them.
_DIGITS: Final = re.compile(r"[0-9]{1,12}")


class FormError(ValueError):
    """What was typed is no monitor; `problems` has a sentence for each field at fault."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep the problems by field."""
        super().__init__("; ".join(f"{name}: {text}" for name, text in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class MonitorForm:
    """The form as typed; windows and calm in minutes."""

    template: str
    texts: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    weekends: bool = False
    on: bool = True

    def __getitem__(self, name: str) -> str:
        return self.texts.get(name, "")


def read(pairs: Iterable[tuple[str, str]], template: str) -> MonitorForm:
    """Take what a form sent."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value.strip())
    return MonitorForm(
        template=template,
        texts={name: values[name][-1] for name in TEXTS if name in values},
        channels=tuple(dict.fromkeys(values.get("channel", []))),
        weekends="weekends" in values,
        on="on" in values,
    )


def revision_of(text: str) -> int:
    """Give the revision that a form was made of; one that never is where it says none."""
    return int(text) if _DIGITS.fullmatch(text) else -1


def form_of(monitor: Monitor) -> MonitorForm:
    """Give the form that a stored monitor would be typed in as."""
    asked = monitor.condition
    return MonitorForm(
        template=asked.template.value,
        texts={
            "name": monitor.name,
            "threshold": str(asked.threshold),
            "window": _minutes(asked.window),
            "rows": str(asked.rows),
            "group": asked.group,
            "query": asked.query,
            "roles": ", ".join(asked.roles),
            "calm": _minutes(monitor.calm),
            "quiet": monitor.quiet,
            "owner": monitor.owner,
        },
        channels=monitor.channels,
        weekends=asked.weekends,
        on=monitor.on,
    )


def usual(template: Template, owner: str, now: datetime, who: str) -> Monitor:
    """Give the monitor that a template proposes; it has no id yet."""
    condition = conditions.usual(template)
    return Monitor(
        id="",
        owner=owner,
        name=condition.kind.words,
        condition=condition,
        calm=condition.kind.calm,
        since=now,
        updated=now,
        updated_by=who,
    )


def checked(form: MonitorForm, base: Monitor, known_channels: Collection[str]) -> Monitor:
    """Give the monitor that the form says, on the base of the one it was; FormError names what is wrong."""
    problems: dict[str, str] = {}
    kind = KINDS[Template(form.template)]
    name = " ".join(form["name"].split())
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        problems["name"] = f"Give it a name of 1 to {MAX_NAME_CHARS} characters."
    counted = _Numbers(form, problems)
    threshold = counted.whole("threshold", 1, MAX_THRESHOLD, base.condition.threshold)
    rows = counted.whole("rows", 0, 10_000_000, base.condition.rows)
    window = counted.minutes("window", timedelta(seconds=10), MAX_WINDOW, base.condition.window)
    calm = counted.minutes("calm", timedelta(minutes=1), MAX_CALM, base.calm)
    group = form["group"] if "group" in form.texts else base.condition.group
    if group not in kind.groups:
        problems["group"] = "Choose one of those offered."
    if form["quiet"]:
        try:
            checked_hours(form["quiet"])
        except SettingsError:
            problems["quiet"] = "Write hours such as 22:00-06:00, or nothing."
    roles = tuple(dict.fromkeys(role for part in form["roles"].split(",") if (role := part.strip())))
    if len(roles) > MAX_ROLES_COUNT:
        problems["roles"] = f"At most {MAX_ROLES_COUNT} roles."
    if len(form.channels) > MAX_CHANNELS_COUNT or not set(form.channels) <= set(known_channels):
        problems["channels"] = "Choose some of the channels offered."
    query = _query(form, problems) if form.template == Template.OWN_QUERY else ""
    if problems:
        raise FormError(problems)
    condition = Condition(
        Template(form.template), threshold, window, group, rows, query, roles, form.weekends
    )
    return replace(
        base,
        name=name,
        condition=condition,
        calm=calm,
        quiet=form["quiet"],
        channels=form.channels,
        on=form.on,
    )


def _query(form: MonitorForm, problems: dict[str, str]) -> str:
    """Read the search of an own query: a saved view's, or an address as the activity log has it."""
    typed = form["view"] or form["query"]
    _, mark, address = typed.partition("?")
    address = address.partition("#")[0] if mark else typed
    asked = questions.read(parse_qsl(address))
    try:
        asked.filter(_UTC, datetime.now(_UTC))
    except QuestionError as error:
        problems["query"] = "The search says something impossible: " + "; ".join(
            f"{name}: {text}" for name, text in error.problems.items()
        )
        return ""
    plain = replace(asked, tenant="").any_time()
    if not plain.is_narrow:
        problems["query"] = "Choose a saved view, or copy the address of a search that narrows something."
    return plain.address


class _Numbers:
    def __init__(self, form: MonitorForm, problems: dict[str, str]) -> None:
        self._form = form
        self._problems = problems

    def whole(self, name: str, low: int, high: int, usual_value: int) -> int:
        if name not in self._form.texts:
            return usual_value
        text = self._form[name]
        if not (_DIGITS.fullmatch(text) and low <= int(text) <= high):
            self._problems[name] = f"Write a whole number from {low:,} to {high:,}."
            return usual_value
        return int(text)

    def minutes(self, name: str, low: timedelta, high: timedelta, usual_value: timedelta) -> timedelta:
        if name not in self._form.texts:
            return usual_value
        try:
            # Whole seconds: what is told apart.
            found = timedelta(seconds=round(float(self._form[name].replace(",", ".")) * 60))
        except (ValueError, OverflowError):
            found = None
        if found is None or not low <= found <= high:
            self._problems[name] = f"Write minutes from {_minutes(low)} to {_minutes(high)}."
            return usual_value
        return found


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.4f}".rstrip("0").rstrip(".")
