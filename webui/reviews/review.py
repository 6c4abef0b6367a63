"""A review: its period and scope, its checklist, its findings; and how each step changes it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.query import Window, iso
from webui.question import Question
from webui.reviews.checklist import TITLES
from webui.reviews.plan import FormError, Reviewer, scope_document, scope_from_document

MAX_NOTE_CHARS: Final = 2000
MAX_TEXT_CHARS: Final = 5000
MAX_NAME_CHARS: Final = 80
MAX_FINDINGS_COUNT: Final = 100
MAX_EVENTS_COUNT: Final = 20
SIGNING_FOR: Final = timedelta(minutes=5)


class ItemState(StrEnum):
    """How far a thing to look at is. The value is also its words."""

    OPEN = "not looked at yet"
    LOOKED_AT = "looked at"
    FINDING = "finding"
    NOT_APPLICABLE = "not applicable"


class Severity(StrEnum):
    """How bad a finding is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Outcome(StrEnum):
    """What became of a finding."""

    OPEN = "open"
    EXPLAINED = "explained"
    ESCALATED = "escalated"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to look at. `sentence` says what was counted; without a `path` there was nothing to ask."""

    key: str
    count: int
    sentence: str
    path: str
    state: ItemState = ItemState.OPEN
    note: str = ""
    by: str = ""
    at: datetime | None = None

    @property
    def title(self) -> str:
        return TITLES.get(self.key, self.key)

    @property
    def asked(self) -> str:
        """The sentence without the period, which is the same for all."""
        return self.sentence.partition(", from ")[0]

    def document(self) -> dict[str, Any]:
        """Give it as it is stored and signed."""
        return {
            "key": self.key,
            "count": self.count,
            "sentence": self.sentence,
            "path": self.path,
            "state": self.state.value,
            "note": self.note,
            "by": self.by,
            "at": _iso(self.at),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that a finding rests on, with the hash it had in the store."""

    id: str
    at: datetime
    message: str
    sha256: str

    def document(self) -> dict[str, Any]:
        """Give it as it is stored and signed."""
        return {"id": self.id, "at": iso(self.at), "message": self.message, "sha256": self.sha256}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was found. `item` is the key of what it was found at, empty for anything else."""

    number: int
    item: str
    text: str
    severity: Severity
    outcome: Outcome
    responsible: str
    events: tuple[Evidence, ...]
    by: str
    at: datetime

    @property
    def title(self) -> str:
        """What it was found at."""
        return TITLES.get(self.item, "Something else")

    def document(self) -> dict[str, Any]:
        """Give it as it is stored and signed."""
        return {
            "number": self.number,
            "item": self.item,
            "text": self.text,
            "severity": self.severity.value,
            "outcome": self.outcome.value,
            "responsible": self.responsible,
            "events": [each.document() for each in self.events],
            "by": self.by,
            "at": iso(self.at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review. Its words for tenant and zone are those of the day it was opened."""

    id: str
    tenant: str
    tenant_name: str
    title: str
    plan: str
    week: str
    start: datetime
    end: datetime
    zone: ZoneInfo
    hours: str
    scope: Question
    reviewers: tuple[Reviewer, ...]
    opened: datetime
    opened_by: str
    due: datetime
    counted: datetime
    items: tuple[Item, ...]
    findings: tuple[Finding, ...] = ()
    revision: int = 0
    """Counts its changes: who signs says which one was seen."""
    signing: datetime | None = None
    """When somebody began to sign it: it is not changed for `SIGNING_FOR`."""
    signed: datetime | None = None
    signed_by: str = ""
    told_overdue: bool = False

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)

    def is_being_signed(self, now: datetime) -> bool:
        """Whether somebody signs it at this moment: whoever has not by the end of that time died."""
        return self.signing is not None and now < self.signing + SIGNING_FOR

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been signed by now."""
        return self.signed is None and self.due <= now

    @property
    def done_count(self) -> int:
        """How many items have been looked at."""
        return sum(item.state is not ItemState.OPEN for item in self.items)

    def names_of(self, account: str) -> tuple[str, ...]:
        """Give the names that an assigned reviewer has in SmartWMS."""
        return next((each.names for each in self.reviewers if each.account == account), ())

    def document(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {
            "tenant": self.tenant,
            "tenant_name": self.tenant_name,
            "title": self.title,
            "plan": self.plan,
            "week": self.week,
            "start": iso(self.start),
            "end": iso(self.end),
            "zone": self.zone.key,
            "hours": self.hours,
            "scope": scope_document(self.scope),
            "reviewers": [{"account": each.account, "names": list(each.names)} for each in self.reviewers],
            "opened": iso(self.opened),
            "opened_by": self.opened_by,
            "due": iso(self.due),
            "counted": iso(self.counted),
            "items": [item.document() for item in self.items],
            "findings": [finding.document() for finding in self.findings],
            "revision": self.revision,
            "signing": _iso(self.signing),
            "signed": _iso(self.signed),
            "signed_by": self.signed_by,
            "told_overdue": self.told_overdue,
        }


def from_document(review_id: str, source: Mapping[str, Any]) -> Review:
    """Read a review back."""
    return Review(
        id=review_id,
        tenant=source["tenant"],
        tenant_name=source["tenant_name"],
        title=source["title"],
        plan=source["plan"],
        week=source["week"],
        start=datetime.fromisoformat(source["start"]),
        end=datetime.fromisoformat(source["end"]),
        zone=ZoneInfo(source["zone"]),
        hours=source["hours"],
        scope=scope_from_document(source["scope"]),
        reviewers=tuple(Reviewer(each["account"], tuple(each["names"])) for each in source["reviewers"]),
        opened=datetime.fromisoformat(source["opened"]),
        opened_by=source["opened_by"],
        due=datetime.fromisoformat(source["due"]),
        counted=datetime.fromisoformat(source["counted"]),
        items=tuple(map(item_from_document, source["items"])),
        findings=tuple(map(finding_from_document, source["findings"])),
        revision=source["revision"],
        signing=_moment(source.get("signing")),
        signed=_moment(source["signed"]),
        signed_by=source["signed_by"],
        told_overdue=source["told_overdue"],
    )


def item_from_document(source: Mapping[str, Any]) -> Item:
    """Read an item back, as stored or as signed."""
    return Item(
        key=source["key"],
        count=source["count"],
        sentence=source["sentence"],
        path=source["path"],
        state=ItemState(source["state"]),
        note=source["note"],
        by=source["by"],
        at=_moment(source["at"]),
    )


def finding_from_document(source: Mapping[str, Any]) -> Finding:
    """Read a finding back, as stored or as signed."""
    return Finding(
        number=source["number"],
        item=source["item"],
        text=source["text"],
        severity=Severity(source["severity"]),
        outcome=Outcome(source["outcome"]),
        responsible=source["responsible"],
        events=tuple(
            Evidence(each["id"], datetime.fromisoformat(each["at"]), each["message"], each["sha256"])
            for each in source["events"]
        ),
        by=source["by"],
        at=datetime.fromisoformat(source["at"]),
    )


# -- steps


def with_item(review: Review, key: str, state: str, note: str, by: str, at: datetime) -> Review:
    """Say how far an item is; FormError."""
    if len(note) > MAX_NOTE_CHARS:
        raise FormError({key: f"A note has at most {MAX_NOTE_CHARS:,} characters."})
    if key not in {item.key for item in review.items} or state not in set(ItemState):
        raise FormError({key: "Choose one of the states offered."})
    items = tuple(
        replace(item, state=ItemState(state), note=note, by=by, at=at) if item.key == key else item
        for item in review.items
    )
    return replace(review, items=items)


def with_finding(review: Review, finding: Finding) -> Review:
    """Add a finding, numbered, or replace the one of its number; what it was found at has a finding then."""
    if finding.number == 0:
        if len(review.findings) >= MAX_FINDINGS_COUNT:
            raise FormError({"text": f"A review holds {MAX_FINDINGS_COUNT} findings; start another."})
        finding = replace(finding, number=len(review.findings) + 1)
        findings = (*review.findings, finding)
    else:
        findings = tuple(finding if each.number == finding.number else each for each in review.findings)
    items = tuple(
        replace(item, state=ItemState.FINDING, by=finding.by, at=finding.at)
        if item.key == finding.item and item.state is not ItemState.FINDING
        else item
        for item in review.items
    )
    return replace(review, findings=findings, items=items)


def recounted(review: Review, fresh: Iterable[Item], at: datetime) -> Review:
    """Take new counts over; what changed its count is to be looked at again, its note stays."""
    known = {item.key: item for item in review.items}
    items = []
    for item in fresh:
        old = known.get(item.key)
        if old is None:
            items.append(item)
        elif old.count == item.count or old.state is ItemState.FINDING:
            items.append(replace(item, state=old.state, note=old.note, by=old.by, at=old.at))
        else:
            items.append(replace(item, note=old.note))
    return replace(review, items=tuple(items), counted=at)


def unfinished(review: Review) -> list[str]:
    """Say what keeps a review from being signed."""
    problems = [
        f"“{item.title}” has not been looked at yet." for item in review.items if item.state is ItemState.OPEN
    ]
    found_at = {finding.item for finding in review.findings}
    problems += [
        f"“{item.title}” says that there is a finding, but none was written down for it."
        for item in review.items
        if item.state is ItemState.FINDING and item.key not in found_at
    ]
    return problems


def read_finding(
    form: Mapping[str, str], number: int, events: tuple[Evidence, ...], by: str, at: datetime
) -> Finding:
    """Give the finding that was typed; FormError."""
    problems = {}
    text, responsible = form.get("text", "").strip(), " ".join(form.get("responsible", "").split())
    if not 1 <= len(text) <= MAX_TEXT_CHARS:
        problems["text"] = f"Say what was found, in 1 to {MAX_TEXT_CHARS:,} characters."
    if len(responsible) > MAX_NAME_CHARS:
        problems["responsible"] = f"A name has at most {MAX_NAME_CHARS} characters."
    if form.get("severity") not in set(Severity):
        problems["severity"] = "Choose how bad it is."
    if form.get("outcome") not in set(Outcome):
        problems["outcome"] = "Choose what became of it."
    if form.get("item", "") not in {"", *TITLES}:
        problems["item"] = "Choose one of the items."
    if problems:
        raise FormError(problems)
    return Finding(
        number=number,
        item=form.get("item", ""),
        text=text,
        severity=Severity(form["severity"]),
        outcome=Outcome(form["outcome"]),
        responsible=responsible,
        events=events,
        by=by,
        at=at,
    )


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
