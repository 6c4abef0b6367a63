"""Whom a provider's word admits, and as what: claims in, a name and a grant out. Pure, but for one file.

Deny is the default: an account that exists already, or a rule that fits.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from indexer.errors import SettingsError
from webui.access import Role
from webui.accounts import account as accounts
from webui.accounts.account import AccountError

_SETTING: Final = "AUDIT_WEBUI_OIDC_RULES_FILE"
_PARTS: Final = ("claim", "value", "role", "tenant")

Claims = Mapping[str, Any]


class NotAdmittedError(Exception):
    """Somebody is who they say, and still does not come in; the message tells them and the trail why."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account may do, and whose events it sees."""

    role: Role
    tenant_id: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Whoever has this value in this claim is granted that."""

    claim: str
    value: str
    grant: Grant

    def fits(self, claims: Claims) -> bool:
        """Say whether the claim is the value, or a list that holds it."""
        found = claim_of(claims, self.claim)
        return self.value in found if isinstance(found, list) else found == self.value


@dataclass(frozen=True, slots=True)
class Rules:
    """Who gets an account at the first sign-in; without rules, nobody."""

    rules: tuple[Rule, ...] = ()

    def grant(self, claims: Claims) -> Grant | None:
        """Give what the first rule that fits grants."""
        return next((rule.grant for rule in self.rules if rule.fits(claims)), None)


def claim_of(claims: Claims, name: str) -> Any:  # noqa: ANN401  whatever JSON a provider puts there
    """Give a claim by its name, or by its way through nested ones (`realm_access.roles`); None without."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def account_name(claims: Claims, claim: str) -> str:
    """Give the name of the account that claims are about; NotAdmittedError when they do not say it surely."""
    found = claim_of(claims, claim)
    if not isinstance(found, str) or not found:
        raise NotAdmittedError(f"the provider does not say your {claim}")
    # Whoever may enter any address into their profile must not become the one who has it.
    if claim == "email" and claims.get("email_verified") is not True:
        raise NotAdmittedError(f"the provider has not verified that {found} is yours")
    try:
        return accounts.checked_name(found)
    except AccountError:
        raise NotAdmittedError(f"{found[:64]!r} cannot be the name of an account") from None


def read_rules(path: Path | None) -> Rules:
    """Read the file of rules; SettingsError names the rule and what is wrong with it."""
    if path is None:
        return Rules()
    try:
        found = tomllib.loads(path.expanduser().read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{_SETTING} is {path}, which cannot be read: {error}") from error
    listed = found.get("rules")
    if set(found) != {"rules"} or not isinstance(listed, list) or not listed:
        raise SettingsError(f"{_SETTING} is {path}, which holds no [[rules]], or something besides")
    return Rules(tuple(_rule(each, f"{_SETTING} is {path}, rule {at}") for at, each in enumerate(listed, 1)))


def _rule(found: Any, where: str) -> Rule:  # noqa: ANN401  whatever TOML lies there
    if not isinstance(found, dict) or set(found) != set(_PARTS):
        raise SettingsError(f"{where}: a rule has exactly {', '.join(_PARTS)}")
    claim, value, word, tenant = (found[name] for name in _PARTS)
    if not all(isinstance(part, str) and part for part in (claim, value, word, tenant)):
        raise SettingsError(f"{where}: {', '.join(_PARTS)} are texts, and none is empty")
    try:
        role = Role.named(word)
        return Rule(claim, value, Grant(role, accounts.checked_tenant(tenant, role)))
    except ValueError as error:
        raise SettingsError(f"{where}: {str(error).replace('--tenant', 'tenant')}") from None
