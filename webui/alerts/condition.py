"""What a monitor looks for: templates with their numbers, and the question that its events answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl

from indexer.query import NONE, Choice
from webui import question as questions
from webui.matching import folded, linkable
from webui.question import PARAMETERS, Question

MAX_WINDOW: Final = timedelta(hours=24)
MAX_THRESHOLD: Final = 1_000_000


class Template(StrEnum):
    """What kinds of monitors there are."""

    FAILED_LOGINS = "failed_logins"
    SUCCESS_AFTER_FAILURES = "success_after_failures"
    AFTER_HOURS = "after_hours"
    BULK_EXPORT = "bulk_export"
    PERMISSION_CHANGE = "permission_change"
    AUDIT_TAMPERING = "audit_tampering"
    OWN_QUERY = "own_query"


class Decision(StrEnum):
    """How events become a finding."""

    COUNT = "count"
    """So many of a group within a window."""
    SEQUENCE = "sequence"
    """So many failures, then a success, within a window."""
    NIGHT = "night"
    """So many outside the business hours of one night."""
    VOLUME = "volume"
    """So many exports, or so many rows, within a window."""


# What events can have in common: the fields that hold it, the first that an event has counts.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "ip": ("source.ip", "source.address"),
    "user": ("user.name", "user.email", "user.id"),
    "entity": ("entity.id", "entity.number"),
    "type": ("entity.type",),
    "action": ("event.action",),
    "category": ("event.category",),
    "": (),
}
GROUP_WORDS: Final[Mapping[str, str]] = {
    "ip": "address",
    "user": "user",
    "entity": "record",
    "type": "type of record",
    "action": "action",
    "category": "category",
    "": "all together",
}
FAILURES: Final = ("login_failed", "sign_in_failed")
EXPORTS: Final = ("exported",)
_CHANGES: Final = (
    *("created", "updated", "deleted", "status_changed", "adjusted", "transferred", "received", "counted"),
    *("moved", "role_changed", "role_created", "role_updated", "role_deleted", "permissions_changed"),
    *("password_changed", "purged"),
)
_PERMISSIONS: Final = (
    *("role_changed", "permissions_changed", "role_created", "role_updated", "role_deleted"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A template: its words, how it decides, its events, the groups it offers, and its usual numbers."""

    words: str
    finds: str
    decision: Decision
    asked: Question
    groups: tuple[str, ...]
    threshold: int
    window: timedelta
    calm: timedelta
    rows: int = 0
    needs_group: bool = False
    """Whether an event that does not tell its group counts for nothing, rather than for "not in the log"."""
    gap: str = ""
    """What the logs may not tell, and what to do about it."""


def _asked(**chosen: tuple[str, ...]) -> Question:
    return Question(chosen={name: Choice(only=values) for name, values in chosen.items()})


