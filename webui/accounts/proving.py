"""How accounts show once more that it is them: by a password, or by a sign-in with the provider just now."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from webui.accounts import entrance
from webui.accounts.service import Accounts
from webui.accounts.single_sign_on import SingleSignOn
from webui.proving import UnprovenError, Way


@dataclass(frozen=True, slots=True)
class Proving:
    """Of the accounts of an installation. Only within a request: a sign-in afresh is the browser's own."""

    accounts: Accounts
    sso: SingleSignOn | None

    def way(self, account: str, back: str) -> Way:
        """Give the way of an account: the provider where that is all it has, else the password."""
        found = self.accounts.get(account)
        if self.sso is None or found is None or found.password_hash or not found.subject:
            return Way()
        address = url_for("accounts_provider.again", next=back)
        return Way(self.sso.name, address, entrance.fresh_until(self.accounts.now))

    def prove(self, account: str, password: str) -> str:
        """Say by what an account has shown that it is them; UnprovenError says what is missing."""
        way = self.way(account, "/")
        if way.provider:
            if way.until is None:
                raise UnprovenError(f"Nothing was signed. Sign in with {way.provider} once more first.")
            entrance.use_fresh()
            return f"sign-in with {way.provider}"
        if not self.accounts.confirms(account, password):
            raise UnprovenError("That is not your password. Nothing was signed.")
        return "password"
