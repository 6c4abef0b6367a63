"""The schedules in the store, as far as a reader may see and change them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from indexer.documents import Documents, Stored
from indexer.errors import ConflictError
from indexer.query import MAX_VALUE_CHARS, MAX_VALUES_COUNT
from webui.notification.channel import Channel, Kind
from webui.notification.channels import Channels
from webui.question import QuestionError
from webui.reports.definitions import DEFINITIONS
from webui.reports.schedule import EVERY_TENANT, Every, Schedule, from_document
from webui.tenancy import NotHereError, Reader, Tenancy, TenantFacts

KIND: Final = "schedules"
MAX_COUNT: Final = 50
"""How many schedules a tenant may have."""
FORMATS: Final = ("pdf", "csv")
_ID_BYTES: Final = 6


@dataclass(frozen=True, slots=True)
class Form:
    """What is typed to make a schedule."""

    kind: str = ""
    every: str = ""
    format: str = ""
    users: tuple[str, ...] = ()
    tenant: str = ""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A schedule with what its list says of it."""

    schedule: Schedule
    place: TenantFacts
    next_run: datetime
    channels: tuple[str, ...]
    """The names of its channels."""

    @property
    def title(self) -> str:
        """What it makes."""
        return DEFINITIONS[self.schedule.kind].title


class Schedules:
    """All schedules of an installation. Raises the errors of `indexer.errors`."""

    def __init__(
        self, documents: Documents, channels: Channels, tenancy: Tenancy, now: Callable[[], datetime]
    ) -> None:
        """`documents` of the kind "schedules"; `now`: an aware time."""
        self._documents = documents
        self._channels = channels
        self._tenancy = tenancy
        self._now = now

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._documents.prepare()

    def place(self, schedule: Schedule) -> TenantFacts:
        """Give the tenant whose weeks and months are meant."""
        tenant = "" if schedule.tenant == EVERY_TENANT else schedule.tenant
        return self._tenancy.place(Reader(schedule.account, schedule.owner_scope), tenant)

    def all(self, reader: Reader) -> list[Shown]:
        """Give the schedules that a reader may see, the newest first: their tenant's, or all."""
        own = reader.scope.tenant_id
        query = None if own is None else {"term": {"tenant": own}}
        found = [from_document(each.id, each.source) for each in self._documents.every(query)]
        names = {each.id: each.name for each in self._channels.of(own)}
        return [
            self._shown(each, names) for each in sorted(found, key=lambda each: each.created, reverse=True)
        ]

    def channels(self, reader: Reader, tenant: str = "") -> list[Channel]:
        """Give the channels that a schedule can be told through: a file needs e-mail."""
        place = self._tenancy.place(reader, tenant)
        return [each for each in self._channels.of(place.id or EVERY_TENANT) if each.kind is Kind.EMAIL]

    def add(self, reader: Reader, form: Form) -> Schedule:
        """Make a schedule. NotHereError: not the reader's tenant; QuestionError names what is wrong."""
        place = self._tenancy.place(reader, form.tenant)
        known = {each.id for each in self.channels(reader, form.tenant)}
        problems = dict(_problems(form, known))
        tenant = place.id or EVERY_TENANT
        if len(self._documents.find({"term": {"tenant": tenant}})) >= MAX_COUNT:
            problems["kind"] = f"There are {MAX_COUNT} schedules already; delete one first."
        if problems:
            raise QuestionError(problems)
        now = self._now()
        made = Schedule(
            id=secrets.token_hex(_ID_BYTES),
            tenant=tenant,
            scope=reader.scope.tenant_id or EVERY_TENANT,
            account=reader.account,
            kind=form.kind,
            users=form.users,
            every=Every(form.every),
            format=form.format,
            channels=form.channels,
            created=now,
            since=now,
        )
        self._documents.create(made.id, made.document())
        return made

    def pause(self, reader: Reader, schedule_id: str) -> Schedule:
        """Make no more of it; NotHereError when it is not the reader's."""
        return self._changed(reader, schedule_id, lambda each: replace(each, paused=True, problem=""))

    def resume(self, reader: Reader, schedule_id: str) -> Schedule:
        """Make it again, from the period under way on: what ended while it was paused is not made up."""
        now = self._now()
        return self._changed(
            reader, schedule_id, lambda each: replace(each, paused=False, problem="", since=now)
        )

    def delete(self, reader: Reader, schedule_id: str) -> Schedule:
        """Forget it; what it has made stays where it is."""
        schedule, stored = self._existing(reader, schedule_id)
        self._documents.delete(stored)
        return schedule

    def running(self) -> list[Stored]:
        """Give the schedules that are not paused, as they are stored."""
        return self._documents.every({"term": {"paused": False}})

    def write(self, stored: Stored, schedule: Schedule) -> Stored | None:
        """Replace exactly the version that was read; None when somebody else was first."""
        try:
            return self._documents.replace(stored, schedule.document())
        except ConflictError:
            return None

    def _changed(self, reader: Reader, schedule_id: str, change: Callable[[Schedule], Schedule]) -> Schedule:
        while True:
            schedule, stored = self._existing(reader, schedule_id)
            if self.write(stored, change(schedule)) is not None:
                return schedule

    def _existing(self, reader: Reader, schedule_id: str) -> tuple[Schedule, Stored]:
        stored = self._documents.get(schedule_id)
        if stored is None or reader.scope.tenant_id not in {None, stored.source["tenant"]}:
            raise NotHereError
        return from_document(stored.id, stored.source), stored

    def _shown(self, schedule: Schedule, names: Mapping[str, str]) -> Shown:
        place = self.place(schedule)
        return Shown(
            schedule,
            place,
            schedule.next_run(place.zone, self._now()),
            tuple(names.get(each, "a channel that was deleted") for each in schedule.channels),
        )


def _problems(form: Form, channels: set[str]) -> Sequence[tuple[str, str]]:
    found = []
    if form.kind not in DEFINITIONS:
        found.append(("kind", "Choose one of the reports."))
    if form.every not in set(Every):
        found.append(("every", "Choose weekly or monthly."))
    if form.format not in FORMATS:
        found.append(("format", "Choose CSV or PDF."))
    if any(len(each) > MAX_VALUE_CHARS for each in form.users):
        found.append(("user", f"A user has at most {MAX_VALUE_CHARS} characters."))
    if len(form.users) > MAX_VALUES_COUNT:
        found.append(("user", f"At most {MAX_VALUES_COUNT} users can be chosen at once."))
    if not set(form.channels) <= channels:
        found.append(("channels", "Choose among the e-mail channels offered."))
    return found
