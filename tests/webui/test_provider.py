"""What is believed of a provider's word, and what is not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.fake_provider import CLIENT, SECRET, FakeProvider, lying_provider
from tests.support.provider import query_of, running_provider
from webui.accounts.provider import LEEWAY_SECS, Attempt, Provider, ProviderAwayError, ProviderError
from webui.settings import WebSettings

BACK = "http://localhost/sign-in/provider/back"


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with lying_provider() as found:
        yield found


@pytest.fixture
def provider(fake: FakeProvider) -> Provider:
    return Provider(fake.issuer, CLIENT, SECRET, "openid email")


def begun(fake: FakeProvider, provider: Provider) -> Attempt:
    """Begin, and let the provider remember what a real one does: challenge and nonce."""
    address, attempt = provider.begin(BACK)
    fake.challenge = query_of(address)["code_challenge"]
    fake.claims = {"nonce": query_of(address)["nonce"], **fake.claims}
    return attempt


def finished(fake: FakeProvider, provider: Provider) -> object:
    return provider.finish(begun(fake, provider), "code")


class TestTheIdentityToken:
    """Is believed when all of it is right."""

    def test_that_is_right_is_believed(self, fake: FakeProvider, provider: Provider) -> None:
        fake.claims = {"email": "a@b.example"}
        claims = provider.finish(begun(fake, provider), "code")
        assert (claims["sub"], claims["email"]) == ("1", "a@b.example")

    @pytest.mark.parametrize(
        ("claims", "why"),
        [
            ({"iss": "https://evil.example"}, "iss"),
            ({"aud": "another-client"}, "aud"),
            ({"aud": [CLIENT, "another"], "azp": "another"}, "azp"),
            ({"nonce": "of another attempt"}, "nonce"),
            ({"nonce": None}, "nonce"),
            ({"exp": 1_000_000_000}, "expired"),
            ({"iat": 4_000_000_000}, "issued in the future"),
            ({"at_hash": "bm90IHRoZSBoYXNo"}, "at_hash"),
        ],
        ids=["issuer", "audience", "party", "nonce", "no nonce", "expired", "of the future", "token's hash"],
    )
    def test_that_is_not_for_this_attempt_is_not(
        self, fake: FakeProvider, provider: Provider, claims: dict[str, object], why: str
    ) -> None:
        fake.claims = claims
        with pytest.raises(ProviderError, match=why):
            finished(fake, provider)

    @pytest.mark.parametrize("algorithm", ["none", "HS256"])
    def test_that_anybody_could_have_signed_is_not_though_the_provider_offers_it(
        self, fake: FakeProvider, provider: Provider, algorithm: str
    ) -> None:
        fake.algorithm = algorithm
        with pytest.raises(ProviderError, match="is not right"):
            finished(fake, provider)

    def test_that_was_altered_is_not(self, fake: FakeProvider, provider: Provider) -> None:
        fake.claims = {"nonce": "n"}
        head, _, signature = fake.token().split(".")
        fake.claims = {"nonce": "n", "sub": "2"}
        body = fake.token().split(".")[1]
        with pytest.raises(ProviderError, match="is not right"):
            provider.claims({"id_token": f"{head}.{body}.{signature}", "access_token": "x"}, "n")

    def test_signed_by_a_key_that_is_new_since_we_asked_is_believed(
        self, fake: FakeProvider, provider: Provider
    ) -> None:
        finished(fake, provider)
        fake.claims = {}
        fake.rotate()
        finished(fake, provider)

    @pytest.mark.parametrize("keys", [{}, {"keys": None}, {"keys": "none"}, {"keys": []}, {"keys": [{}]}])
    def test_is_not_believed_while_the_provider_publishes_no_keys(
        self, fake: FakeProvider, provider: Provider, monkeypatch: pytest.MonkeyPatch, keys: dict[str, object]
    ) -> None:
        answer = fake.answer
        monkeypatch.setattr(
            fake, "answer", lambda path, form: (200, keys) if path == "/keys" else answer(path, form)
        )
        with pytest.raises(ProviderError):
            finished(fake, provider)

    def test_that_is_missing_is_said(self, provider: Provider) -> None:
        with pytest.raises(ProviderError, match="sent no identity token"):
            provider.claims({"access_token": "x"}, "n")


def test_a_code_is_of_use_only_to_whoever_began(fake: FakeProvider, provider: Provider) -> None:
    begun(fake, provider)
    thief = Attempt("s", "n", "not the verifier", BACK)
    with pytest.raises(ProviderError, match="refused the code"):
        provider.finish(thief, "code")


class TestAfresh:
    """Whoever is to show once more who they are has done so just now, by the provider's signed word."""

    def finished(self, fake: FakeProvider, provider: Provider, **claims: object) -> object:
        fake.claims = claims
        address, attempt = provider.begin(BACK, afresh=True)
        asked = query_of(address)
        assert (asked["prompt"], asked["max_age"]) == ("login", "0")
        fake.challenge = asked["code_challenge"]
        fake.claims["nonce"] = asked["nonce"]
        return provider.finish_afresh(attempt, "code", 1_000_000.0)

    @pytest.mark.parametrize("shown", [1_000_000, 1_000_000 - LEEWAY_SECS, 2_000_000.5])
    def test_is_believed_when_it_is_after_the_question(
        self, fake: FakeProvider, provider: Provider, shown: float
    ) -> None:
        assert self.finished(fake, provider, auth_time=shown)

    @pytest.mark.parametrize("shown", [1_000_000 - LEEWAY_SECS - 1, 0, -1])
    def test_is_not_when_it_was_before(self, fake: FakeProvider, provider: Provider, shown: float) -> None:
        with pytest.raises(ProviderError, match="knew you from before"):
            self.finished(fake, provider, auth_time=shown)

    @pytest.mark.parametrize("claims", [{}, {"auth_time": True}, {"auth_time": "1000000"}])
    def test_is_not_when_the_provider_does_not_say_when(
        self, fake: FakeProvider, provider: Provider, claims: dict[str, object]
    ) -> None:
        with pytest.raises(ProviderError, match="auth_time"):
            self.finished(fake, provider, **claims)

    def test_is_not_by_what_the_provider_tells_beside_its_signature(
        self, fake: FakeProvider, provider: Provider
    ) -> None:
        fake.metadata["userinfo_endpoint"] = f"{fake.issuer}/userinfo"
        fake.userinfo = {"sub": "1", "auth_time": 2_000_000}
        with pytest.raises(ProviderError, match="auth_time"):
            self.finished(fake, provider)

    def test_a_usual_sign_in_asks_for_none_of_it(self, provider: Provider) -> None:
        assert not {"prompt", "max_age"} & set(query_of(provider.begin(BACK)[0]))


