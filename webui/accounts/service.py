"""Making, checking and changing accounts. Passwords are kept as argon2id hashes and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from indexer.documents import Documents, Stored
from indexer.errors import ConflictError
from webui.access import Role
from webui.accounts import account as accounts
from webui.accounts.account import Account, AccountError
from webui.accounts.admission import Grant, NotAdmittedError

_ATTEMPTS_COUNT: Final = 5
_MADE_PASSWORD_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser's cookie says about its session; the cookie is signed."""

    id: str
    account_name: str
    generation: int
    began: datetime
    seen: datetime


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whom a provider's word has let in; `changed`: what was made or changed of the account, in words."""

    account: Account
    session: Session
    changed: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts: without a request, and at all."""

    idle: timedelta
    total: timedelta


class Accounts:
    """All accounts of an installation."""

    def __init__(
        self,
        documents: Documents,
        limits: Limits,
        now: Callable[[], datetime],
        hasher: PasswordHasher | None = None,
    ) -> None:
        """`documents` of the kind "accounts"; `hasher` is argon2id with its defaults unless given."""
        self._documents = documents
        self._limits = limits
        self._now = now
        self._hasher = hasher or PasswordHasher()
        # What an unknown name is compared with: the same work as for a known one.
        self._nobody = self._hasher.hash(secrets.token_hex())

    @property
    def now(self) -> datetime:
        """The moment by this service's clock."""
        return self._now()

    def prepare(self) -> None:
        """Make the index of the accounts if it is not there."""
        self._documents.prepare()

    def add(self, name: str, role: Role, tenant_id: str, password: str | None) -> Account:
        """Make an account; AccountError when something is not acceptable or the name is taken.

        Without a password it is opened by single sign-on alone.
        """
        hashed = "" if password is None else self._hasher.hash(accounts.checked_password(password))
        made = Account(
            name=accounts.checked_name(name),
            role=role,
            tenant_id=accounts.checked_tenant(tenant_id, role),
            password_hash=hashed,
            created=self._now(),
        )
        try:
            self._documents.create(made.name, made.document())
        except ConflictError:
            raise AccountError(f"NAME is {made.name!r}, which exists already; see `accounts list`") from None
        return made

    def all(self) -> list[Account]:
        """Give all accounts by name."""
        found = self._documents.find(sort=[{"name": "asc"}])
        return [accounts.from_document(stored.source) for stored in found]

    def get(self, name: str) -> Account | None:
        """Give the account as it is now."""
        stored = self._documents.get(name)
        return None if stored is None else accounts.from_document(stored.source)

    def set_password(self, name: str, password: str) -> Account:
        """Change the password and end all sessions."""
        hashed = self._hasher.hash(accounts.checked_password(password))
        return self._change(
            name,
            lambda old: replace(old, password_hash=hashed, generation=old.generation + 1, signed_out={}),
        )

    def change_password(self, name: str, old: str, new: str) -> tuple[Account, Session] | None:
        """Let somebody change their own: all sessions end, another begins. None when `old` is not it.

        AccountError when the new one is not acceptable.
        """
        accounts.checked_password(new)
        if not self.confirms(name, old):
            return None
        changed = self.set_password(name, new)
        return changed, self._begun(changed)

    def disable(self, name: str) -> Account:
        """Shut an account out and end all of its sessions."""
        return self._change(
            name, lambda old: replace(old, disabled=True, generation=old.generation + 1, signed_out={})
        )

    def enable(self, name: str) -> Account:
        """Let an account in again; its sessions of before stay ended."""
        return self._change(name, lambda old: replace(old, disabled=False))

    def end_sessions(self, name: str) -> Account:
        """End all sessions of an account, wherever they are."""
        return self._change(name, lambda old: replace(old, generation=old.generation + 1, signed_out={}))

    def set_role(self, name: str, role: Role) -> Account:
        """Give another role, and end all sessions; AccountError when the tenant does not go with it."""
        return self._change(
            name,
            lambda old: replace(
                old,
                role=role,
                tenant_id=accounts.checked_tenant(old.tenant_id, role),
                generation=old.generation + 1,
                signed_out={},
            ),
        )

    def sign_in(self, name: str, password: str) -> tuple[Account, Session] | None:
        """Begin a session; None when name and password do not belong together. Equal work either way."""
        found = self._known(name)
        proper = len(password) <= accounts.MAX_PASSWORD_CHARS
        hashed = found.password_hash if found and found.password_hash else self._nobody
        fits = self._fits(hashed, password if proper else "")
        if found is None or found.disabled or not proper or not fits:
            return None
        if self._hasher.check_needs_rehash(found.password_hash):
            renewed = self._hasher.hash(password)
            found = self._change(found.name, lambda old: replace(old, password_hash=renewed))
        return found, self._begun(found)

    def admit(self, name: str, subject: str, grant: Grant | None) -> Admitted:
        """Begin a session of the account that a provider vouches for; NotAdmittedError says why not.

        `subject` is the same person for ever: the first to come by a name keeps it. `grant` is what the rules
        give; it makes an account where there is none, and changes one that was made so.
        """
        found, changed = self._known(name), ""
        if found is None:
            found = self._made_by_rules(name, subject, grant)
            changed = f"made the account {found.name} ({found.role.word})"
        if found.disabled:
            raise NotAdmittedError(f"the account {found.name} is disabled")
        if found.subject not in {"", subject}:
            raise NotAdmittedError(f"the account {found.name} belongs to another person at the provider")
        if found.by_rules and grant is None:
            raise NotAdmittedError(f"no rule admits {found.name} any more")
        if found.by_rules and grant is not None and grant != Grant(found.role, found.tenant_id):
            changed = f"changed the role of {found.name} from {found.role.word} to {grant.role.word}"
            found = self._change(found.name, lambda old: _granted(old, grant))
        if not found.subject:
            changed = f"bound the account {found.name} to {subject}"
            found = self._change(found.name, lambda old: _bound(old, subject))
        return Admitted(found, self._begun(found), changed)

    def unbind(self, name: str) -> Account:
        """Forget which person at the provider an account belongs to, and end all sessions."""
        return self._change(
            name, lambda old: replace(old, subject="", generation=old.generation + 1, signed_out={})
        )

    def confirms(self, name: str, password: str) -> bool:
        """Whether this is the password of an account that may sign in; asked before something is signed."""
        found = self._known(name)
        if found is None or found.disabled or not 1 <= len(password) <= accounts.MAX_PASSWORD_CHARS:
            return False
        return self._fits(found.password_hash, password)

    def resume(self, session: Session) -> Account | None:
        """Give the account of a session that still holds; None when it is over, ended or shut out."""
        now = self._now()
        if now - session.seen > self._limits.idle or now - session.began > self._limits.total:
            return None
        found = self.get(session.account_name)
        if found is None or found.disabled or found.generation != session.generation:
            return None
        return None if session.id in found.signed_out else found

    def sign_out(self, session: Session) -> None:
        """End one session for good, also for whoever copied its cookie."""
        until = session.began + self._limits.total
        now = self._now()
        self._change(session.account_name, lambda old: old.without_session(session.id, until, now))

    def _begun(self, account: Account) -> Session:
        now = self._now()
        return Session(secrets.token_urlsafe(18), account.name, account.generation, now, now)

    def _made_by_rules(self, name: str, subject: str, grant: Grant | None) -> Account:
        if grant is None:
            raise NotAdmittedError(f"there is no account {name}")
        made = Account(
            name, grant.role, grant.tenant_id, "", self._now(), subject=subject, by_rules=True
        )  # fmt: skip
        try:
            self._documents.create(made.name, made.document())
        except ConflictError:
            raise NotAdmittedError(f"the account {name} was made a moment ago; try again") from None
        return made

    def _known(self, name: str) -> Account | None:
        try:
            return self.get(accounts.checked_name(name))
        except AccountError:
            return None

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    def _change(self, name: str, change: Callable[[Account], Account]) -> Account:
        """Read, change, write; again when somebody else wrote in between."""
        for attempt in range(_ATTEMPTS_COUNT):
            stored = self._existing(name)
            changed = change(accounts.from_document(stored.source))
            try:
                self._documents.replace(stored, changed.document())
            except ConflictError:
                if attempt + 1 == _ATTEMPTS_COUNT:
                    raise
            else:
                return changed
        raise AssertionError("unreachable")

    def _existing(self, name: str) -> Stored:
        stored = self._documents.get(accounts.checked_name(name))
        if stored is None:
            raise AccountError(f"NAME is {name!r}; there is no such account; see `accounts list`")
        return stored


def _granted(account: Account, grant: Grant) -> Account:
    return replace(
        account,
        role=grant.role,
        tenant_id=grant.tenant_id,
        generation=account.generation + 1,
        signed_out={},
    )


def _bound(account: Account, subject: str) -> Account:
    """Bind, unless somebody else was bound while this one was on the way."""
    if account.subject not in {"", subject}:
        raise NotAdmittedError(f"the account {account.name} belongs to another person at the provider")
    return replace(account, subject=subject)


def made_password() -> str:
    """Make a password that nobody has to think of: 24 characters, 144 bits."""
    return secrets.token_urlsafe(_MADE_PASSWORD_BYTES)
