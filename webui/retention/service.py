"""Shows an admin what is kept of the own tenant, an operator of all; operators place holds and erase."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from indexer.client import Client
from indexer.errors import ConflictError, SettingsError
from indexer.event import NO_TENANT
from indexer.keys import fingerprint
from indexer.retention import certificates, clock, erasures, holds, last_run, report
from indexer.retention.certificate import Certificate
from indexer.retention.erasures import Erasure
from indexer.retention.hold import Hold
from indexer.retention.last_run import LastRun
from indexer.retention.report import ClassKept, Kept
from webui.tenancy import NotHereError, Reader, Tenancy
from webui.wording import sentence

SHOWN_COUNT: Final = 100
# What the words of a refusal are about: the field of the form that is at fault.
_ABOUT: Final[Mapping[str, str]] = {
    "--from": "start",
    "--to": "end",
    "reason": "reason",
    "GUID": "tenant",
}


class RefusedError(ValueError):
    """What was asked for cannot be done; `problems` has a sentence for each field at fault ("": for all)."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep the problems by field."""
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class HoldForm:
    """A hold as typed."""

    tenant: str = ""
    reason: str = ""
    start: str = ""
    end: str = ""
    entity_type: str = ""
    entity_id: str = ""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A certificate as a reader may see it: the counts are of the reader's tenants alone."""

    certificate: Certificate
    before_count: int
    removed_count: int
    kept_count: int
    reasons: tuple[str, ...]
    signed_by: tuple[str, ...]
    """Fingerprints of the keys that signed it."""


@dataclass(frozen=True, slots=True)
class RetentionShown:
    """All that the page shows. `classes` and `erasures` are an operator's alone."""

    kept: tuple[Kept, ...]
    classes: tuple[ClassKept, ...]
    last: LastRun | None
    is_overdue: bool
    """Whether the last run is so long ago that somebody should look."""
    holds: tuple[Hold, ...]
    deletions: tuple[Deletion, ...]
    deletion_count: int
    erasures: tuple[Erasure, ...]
    names: Mapping[str, str]


class Retention:
    """What is kept of the tenants that a reader may administer."""

    def __init__(
        self, client: Client, index_prefix: str, tenancy: Tenancy, now: Callable[[], datetime]
    ) -> None:
        """`now`: an aware time."""
        self._client = client
        self._prefix = index_prefix
        self._tenancy = tenancy
        self._now = now

    def shown(self, reader: Reader) -> RetentionShown:
        """Give everything about the reader's tenants."""
        self._tenancy.forget()
        known, own, now = self._tenancy.current(), reader.scope.tenant_id, self._now()
        mine = [known.settings(own)] if own else [each for each in known.by_id.values() if not each.erased]
        deletions = self._deletions(own)
        last = last_run.read(self._client, self._prefix)
        return RetentionShown(
            tuple(
                report.kept(known, each, now) for each in sorted(mine, key=lambda each: each.name.casefold())
            ),
            () if own else tuple(report.classes(self._client, self._prefix, known)),
            last,
            last is None or last.is_overdue(now),
            tuple(holds.all(self._client, self._prefix, own)),
            tuple(deletions[:SHOWN_COUNT]),
            len(deletions),
            () if own else tuple(erasures.all(self._client, self._prefix)),
            {NO_TENANT: "No tenant", **{each.id: each.name for each in known.by_id.values()}},
        )

    def place(self, reader: Reader, form: HoldForm, by: str) -> Hold:
        """Place a hold. RefusedError when it cannot be, NotHereError for another's tenant."""
        _refuse_others(reader, form.tenant)
        start, end = _moment("start", form.start), _moment("end", form.end)
        try:
            return holds.place(
                self._client,
                self._prefix,
                form.tenant,
                reason=form.reason,
                by=by,
                now=self._now(),
                start=start,
                end=end,
                entity_type=form.entity_type,
                entity_id=form.entity_id,
            )
        except SettingsError as error:
            raise _refused(error) from error

    def release(self, reader: Reader, hold_id: str, reason: str, by: str) -> Hold:
        """Release a hold. NotHereError when there is none in force, RefusedError for who placed it."""
        found = next(
            (
                each
                for each in holds.all(self._client, self._prefix, reader.scope.tenant_id)
                if each.id == hold_id
            ),
            None,
        )
        if found is None or found.released:
            raise NotHereError
        try:
            (done,) = holds.release(
                self._client,
                self._prefix,
                found.tenant,
                reason=reason,
                by=by,
                now=self._now(),
                hold_id=hold_id,
            )
        except (SettingsError, ConflictError) as error:
            raise _refused(error) from error
        return done

    def ask_erasure(self, reader: Reader, tenant_id: str, reason: str, by: str) -> Erasure:
        """Ask for the erasure of a tenant. RefusedError while it is held, or without a reason."""
        _refuse_others(reader, tenant_id)
        if tenant_id not in self._tenancy.current().by_id:
            raise RefusedError({"": "There is no such tenant."})
        try:
            return erasures.request(
                self._client, self._prefix, tenant_id, reason=reason, by=by, now=self._now()
            )
        except (SettingsError, ConflictError) as error:
            raise _refused(error) from error

    def confirm_erasure(self, reader: Reader, tenant_id: str, by: str) -> Erasure:
        """Confirm what another asked for; the next run does it. RefusedError for who asked."""
        self._asked(reader, tenant_id)
        try:
            now = clock.latest(self._client, self._now())
            return erasures.confirm(self._client, self._prefix, tenant_id, by=by, now=now)
        except (SettingsError, ConflictError) as error:
            raise _refused(error) from error

    def withdraw_erasure(self, reader: Reader, tenant_id: str) -> Erasure:
        """Take back what is not confirmed yet."""
        self._asked(reader, tenant_id)
        try:
            return erasures.withdraw(self._client, self._prefix, tenant_id)
        except (SettingsError, ConflictError) as error:
            raise _refused(error) from error

    def _asked(self, reader: Reader, tenant_id: str) -> None:
        _refuse_others(reader, tenant_id)
        found = {each.tenant for each in erasures.all(self._client, self._prefix)}
        if tenant_id not in found:
            raise NotHereError

    def _deletions(self, own: str | None) -> list[Deletion]:
        found = reversed(certificates.all(self._client, self._prefix))
        return [_deletion(each, own) for each in found if own is None or own in each.tenants]


def _refuse_others(reader: Reader, tenant_id: str) -> None:
    """What is not of the reader's tenants is not there."""
    if reader.scope.tenant_id not in {None, tenant_id}:
        raise NotHereError


def _deletion(certificate: Certificate, own: str | None) -> Deletion:
    carried = [each for each in certificate.carried if own in {None, each.tenant}]
    before = certificate.before_count if own is None else certificate.tenants[own]
    kept = sum(each.count for each in carried)
    reasons = tuple(sorted({each.reason for each in carried}))
    signed_by = tuple(sorted(fingerprint(key) for key in certificate.signers))
    return Deletion(certificate, before, before - kept, kept, reasons, signed_by)


def _moment(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError({name: f"“{text}” is no date and time."}) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _refused(error: Exception) -> RefusedError:
    """The refusal of the command line, without its options, at the field that it is about."""
    said = str(error)
    about = next((field for words, field in _ABOUT.items() if words in said), "")
    text = said.replace("--from ", "the start ").replace("--to ", "the end ")
    return RefusedError({about: sentence(text)})