class TestUserinfo:
    """Adds what the identity token does not say, for the same person alone."""

    @pytest.fixture(autouse=True)
    def with_userinfo(self, fake: FakeProvider) -> None:
        fake.metadata["userinfo_endpoint"] = f"{fake.issuer}/userinfo"

    def test_what_was_signed_goes_before_it(self, fake: FakeProvider, provider: Provider) -> None:
        fake.claims = {"email": "signed@b.example"}
        fake.userinfo = {"sub": "1", "email": "told@b.example", "groups": ["g"]}
        claims = provider.finish(begun(fake, provider), "code")
        assert (claims["email"], claims["groups"]) == ("signed@b.example", ["g"])

    def test_of_another_person_is_refused(self, fake: FakeProvider, provider: Provider) -> None:
        fake.userinfo = {"sub": "2"}
        with pytest.raises(ProviderError, match="another person"):
            finished(fake, provider)


class TestWhatItSaysAboutItself:
    """Is checked before anything is sent there."""

    @pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
    def test_an_address_that_is_not_https_is_refused(
        self, fake: FakeProvider, provider: Provider, name: str
    ) -> None:
        fake.metadata[name] = "http://198.51.100.7/x"
        with pytest.raises(ProviderAwayError, match=f"{name}, which is not https"):
            provider.begin(BACK)

    def test_another_name_than_the_setting_is_refused(self, fake: FakeProvider, provider: Provider) -> None:
        fake.metadata["issuer"] = f"{fake.issuer}/"
        with pytest.raises(ProviderAwayError, match="to the last slash"):
            provider.begin(BACK)

    def test_a_client_that_may_not_use_the_header_sends_its_secret_in_the_form(
        self, fake: FakeProvider, provider: Provider
    ) -> None:
        fake.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
        finished(fake, provider)
        assert fake.forms[-1]["client_secret"] == SECRET

    def test_a_provider_that_is_away_is_said(self) -> None:
        with pytest.raises(ProviderAwayError, match="did not answer"):
            Provider("http://127.0.0.1:9", CLIENT, SECRET, "openid").begin(BACK)


class TestTheRealOne:
    """The same of a provider that does not lie."""

    def of(self, change: Callable[[WebSettings], WebSettings]) -> Provider:
        made = change(WebSettings())
        assert made.oidc_client_secret_file is not None
        secret = made.oidc_client_secret_file.read_text("utf-8").strip()
        return Provider(made.oidc_issuer, made.oidc_client_id, secret, made.oidc_scopes)

    def test_a_token_for_another_client_is_refused(self, tmp_path: Path) -> None:
        with running_provider() as real:
            one, other = (self.of(real.client(tmp_path, "http://localhost")) for _ in range(2))
            address, attempt = one.begin(BACK)
            code = query_of(real.consent(address, "somebody"))["code"]
            token = one.token(attempt, code)
            assert one.claims(token, attempt.nonce)["sub"] == "somebody"
            with pytest.raises(ProviderError, match="aud"):
                other.claims(token, attempt.nonce)

    def test_a_token_that_has_expired_is_refused(self, tmp_path: Path) -> None:
        with running_provider("--token-max-age", "-600") as real:
            provider = self.of(real.client(tmp_path, "http://localhost"))
            address, attempt = provider.begin(BACK)
            code = query_of(real.consent(address, "somebody"))["code"]
            with pytest.raises(ProviderError, match="expired"):
                provider.finish(attempt, code)
