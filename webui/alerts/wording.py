"""What an alert says: its title, its text, and the search that shows its events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from indexer.names import GUID
from indexer.query import Window
from webui import chart, wording
from webui.alerts.condition import GROUP_WORDS, Condition, Decision, Template
from webui.alerts.deciding import Series
from webui.alerts.monitor import EVERY_TENANT, Monitor
from webui.alerts.reconciling import moment
from webui.question import Question
from webui.rows import Change, Row

MAX_TITLE_CHARS: Final = 180
MAX_EVENTS_COUNT: Final = 3


def evidence(condition: Condition, series: Series, tenant: str) -> Question:
    """Ask for the events of a finding; `tenant`: to narrow what an operator sees, or empty."""
    window = Window(moment(series.first), moment(series.last))
    return replace(condition.narrowed(series.group), tenant=tenant).within(window)


def is_told_by_its_events(condition: Condition) -> bool:
    """Whether the newest event says best what was found."""
    return condition.template in {Template.PERMISSION_CHANGE, Template.AUDIT_TAMPERING}


def title(condition: Condition, series: Series, newest: Sequence[Row], name: str) -> str:
    """Say what was found, in one line. `newest`: its newest events; `name`: of the monitor."""
    count, group = series.count, series.group
    template = condition.template
    if template is Template.FAILED_LOGINS:
        by = "as" if condition.group == "user" else "from"
        what = "the name tried" if condition.group == "user" else "an address"
        said = f"{count:,} failed logins " + (f"{by} {group}" if group else f"without {what} in the log")
    elif template is Template.SUCCESS_AFTER_FAILURES:
        who = f" as {series.actors[-1]}" if series.actors else ""
        said = f"{group} signed in{who} after failing again and again"
    elif template is Template.AFTER_HOURS:
        said = f"{group} worked after hours, night of {series.night}"
    elif template is Template.BULK_EXPORT:
        said = f"{group or 'Somebody'} read or exported {series.size:,} rows"
    elif is_told_by_its_events(condition) and newest:
        said = newest[0].text + (f" (and {count - 1:,} more)" if count > 1 else "")
    else:
        by = f", {GROUP_WORDS[condition.group]} {group or 'not in the log'}" if condition.group else ""
        said = f"{name}: {count:,} event{'s' if count != 1 else ''}{by}"
    said = GUID.sub(lambda found: wording.short_id(found[0]), said)
    return said if len(said) <= MAX_TITLE_CHARS else f"{said[: MAX_TITLE_CHARS - 1]}…"


def text(monitor: Monitor, series: Series, newest: Sequence[Row], place: str, zone: ZoneInfo) -> str:
    """Say it in full: the rule, when, and the newest events."""
    begin, end = (chart.moment_text(moment(each), zone) for each in (series.first, series.last))
    events = f"{series.count:,} event{'s' if series.count != 1 else ''}"
    lines = [
        f"Monitor “{monitor.name}”: {monitor.rule}.",
        f"{place}, from {begin} until {end} ({zone.key}): {events}.",
    ]
    if monitor.condition.group and not series.group:
        lines.append(f"The log does not tell the {GROUP_WORDS[monitor.condition.group]}.")
    if not monitor.condition.is_askable(series.group):
        word = GROUP_WORDS[monitor.condition.group]
        lines.append(f"The activity log cannot be asked for this {word}: the events shown are those of all.")
    if monitor.condition.kind.decision is Decision.VOLUME:
        lines.append(f"Rows that were asked for: {series.size:,}.")
    if newest:
        lines += ["", "The newest:", *(f"- {_told(row)}" for row in newest)]
    return "\n".join(lines)


def _told(row: Row) -> str:
    """An event as a line: its sentence, and what it changed."""
    changes = "; ".join(map(_changed, row.changes))
    return f"{row.text}. {changes}" if changes else row.text


def _changed(change: Change) -> str:
    if change.before is None or change.after is None:
        return f"{change.name}: {change.after if change.before is None else change.before}"
    return f"{change.name}: {change.before or 'empty'} → {change.after or 'empty'}"


def tenant_of(monitor: Monitor, series: Series) -> str:
    """Which tenant an operator's search is narrowed to; failures before a success may have another."""
    if monitor.owner != EVERY_TENANT or monitor.condition.kind.decision is Decision.SEQUENCE:
        return ""
    return series.tenant
