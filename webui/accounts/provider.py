"""Asks an OpenID Connect provider who somebody is: authorization code, PKCE, state and nonce, by authlib.

What a provider says is believed when its signature is right by the keys it publishes, for one of the
algorithms that need no shared secret, and issuer, audience, nonce and time are the ones of this attempt.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from webui.settings import is_safe

ASK_SECS: Final = 10.0
DISCOVERED_SECS: Final = 3600.0
# Clocks of two machines differ.
LEEWAY_SECS: Final = 60
_ALGORITHMS: Final = frozenset("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA".split())

Claims = Mapping[str, Any]


class ProviderError(Exception):
    """A provider's word cannot be taken; the message says why, for the log and the trail."""


class ProviderAwayError(ProviderError):
    """The provider did not answer as one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in, as the browser's own cookie keeps it meanwhile."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a provider says about itself."""

    endpoints: Mapping[str, str]
    """By the names of OpenID Connect Discovery; empty text where an optional one is missing."""
    authentication: str
    algorithms: tuple[str, ...]
    at_secs: float


class Provider:
    """One provider, at which this installation is the client `client_id`. Nothing is asked before `begin`."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, scopes: str) -> None:
        self.issuer: Final = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._lock = threading.Lock()
        self._discovered: Discovered | None = None
        self._keys: KeySet | None = None

    def begin(self, redirect_uri: str, *, afresh: bool = False) -> tuple[str, Attempt]:
        """Give the address to send the browser to, and what must be known when it comes back.

        `afresh`: the person is to show who they are, also where the provider knows them already.
        """
        wanted = {"prompt": "login", "max_age": "0"} if afresh else {}
        nonce, verifier = generate_token(32), generate_token(64)
        with self._session(redirect_uri) as session:
            address, state = session.create_authorization_url(
                self.discovered().endpoints["authorization_endpoint"],
                state=generate_token(32),
                nonce=nonce,
                code_verifier=verifier,
                response_type="code",
                **wanted,
            )
        return address, Attempt(state, nonce, verifier, redirect_uri)

    def finish(self, attempt: Attempt, code: str) -> Claims:
        """Give what the provider says of the person whom it sent back with this code."""
        token = self.token(attempt, code)
        return self.with_userinfo(token, self.claims(token, attempt.nonce))

    def finish_afresh(self, attempt: Attempt, code: str, since_secs: float) -> Claims:
        """Give what it signed of them, when that says that they showed who they are after this moment.

        `since_secs` counts from the epoch. ProviderError also when the provider does not say it.
        """
        claims = self.claims(self.token(attempt, code), attempt.nonce)
        shown = claims.get("auth_time")
        if isinstance(shown, bool) or not isinstance(shown, int | float):
            raise ProviderError(f"{self.issuer} does not say when you showed who you are (auth_time)")
        if shown < since_secs - LEEWAY_SECS:
            raise ProviderError(f"{self.issuer} did not ask you who you are: it knew you from before")
        return claims

    def token(self, attempt: Attempt, code: str) -> Mapping[str, Any]:
        """Trade a code for tokens."""
        try:
            with self._session(attempt.redirect_uri) as session:
                found: Mapping[str, Any] = session.fetch_token(
                    self.discovered().endpoints["token_endpoint"], code=code, code_verifier=attempt.verifier
                )
        except requests.RequestException as error:
            raise ProviderAwayError(f"{self.issuer} did not trade the code: {error}") from error
        except (OAuthError, ValueError) as error:
            raise ProviderError(f"{self.issuer} refused the code: {error}") from error
        return found

    def claims(self, token: Mapping[str, Any], nonce: str) -> Claims:
        """Give the claims of the identity token, once all of them have been found right."""
        written = token.get("id_token")
        if not isinstance(written, str):
            raise ProviderError(f"{self.issuer} sent no identity token; is `openid` among the scopes?")
        options: Any = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
            "nonce": {"essential": True, "value": nonce},
        }
        known = {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        try:
            decoded = self._decoded(written)
            claims = CodeIDToken(decoded.claims, decoded.header, options, known)
            claims.validate(leeway=LEEWAY_SECS)
        except (JoseError, ValueError) as error:
            raise ProviderError(f"the identity token of {self.issuer} is not right: {error}") from error
        return claims

    def with_userinfo(self, token: Mapping[str, Any], claims: Claims) -> Claims:
        """Add what the provider tells by its userinfo endpoint alone; what was signed goes before it."""
        address = self.discovered().endpoints["userinfo_endpoint"]
        if not address:
            return claims
        bearer = {"Authorization": f"Bearer {token.get('access_token', '')}"}
        found = self._json(address, bearer)
        if found.get("sub") != claims["sub"]:
            raise ProviderError(f"{self.issuer} told about another person than the one who signed in")
        return {**found, **claims}

    def sign_out_address(self, back: str) -> str:
        """Where a person ends the session at the provider, too; empty where it has no such page."""
        address = self.discovered().endpoints["end_session_endpoint"]
        if not address:
            return ""
        query = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": back})
        return f"{address}{'&' if '?' in address else '?'}{query}"

    def discovered(self) -> Discovered:
        """Give what the provider says about itself, at most an hour old."""
        with self._lock:
            known = self._discovered
            if known is None or time.monotonic() - known.at_secs > DISCOVERED_SECS:
                known = self._discovered = self._discover()
                self._keys = None
            return known

    def _discover(self) -> Discovered:
        found = self._json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration", {})
        if found.get("issuer") != self.issuer:
            raise ProviderAwayError(
                f"AUDIT_WEBUI_OIDC_ISSUER is {self.issuer}, but the provider there calls itself "
                f"{found.get('issuer')!r}; the two must be the same, to the last slash"
            )
        ends = {name: str(found.get(name) or "") for name in _ENDPOINTS}
        for name, address in ends.items():
            if not (is_safe(address) if address else name in _OPTIONAL):
                raise ProviderAwayError(f"{self.issuer} names {address!r} as its {name}, which is not https")
        offered = found.get("id_token_signing_alg_values_supported") or ["RS256"]
        ways = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Discovered(
            endpoints=ends,
            authentication="client_secret_basic" if "client_secret_basic" in ways else "client_secret_post",
            algorithms=tuple(sorted(_ALGORITHMS.intersection(offered))),
            at_secs=time.monotonic(),
        )

    def _decoded(self, written: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=list(self.discovered().algorithms), strict_check_header=False)
        try:
            return jwt.decode(written, key=self._key_set(), registry=registry)
        except InvalidKeyIdError:
            # It has new keys since we asked.
            self._keys = None
            return jwt.decode(written, key=self._key_set(), registry=registry)

    def _key_set(self) -> KeySet:
        if self._keys is None:
            address = self.discovered().endpoints["jwks_uri"]
            found: Any = self._json(address, {})
            if not isinstance(found.get("keys"), list):
                raise ProviderAwayError(f"{address} answered without a list of keys")
            self._keys = KeySet.import_key_set(found)
        return self._keys

    def _json(self, address: str, headers: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer = requests.get(address, headers=dict(headers), timeout=ASK_SECS, allow_redirects=False)
            answer.raise_for_status()
            found = answer.json()
        except requests.RequestException as error:
            raise ProviderAwayError(f"{address} did not answer: {error}") from error
        if not isinstance(found, dict):
            raise ProviderAwayError(f"{address} answered with {answer.text[:80]!r}, which is no JSON object")
        return found

    def _session(self, redirect_uri: str) -> OAuth2Session:
        return OAuth2Session(
            self._client_id,
            self._client_secret,
            token_endpoint_auth_method=self.discovered().authentication,
            scope=self._scopes,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=ASK_SECS,
        )


_ENDPOINTS: Final = (
    *("authorization_endpoint", "token_endpoint", "jwks_uri"),
    *("userinfo_endpoint", "end_session_endpoint"),
)
_OPTIONAL: Final = frozenset({"userinfo_endpoint", "end_session_endpoint"})
