"""What an account is, and what makes a name, a tenant and a password acceptable. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from webui.access import EVERY_TENANT, Identity, Role

MIN_PASSWORD_CHARS: Final = 12
MAX_PASSWORD_CHARS: Final = 1024  # hashing is made to be dear; a megabyte of password must not be
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")
_TENANT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class AccountError(ValueError):
    """An account cannot be made or changed so; the message names the argument, its value and the way out."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. `generation` counts the times that all sessions were ended at once.

    Without a `password_hash`, single sign-on is the only way in.
    """

    name: str
    role: Role
    tenant_id: str
    password_hash: str
    created: datetime
    disabled: bool = False
    generation: int = 0
    signed_out: Mapping[str, datetime] = field(default_factory=dict)
    """Sessions that were ended before their time, with the moment after which they would be over anyway."""
    subject: str = ""
    """Who it is at the provider of single sign-on: issuer and subject, once they have signed in by it."""
    by_rules: bool = False
    """Made by the rules of single sign-on, which also say at each sign-in what it may do."""

    @property
    def identity(self) -> Identity:
        """Who is asking, once signed in."""
        return Identity(self.name, self.name, self.role, self.tenant_id)

    def without_session(self, session_id: str, until: datetime, now: datetime) -> Account:
        """End one session; those that are over by themselves need not be remembered."""
        kept = {each: end for each, end in self.signed_out.items() if end > now}
        return replace(self, signed_out={**kept, session_id: until})

    def document(self) -> dict[str, Any]:
        """Give the account as it is stored."""
        return {
            "name": self.name,
            "role": self.role.word,
            "tenant": self.tenant_id,
            "password_hash": self.password_hash,
            "created": self.created.astimezone(UTC).isoformat(),
            "disabled": self.disabled,
            "generation": self.generation,
            "signed_out": {each: end.isoformat() for each, end in self.signed_out.items()},
            "subject": self.subject,
            "by_rules": self.by_rules,
        }


def from_document(source: Mapping[str, Any]) -> Account:
    """Read an account back."""
    return Account(
        name=source["name"],
        role=Role.named(source["role"]),
        tenant_id=source["tenant"],
        password_hash=source["password_hash"],
        created=datetime.fromisoformat(source["created"]),
        disabled=source["disabled"],
        generation=source["generation"],
        signed_out={each: datetime.fromisoformat(end) for each, end in source["signed_out"].items()},
        # An account of before single sign-on has neither.
        subject=source.get("subject", ""),
        by_rules=source.get("by_rules", False),
    )


def checked_name(name: str) -> str:
    """Give the name as it is kept: lower case."""
    kept = name.strip().lower()
    if not _NAME.fullmatch(kept):
        raise AccountError(
            f"NAME is {name!r}; use 1 to 64 letters, digits and . _ @ + -, "
            "beginning and ending with a letter or digit"
        )
    return kept


def checked_tenant(tenant_id: str, role: Role) -> str:
    """Give the tenant as it is kept: a lower-case GUID, or `*` for an operator."""
    kept = tenant_id.strip().lower()
    if role is Role.OPERATOR:
        if kept != EVERY_TENANT:
            raise AccountError(f"--tenant is {tenant_id!r}; an operator sees all tenants: use --tenant '*'")
        return kept
    if kept == EVERY_TENANT:
        raise AccountError(
            f"--tenant is '*', which only an operator may have, not an account with role {role.word}"
        )
    if not _TENANT.fullmatch(kept):
        raise AccountError(
            f"--tenant is {tenant_id!r}, not a tenant's GUID such as e9006ab8-257f-4021-b60a-cbba785bad46"
        )
    return kept


def checked_password(password: str) -> str:
    """Give the password; too short or too long is refused."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise AccountError(
            f"the password has {len(password)} characters; "
            f"{MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} are wanted"
        )
    return password
