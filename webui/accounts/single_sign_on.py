"""Single sign-on: a provider's word, and the account that it opens."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.errors import SettingsError
from webui.accounts.admission import Rules, account_name, read_rules
from webui.accounts.provider import Attempt, Claims, Provider, ProviderError
from webui.accounts.service import Accounts, Admitted
from webui.settings import WebSettings


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """The provider of an installation, and whom its word admits."""

    name: str
    """How people call it: the words on the button."""
    provider: Provider
    account_claim: str
    rules: Rules

    def finish(self, attempt: Attempt, code: str) -> Claims:
        """Give what the provider says of the person whom it sent back; ProviderError when it cannot be."""
        return self.provider.finish(attempt, code)

    def finish_again(self, attempt: Attempt, code: str, since_secs: float, subject: str) -> None:
        """Return when the same person showed who they are, after this moment; ProviderError when not."""
        claims = self.provider.finish_afresh(attempt, code, since_secs)
        if self.subject(claims) != subject:
            raise ProviderError("it was somebody else who signed in there")

    def subject(self, claims: Claims) -> str:
        """Say who it is, for ever: issuer and subject."""
        return f"{self.provider.issuer} {claims['sub']}"

    def admit(self, accounts: Accounts, claims: Claims) -> Admitted:
        """Begin a session of the account that claims are about; NotAdmittedError says why there is none."""
        name = account_name(claims, self.account_claim)
        return accounts.admit(name, self.subject(claims), self.rules.grant(claims))

    def called(self, claims: Claims) -> str:
        """Give the name that somebody came with, for the trail."""
        return str(claims.get(self.account_claim) or claims.get("sub") or "")[:64]


def make_single_sign_on(settings: WebSettings) -> SingleSignOn | None:
    """Make it from settings; None without an issuer. Reads the files, and asks the provider nothing yet."""
    file = settings.oidc_client_secret_file
    if not settings.oidc_issuer or file is None:
        return None
    named = f"AUDIT_WEBUI_OIDC_CLIENT_SECRET_FILE is {file}"
    try:
        secret = file.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{named}, which cannot be read: {error}") from error
    if not secret:
        raise SettingsError(f"{named}, which is empty; write the client's secret into it")
    return SingleSignOn(
        name=settings.oidc_name,
        provider=Provider(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_scopes),
        account_claim=settings.oidc_account_claim,
        rules=read_rules(settings.oidc_rules_file),
    )
