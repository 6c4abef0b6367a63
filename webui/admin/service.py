"""Reads and changes tenants: an admin the own one (name, zone, hours), an operator all, plans included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from indexer import tenants
from indexer.classes import PLANS
from indexer.client import Client
from indexer.errors import ConflictError, SettingsError
from indexer.plans import PlanEntry, Tenant, checked_id
from indexer.retention import clock
from webui.tenancy import NotHereError, Reader, Tenancy
from webui.wording import sentence

MAX_NAME_CHARS: Final = 80
# What the words of a refusal are about: the field of the form that is at fault.
_ABOUT: Final[Mapping[str, str]] = {
    "zone": "zone",
    "hours": "hours",
    "--from": "start",
    "days do not fit": "days",
    "plan": "plan",
    "tenant": "id",
}


class TenantFormError(ValueError):
    """What was typed cannot be saved; `problems` has a sentence for each field at fault."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep the problems by field."""
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class TenantForm:
    """A tenant as typed; `plan`, `start` and `days` are an operator's alone."""

    id: str = ""
    name: str = ""
    zone: str = "UTC"
    hours: str = "07:00-18:00"
    plan: str = PLANS[0]
    start: str = ""
    days: str = ""


@dataclass(frozen=True, slots=True)
class TenantShown:
    """A tenant with the plan in force now, and how many days that keeps (None: for ever)."""

    tenant: Tenant
    plan: str
    days: int | None
    now: datetime

    @property
    def history(self) -> tuple[PlanEntry, ...]:
        """The plans, the newest first."""
        return tuple(reversed(self.tenant.plans))


class TenantAdmin:
    """The tenants that a reader may administer."""

    def __init__(
        self, client: Client, index_prefix: str, tenancy: Tenancy, now: Callable[[], datetime]
    ) -> None:
        """`now`: an aware time."""
        self._client = client
        self._prefix = index_prefix
        self._tenancy = tenancy
        self._now = now

    def all(self, reader: Reader) -> tuple[TenantShown, ...]:
        """Give the reader's tenants by name."""
        self._tenancy.forget()
        known = self._tenancy.current()
        own = reader.scope.tenant_id
        chosen = known.by_id.values() if own is None else [known.settings(own)]
        return tuple(sorted(map(self._shown, chosen), key=lambda each: each.tenant.name.casefold()))

    def one(self, reader: Reader, tenant_id: str) -> TenantShown:
        """Give one tenant; NotHereError when there is none for this reader."""
        self._tenancy.forget()
        if reader.scope.tenant_id not in {None, tenant_id}:
            raise NotHereError
        known = self._tenancy.current()
        if tenant_id not in known.by_id and reader.scope.tenant_id is None:
            raise NotHereError
        return self._shown(known.settings(tenant_id))

    def save(self, reader: Reader, form: TenantForm) -> Tenant:
        """Make or change a tenant; TenantFormError names what is at fault."""
        own = reader.scope.tenant_id
        if own is not None and own != form.id:
            raise NotHereError
        name = " ".join(form.name.split())
        if not 1 <= len(name) <= MAX_NAME_CHARS:
            raise TenantFormError({"name": f"A name has 1 to {MAX_NAME_CHARS} characters."})
        try:
            tenant_id = checked_id(form.id)
            # An admin leaves the plan as it is, whatever was sent.
            plan, start, days = self._own_plan(tenant_id) if own else _typed_plan(form)
            saved = tenants.put(
                self._client,
                self._prefix,
                tenant_id,
                name=name,
                zone=form.zone.strip(),
                hours=form.hours.strip(),
                plan=plan,
                start=start,
                days=days,
                now=clock.latest(self._client, self._now()),
            )
        except SettingsError as error:
            raise TenantFormError({_about(str(error)): _in_words(str(error))}) from error
        except ConflictError as error:
            raise TenantFormError({"": "Somebody else changed it at the same moment. Look again."}) from error
        self._tenancy.forget()
        return saved

    def _own_plan(self, tenant_id: str) -> tuple[str, datetime | None, int | None]:
        self._tenancy.forget()
        plans = self._tenancy.current().settings(tenant_id).plans
        last = plans[-1] if plans else None
        return (last.plan, last.start, last.days) if last else ("enterprise", None, None)

    def _shown(self, tenant: Tenant) -> TenantShown:
        now, known = self._now(), self._tenancy.current()
        return TenantShown(tenant, known.class_at(tenant.id, now), known.days_at(tenant.id, now), now)


def form_of(shown: TenantShown) -> TenantForm:
    """Give the form as it stands for a tenant: its last plan, which may be of later."""
    tenant = shown.tenant
    last = tenant.plans[-1] if tenant.plans else None
    return TenantForm(
        id=tenant.id,
        name=tenant.name,
        zone=tenant.zone,
        hours=tenant.hours,
        plan=last.plan if last else shown.plan,
        days=str(last.days) if last and last.days else "",
    )


def _typed_plan(form: TenantForm) -> tuple[str, datetime | None, int | None]:
    start = None
    if form.start:
        try:
            start = datetime.fromisoformat(form.start)
        except ValueError:
            raise TenantFormError({"start": f"“{form.start}” is no date and hour."}) from None
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
    if form.days and not form.days.isdecimal():
        raise TenantFormError({"days": f"“{form.days}” is no number of days."})
    return form.plan, start, int(form.days) if form.days else None


def _about(said: str) -> str:
    return next((field for words, field in _ABOUT.items() if words in said), "")


def _in_words(said: str) -> str:
    """The refusal of the command line, without its options."""
    text = said.replace("--from ", "a start of ").replace("--plan ", "the plan ")
    return sentence(text)
