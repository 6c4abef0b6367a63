"""The plans of all tenants in the store, as far as a reader may see and change them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from indexer.documents import Documents, Stored
from indexer.errors import ConflictError
from webui.reviews.plan import FormError, Plan, PlanForm, Reviewer, from_document, read
from webui.tenancy import NotHereError, Reader

KIND: Final = "reviewplans"
MAX_PLANS_COUNT: Final = 20
_ID_BYTES: Final = 6

MayReview = Callable[[str, str], bool]
"""Whether there is an account (first) that may review a tenant (second)."""


class Plans:
    """Raises the errors of `indexer.errors`."""

    def __init__(self, documents: Documents, now: Callable[[], datetime], may_review: MayReview) -> None:
        """`documents` of KIND; `now`: an aware time."""
        self._documents = documents
        self._now = now
        self._may_review = may_review

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._documents.prepare()

    def of(self, tenant: str | None) -> list[Plan]:
        """Give a tenant's plans by name; None: of all tenants."""
        query = None if tenant is None else {"term": {"tenant": tenant}}
        found = [from_document(stored.id, stored.source) for stored in self._documents.every(query)]
        return sorted(found, key=lambda plan: (plan.name.casefold(), plan.id))

    def get(self, reader: Reader, plan_id: str) -> Plan:
        """Give one plan; NotHereError when it is not of the reader's tenant."""
        return self._existing(reader, plan_id)[0]

    def add(self, tenant: str, form: PlanForm) -> Plan:
        """Make a plan; it begins with the week that we are in. FormError."""
        plan = read(form, secrets.token_hex(_ID_BYTES), tenant, self._now())
        self.check_reviewers(plan.reviewers, plan.tenant)
        if len(self.of(tenant)) >= MAX_PLANS_COUNT:
            raise FormError({"": f"There are {MAX_PLANS_COUNT} plans already; change one of them."})
        self._documents.create(plan.id, plan.document())
        return plan

    def change(self, reader: Reader, plan_id: str, form: PlanForm) -> Plan:
        """Change a plan. Weeks in which it was off are not made up for. FormError; NotHereError."""
        old, stored = self._existing(reader, plan_id)
        plan = read(form, old.id, old.tenant, old.since)
        if plan.on and not old.on:
            plan = replace(plan, since=self._now())
        self.check_reviewers(plan.reviewers, plan.tenant)
        try:
            self._documents.replace(stored, plan.document())
        except ConflictError as error:
            raise FormError({"": "Somebody else changed it at the same moment. Look again."}) from error
        return plan

    def check_reviewers(self, reviewers: Iterable[Reviewer], tenant: str) -> None:
        """Refuse accounts that are not there, or may not review a tenant: FormError."""
        for reviewer in reviewers:
            if not self._may_review(reviewer.account, tenant):
                said = f"“{reviewer.account}” is no account of this tenant that may review."
                raise FormError({"reviewers": said})

    def _existing(self, reader: Reader, plan_id: str) -> tuple[Plan, Stored]:
        stored = self._documents.get(plan_id)
        if stored is None or reader.scope.tenant_id not in {None, stored.source["tenant"]}:
            raise NotHereError
        return from_document(stored.id, stored.source), stored
