"""Reviews as people work on them: open, look at, find, sign, add a note. Knows no Flask."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from indexer.errors import ConflictError, NotPreparedError
from indexer.event import NO_TENANT
from indexer.plans import Tenant
from indexer.query import Scope, Window, event_query, within_tenant
from indexer.search import EventSearch
from indexer.trail import TrailError
from webui.question import Question
from webui.reviews import review as reviews
from webui.reviews.archive import Archive, Held, SignedError
from webui.reviews.counts import Counter, OwnEvents
from webui.reviews.plan import (
    FormError,
    Plan,
    Reviewer,
    read_period,
    read_reviewers,
    scope_from_document,
    scope_of,
    scope_problems,
)
from webui.reviews.plans import Plans
from webui.reviews.record import Record, Signature, chain_holds, signed_note, signed_review
from webui.reviews.review import MAX_EVENTS_COUNT, MAX_TEXT_CHARS, SIGNING_FOR, Evidence, Review
from webui.reviews.week import Week, midnight
from webui.tenancy import NotHereError, Reader, Tenancy, TenantFacts

HAND_DUE_DAYS: Final = 7
UNFINISHED: Final = "unfinished-"
"""How the names of those problems begin that are left to be done before a signature."""
SIGNING_SECS: Final = SIGNING_FOR.total_seconds() / 5
"""How long after it began a signature may be given: others take the review for free after `SIGNING_FOR`."""
_ID_BYTES: Final = 8

Prove = Callable[[], str]
"""Asked last before something is signed: by what whoever signs has shown who they are; UnprovenError."""


class StaleError(ValueError):
    """What was signed is not what was seen; the message says so."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A review with what was signed of it, and who of its reviewers is among the reviewed."""

    review: Review
    records: tuple[Record, ...]
    own: tuple[OwnEvents, ...]
    """Of those assigned and of the reader; nothing once it is signed."""

    @property
    def holds(self) -> bool:
        """Whether all that was signed is as it was."""
        return chain_holds(self.records)

    def own_count(self, account: str) -> int:
        """How many of the reviewed events are of an account."""
        return next((each.count for each in self.own if each.account == account), 0)