_MINUTES = timedelta(minutes=1)
_LOGIN_GAP: Final = (
    "SmartWMS as shipped writes neither address, nor name, nor tenant on a failed login. Failures without a "
    "tenant belong to “No tenant”: only an operator's monitor sees them. Failures without an address (or "
    "name) count as one group, “not in the log”. docs/smartwms.md has the lines that close the gap."
)
KINDS: Final[Mapping[Template, Kind]] = {
    Template.FAILED_LOGINS: Kind(
        words="Failed logins",
        finds="One address, or one user, failing to sign in again and again",
        decision=Decision.COUNT,
        asked=_asked(action=FAILURES),
        groups=("ip", "user"),
        threshold=5,
        window=5 * _MINUTES,
        calm=60 * _MINUTES,
        gap=_LOGIN_GAP,
    ),
    Template.SUCCESS_AFTER_FAILURES: Kind(
        words="Success after failures",
        finds="A login from an address that had just failed again and again",
        decision=Decision.SEQUENCE,
        asked=_asked(action=("login", "signed_in", *FAILURES)),
        groups=("ip",),
        threshold=5,
        window=15 * _MINUTES,
        calm=60 * _MINUTES,
        needs_group=True,
        gap=f"Events without an address cannot be put in a row: they are left out. {_LOGIN_GAP}",
    ),
    Template.AFTER_HOURS: Kind(
        words="After hours",
        finds="Changes or logins outside the tenant's business hours, once per user and night",
        decision=Decision.NIGHT,
        asked=replace(
            _asked(action=("login", *_CHANGES), outcome=("success",)),
        ),
        groups=("user",),
        threshold=1,
        window=24 * 60 * _MINUTES,
        calm=24 * 60 * _MINUTES,
        needs_group=True,
        gap="Business hours and zone are the tenant's own (Administration, Tenants); a tenant without hours "
        "has none to be outside of. What names no user is left out: it may be the system itself.",
    ),
    Template.BULK_EXPORT: Kind(
        words="Bulk export",
        finds="Reports, huge pages or many reads by one user",
        decision=Decision.VOLUME,
        asked=_asked(action=("read", *EXPORTS)),
        groups=("user",),
        threshold=5,
        window=10 * _MINUTES,
        calm=60 * _MINUTES,
        rows=2000,
        needs_group=True,
        gap="A read counts as one row, a page as many rows as were asked for (pageSize), an export of this "
        "audit as many as it holds. SmartWMS as shipped writes no user on its request lines: what names "
        "nobody is left out until its request log is enriched (docs/smartwms.md).",
    ),
    Template.PERMISSION_CHANGE: Kind(
        words="Permission change",
        finds="A role or a permission changed, a role given to a user or taken",
        decision=Decision.COUNT,
        asked=_asked(category=("users",), action=_PERMISSIONS, outcome=("success", "unknown")),
        groups=("entity",),
        threshold=1,
        window=_MINUTES,
        calm=5 * _MINUTES,
        gap="Without SmartWMS's AuditInterceptor a change is only a request: whom it was about stands in its "
        "path, which role was given does not.",
    ),
    Template.AUDIT_TAMPERING: Kind(
        words="Audit tampering",
        finds="SmartWMS's own audit or login attempts purged, a source that fell silent or lost bytes, a "
        "checkpoint that went back",
        decision=Decision.COUNT,
        asked=_asked(category=("audit",), action=("purged", "fell_silent", "lost", "went_back")),
        groups=("action",),
        threshold=1,
        window=_MINUTES,
        calm=5 * _MINUTES,
        gap="What the agents say of themselves names no tenant: only an operator's monitor sees it. A "
        "tenant's own monitor sees purges.",
    ),
    Template.OWN_QUERY: Kind(
        words="Own query",
        finds="Any search of the activity log, with a threshold, a window and a group",
        decision=Decision.COUNT,
        asked=Question(),
        groups=("", "user", "ip", "entity", "type", "action", "category"),
        threshold=10,
        window=60 * _MINUTES,
        calm=60 * _MINUTES,
    ),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A template with its numbers. `rows`: of VOLUME; `query`: the address of an own query's search.

    `roles`: the names of those that matter to a permission change; none: all. `weekends`: whether Saturday
    and Sunday are after hours as a whole.
    """

    template: Template
    threshold: int
    window: timedelta
    group: str
    rows: int = 0
    query: str = ""
    roles: tuple[str, ...] = ()
    weekends: bool = False

    @property
    def kind(self) -> Kind:
        """What its template says."""
        return KINDS[self.template]

    @property
    def question(self) -> Question:
        """Which events it looks at; of any time, of any tenant."""
        if self.template is not Template.OWN_QUERY:
            return self.kind.asked
        return replace(questions.read(parse_qsl(self.query)), tenant="").any_time()

    @property
    def actor(self) -> str:
        """What tells apart who did it, of GROUPS; empty where the group itself does."""
        if self.group == "user":
            return "ip" if self.template is Template.FAILED_LOGINS else ""
        return "" if self.template is Template.FAILED_LOGINS else "user"

    @property
    def step_secs(self) -> int:
        """How finely times are told apart."""
        if self.kind.decision is Decision.NIGHT:
            # Business hours begin and end at full minutes.
            return 60
        return max(1, int(self.window.total_seconds()) // 300)

    def narrowed(self, group: str) -> Question:
        """Ask for the events of one group; empty: for those whose log does not tell it.

        Of a group that no address can ask for: those of all groups.
        """
        if not self.group or not self.is_askable(group):
            return self.question
        return self.question.only(self.group, group or NONE)

    def is_askable(self, group: str) -> bool:
        """Whether the activity log can be asked for a group: what logs call an address may be none."""
        return not group or not self.group or linkable(PARAMETERS[self.group], (group,))

    def same(self, group: str) -> str:
        """Give what a group is known by: a user's name in other letter case is the same user."""
        return folded(group) if self.group == "user" else group

    def document(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {
            "template": self.template.value,
            "threshold": self.threshold,
            "window_secs": int(self.window.total_seconds()),
            "group": self.group,
            "rows": self.rows,
            "query": self.query,
            "roles": list(self.roles),
            "weekends": self.weekends,
        }


def usual(template: Template) -> Condition:
    """Give a template with its usual numbers."""
    kind = KINDS[template]
    return Condition(template, kind.threshold, kind.window, kind.groups[0], kind.rows)


def from_document(source: Mapping[str, Any]) -> Condition:
    """Read a condition back."""
    return Condition(
        template=Template(source["template"]),
        threshold=source["threshold"],
        window=timedelta(seconds=source["window_secs"]),
        group=source["group"],
        rows=source["rows"],
        query=source["query"],
        roles=tuple(source["roles"]),
        weekends=source["weekends"],
    )