class Reviews:
    """The reviews of an installation, as far as a reader may see them. Times are aware."""

    def __init__(
        self,
        archive: Archive,
        plans: Plans,
        search: EventSearch,
        counter: Counter,
        tenancy: Tenancy,
        now: Callable[[], datetime],
    ) -> None:
        self.plans = plans
        self._archive = archive
        self._search = search
        self._counter = counter
        self._tenancy = tenancy
        self._now = now

    @property
    def now(self) -> datetime:
        """The moment by this service's clock."""
        return self._now()

    def prepare(self) -> None:
        """Make the indices if they are not there."""
        self._archive.prepare()
        self.plans.prepare()

    def tenants(self, reader: Reader) -> tuple[TenantFacts, ...]:
        """Give the tenants a reader can choose between: none, unless it sees them all."""
        return () if reader.scope.tenant_id is not None else tuple(self._tenancy.all())

    def place(self, reader: Reader, tenant_id: str = "") -> TenantFacts:
        """Give the tenant that is chosen; NotHereError when it is not the reader's."""
        return self._tenancy.place(reader, tenant_id)

    def all(self, reader: Reader) -> list[Review]:
        """Give the reader's reviews, the newest period first."""
        return self._archive.of(reader.scope.tenant_id)

    def overdue_count(self, reader: Reader, tenant_id: str = "") -> int:
        """Count the reviews that should have been signed by now; none where reviews are not set up yet."""
        try:
            return len(self._archive.overdue(reader.scope.tenant_id or tenant_id or None, self._now()))
        except NotPreparedError:
            return 0

    def one(self, reader: Reader, review_id: str) -> Shown:
        """Give a review; NotHereError when it is not of the reader's tenant."""
        review = self._existing(reader, review_id)
        records = self._archive.records(review_id)
        if records:
            signed = records[0].said["signed"]
            if review.signed is None:
                self._archive.mark(review_id, datetime.fromisoformat(signed["at"]), signed["by"])
            return Shown(_as_signed(review, records[0]), records, ())
        people = {each.account: each.names for each in review.reviewers}
        if reader.account:
            people.setdefault(reader.account, ())
        return Shown(review, (), self._counter.own(review, people.items(), self._now()))

    # -- opening

    def open_week(
        self,
        plan: Plan,
        week: Week,
        review_id: str,
        opened_by: str,
        record: Callable[[Review], None] = lambda _: None,
    ) -> Review | None:
        """Open the review of a week as a plan says, recorded first; None when it is open already."""
        tenant = self._tenant(plan.tenant)
        zone = self._tenancy.facts(plan.tenant).zone
        now = self._now()
        due = midnight(now.astimezone(zone).date() + timedelta(days=plan.due_days), zone)
        review = self._made(
            tenant,
            review_id,
            window=week.window(zone),
            scope=plan.scope,
            reviewers=plan.reviewers,
            title=f"{plan.name}, week {week.number} of {week.year}",
            opened_by=opened_by,
            due=due,
        )
        review = replace(review, plan=plan.id, week=week.name)
        record(review)
        return review if self._archive.add(review) else None

    def start(
        self, reader: Reader, tenant_id: str, form: Mapping[str, str], categories: tuple[str, ...]
    ) -> Review:
        """Open a review of any period by hand. FormError; NotHereError."""
        place = self._tenancy.place(reader, tenant_id)
        if place.id in {"", NO_TENANT}:
            raise FormError({"tenant": "Choose a tenant."})
        now = self._now()
        window = read_period(form, place.zone, now)
        users, types = form.get("users", ""), form.get("types", "")
        if problems := scope_problems(categories, users, types):
            raise FormError(problems)
        reviewers = read_reviewers(form.get("reviewers", "") or reader.account)
        self.plans.check_reviewers(reviewers, place.id)
        review = self._made(
            self._tenant(place.id),
            secrets.token_hex(_ID_BYTES),
            window=window,
            scope=scope_of(categories, users, types),
            reviewers=reviewers,
            title=f"Review of {form['from']} to {form['to']}",
            opened_by=reader.account,
            due=midnight(now.astimezone(place.zone).date() + timedelta(days=HAND_DUE_DAYS), place.zone),
        )
        self._archive.add(review)
        return review

    def recount(self, reader: Reader, review_id: str) -> Review:
        """Take the counts again, as of now. SignedError; NotHereError."""
        review = self._existing(reader, review_id)
        now = self._now()
        tenant = replace(self._tenant(review.tenant), zone=review.zone.key, hours=review.hours)
        fresh = self._counter.items(tenant, review.window, review.scope, now)
        return self._archive.change(review_id, now, lambda old: reviews.recounted(old, fresh, now))

    # -- working on it

    def look_at(self, reader: Reader, review_id: str, key: str, state: str, note: str) -> Review:
        """Say how far an item is. FormError; SignedError; NotHereError."""
        self._existing(reader, review_id)
        note, now = note.strip(), self._now()
        return self._archive.change(
            review_id, now, lambda old: reviews.with_item(old, key, state, note, reader.account, now)
        )

    def find(self, reader: Reader, review_id: str, number: int, form: Mapping[str, str]) -> Review:
        """Write a finding down (0), or change the one of a number. FormError; SignedError; NotHereError."""
        review = self._existing(reader, review_id)
        if number and number not in {each.number for each in review.findings}:
            raise NotHereError
        events, now = self._evidence(review, form.get("events", "")), self._now()
        finding = reviews.read_finding(form, number, events, reader.account, now)
        return self._archive.change(review_id, now, lambda old: reviews.with_finding(old, finding))

    def sign(
        self,
        reader: Reader,
        role: str,
        review_id: str,
        *,
        prove: Prove,
        revision: str,
        why: str,
        record: Callable[[Record], None],
    ) -> Record:
        """Sign a review as it was seen; `record` is called before it counts. Nobody changes it meanwhile.

        FormError, StaleError, UnprovenError, SignedError, NotHereError.
        """
        held = self._held(reader, review_id)
        review = held.review
        if self._archive.record(review_id) is not None:
            raise SignedError("This review is signed already.")
        if revision != str(review.revision):
            raise _stale()
        if left := reviews.unfinished(review):
            raise FormError({f"{UNFINISHED}{number}": said for number, said in enumerate(left)})
        names = review.names_of(reader.account)
        (own,) = self._counter.own(review, [(reader.account, names)], self._now())
        why = why.strip()
        if own.count and not why:
            raise FormError({"why": "Some of the reviewed events are your own: say why you review them."})
        if len(why) > MAX_TEXT_CHARS:
            raise FormError({"why": f"At most {MAX_TEXT_CHARS:,} characters."})
        shown_by = prove()
        now = self._now()
        made = signed_review(
            review, Signature(reader.account, role, now, shown_by, own.count, why if own.count else "")
        )
        began = time.monotonic()
        try:
            self._archive.hold(held, now)
        except ConflictError as error:
            raise _stale() from error
        try:
            record(made)
        except TrailError:
            self._archive.release(review_id)
            raise
        if time.monotonic() - began > SIGNING_SECS:
            raise StaleError("It took too long to record the signature. Sign again in a few minutes.")
        self._archive.sign(made)
        self._archive.mark(review_id, now, reader.account)
        return made

    def add_note(
        self,
        reader: Reader,
        role: str,
        review_id: str,
        *,
        prove: Prove,
        note: str,
        record: Callable[[Record], None],
    ) -> Record:
        """Sign a note to a signed review. FormError, UnprovenError, SignedError, NotHereError."""
        review = self._existing(reader, review_id)
        records = self._archive.records(review_id)
        if not records:
            raise FormError({"note": "This review is not signed yet: change it instead."})
        note = note.strip()
        if not 1 <= len(note) <= MAX_TEXT_CHARS:
            raise FormError({"note": f"A note has 1 to {MAX_TEXT_CHARS:,} characters."})
        signature = Signature(reader.account, role, self._now(), prove())
        made = signed_note(review, records[-1], note, signature)
        record(made)
        self._archive.sign(made)
        return made

    # -- parts

    def _made(  # noqa: PLR0913  what a review consists of
        self,
        tenant: Tenant,
        review_id: str,
        *,
        window: Window,
        scope: Question,
        reviewers: tuple[Reviewer, ...],
        title: str,
        opened_by: str,
        due: datetime,
    ) -> Review:
        now = self._now()
        if window.start is None or window.end is None:
            raise ValueError("a review has a beginning and an end")
        return Review(
            id=review_id,
            tenant=tenant.id,
            tenant_name=tenant.name,
            title=title,
            plan="",
            week="",
            start=window.start,
            end=window.end,
            zone=self._tenancy.facts(tenant.id).zone,
            hours=tenant.hours,
            scope=scope,
            reviewers=reviewers,
            opened=now,
            opened_by=opened_by,
            due=due,
            counted=now,
            items=self._counter.items(tenant, window, scope, now),
        )

    def _tenant(self, tenant_id: str) -> Tenant:
        return self._tenancy.current().settings(tenant_id)

    def _existing(self, reader: Reader, review_id: str) -> Review:
        return self._held(reader, review_id).review

    def _held(self, reader: Reader, review_id: str) -> Held:
        held = self._archive.get(review_id)
        if held is None or reader.scope.tenant_id not in {None, held.review.tenant}:
            raise NotHereError
        return held

    def _evidence(self, review: Review, text: str) -> tuple[Evidence, ...]:
        """Look up the events that were named, by id or permalink: only those of the review's own tenant."""
        ids = tuple(dict.fromkeys(map(event_id, text.split())))
        if len(ids) > MAX_EVENTS_COUNT:
            raise FormError({"events": f"A finding rests on at most {MAX_EVENTS_COUNT} events."})
        found = []
        for each in ids:
            event = self._search.event(within_tenant(Scope(review.tenant), event_query(each)))
            if event is None:
                raise FormError({"events": f"There is no event “{each}” of this tenant."})
            found.append(Evidence(each, event.moment, event.text("message"), event.text("event.hash")))
        return tuple(found)


def _stale() -> StaleError:
    return StaleError("It was changed since you opened this page. Look at it again, then sign.")


def event_id(text: str) -> str:
    """Give the id of an event from itself or its permalink."""
    return unquote(urlsplit(text).path.rstrip("/").rpartition("/")[2])


def _as_signed(review: Review, record: Record) -> Review:
    """Give a review as it was signed, whatever stands in its document by now."""
    said = record.said
    return replace(
        review,
        title=said["title"],
        start=datetime.fromisoformat(said["period"]["from"]),
        end=datetime.fromisoformat(said["period"]["to"]),
        zone=ZoneInfo(said["zone"]),
        hours=said["hours"],
        scope=scope_from_document(said["scope"]),
        reviewers=tuple(Reviewer(each["account"], tuple(each["names"])) for each in said["reviewers"]),
        counted=datetime.fromisoformat(said["counted_at"]),
        items=tuple(map(reviews.item_from_document, said["items"])),
        findings=tuple(map(reviews.finding_from_document, said["findings"])),
        signed=datetime.fromisoformat(said["signed"]["at"]),
        signed_by=said["signed"]["by"],
    )
