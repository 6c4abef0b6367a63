"""Single sign-on against a real provider in a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.events import NORD, TEST
from tests.support.provider import BACK, RunningProvider, query_of
from tests.support.store import Store
from tests.support.web import PASSWORD, Site, build, sign_in, token
from webui.access import Role

HERE = "http://localhost"
RULES = f"""\
[[rules]]
claim = "groups"
value = "audit-operators"
role = "operator"
tenant = "*"

[[rules]]
claim = "groups"
value = "audit-auditors"
role = "auditor"
tenant = "{TEST}"
"""


@pytest.fixture(scope="module")
def sso_site(
    provider: RunningProvider, module_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("sso")
    rules = folder / "rules.toml"
    rules.write_text(RULES, "utf-8")
    made = build(module_store, folder, change=provider.client(folder, HERE, oidc_rules_file=rules))
    yield made
    made.client.close()


def known(provider: RunningProvider, name: str, **claims: object) -> str:
    """Somebody at the provider, whose address it has verified."""
    provider.know(name, **{"email": f"{name}@test001.example", "email_verified": True, **claims})
    return name


def begun(browser: FlaskClient, target: str = "/account") -> str:
    """Press the button; the address at the provider."""
    answer = browser.get(f"/sign-in/provider?next={target}")
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def come_back(provider: RunningProvider, browser: FlaskClient, sub: str, target: str = "/account") -> str:
    return provider.consent(begun(browser, target), sub)


class TestWithAnAccount:
    """Whoever has an account comes in by its name at the provider."""

    def test_the_button_leads_there_and_back_to_the_page_that_was_wanted(
        self, provider: RunningProvider, sso_site: Site
    ) -> None:
        sso_site.accounts.add("wanda@test001.example", Role.AUDITOR, TEST, None)
        browser = sso_site.browser()
        page = browser.get("/sign-in?next=/exports").text
        assert "Sign in with Example ID" in page
        assert "/sign-in/provider?next=/exports" in page
        answer = browser.get(come_back(provider, browser, known(provider, "wanda"), "/exports"))
        assert (answer.status_code, answer.location) == (303, "/exports")
        assert browser.get("/exports").status_code == 200
        own = browser.get("/account").text
        assert "signed in with Example ID" in own
        assert "/account/password" not in own, "there is none to change"

    def test_it_is_in_the_trail_with_the_provider(self, provider: RunningProvider, sso_site: Site) -> None:
        sso_site.accounts.add("trudy@test001.example", Role.VIEWER, TEST, None)
        browser = sso_site.browser()
        browser.get(come_back(provider, browser, known(provider, "trudy")))
        bound, entry = sso_site.trail()[-2:]
        assert (entry["Action"], entry["UserName"]) == ("signed_in", "trudy@test001.example")
        assert (entry["TenantId"], entry["Provider"]) == (TEST, "Example ID")
        assert bound["Action"] == "configured"
        assert f"bound the account trudy@test001.example to {provider.issuer} trudy" in str(bound["Message"])

    def test_the_password_still_opens_it_and_one_without_opens_by_none(self, sso_site: Site) -> None:
        sso_site.accounts.add("nopass@test001.example", Role.VIEWER, TEST, None)
        assert sign_in(sso_site.browser(), "owner") == 303
        assert sign_in(sso_site.browser(), "nopass@test001.example", "") == 400
        assert sign_in(sso_site.browser(), "nopass@test001.example", PASSWORD) == 401

    def test_signing_out_everywhere_ends_it_too(self, provider: RunningProvider, sso_site: Site) -> None:
        sso_site.accounts.add("ever@test001.example", Role.VIEWER, TEST, None)
        browser, other = sso_site.browser(), sso_site.browser()
        for each in (browser, other):
            each.get(come_back(provider, each, known(provider, "ever")))
        browser.post("/account/sign-out-everywhere", data={"csrf_token": token(browser, "/account")})
        assert other.get("/account").status_code == 303

    def test_signing_out_offers_to_sign_out_at_the_provider(
        self, provider: RunningProvider, sso_site: Site
    ) -> None:
        sso_site.accounts.add("leaver@test001.example", Role.VIEWER, TEST, None)
        browser = sso_site.browser()
        browser.get(come_back(provider, browser, known(provider, "leaver")))
        answer = browser.post("/sign-out", data={"csrf_token": token(browser, "/account")})
        page = browser.get(answer.location).text
        assert f"{provider.issuer}/oauth2/end_session?" in page
        assert browser.get("/account").status_code == 303

    def test_nothing_of_the_session_before_survives(self, provider: RunningProvider, sso_site: Site) -> None:
        sso_site.accounts.add("fresh@test001.example", Role.VIEWER, TEST, None)
        browser = sso_site.browser()
        before = token(browser)
        browser.get(come_back(provider, browser, known(provider, "fresh")))
        assert browser.post("/sign-out", data={"csrf_token": before}).status_code == 400


class TestWhoIsNotAdmitted:
    """A provider's word alone opens nothing."""

    def refused(self, provider: RunningProvider, site: Site, sub: str) -> str:
        browser = site.browser()
        answer = browser.get(come_back(provider, browser, sub))
        assert answer.status_code == 403
        assert browser.get("/account").status_code == 303
        entry = site.trail()[-1]
        assert (entry["Action"], entry["Outcome"], entry["StatusCode"]) == ("sign_in_failed", "failure", 403)
        assert entry["Provider"] == "Example ID"
        return answer.text

    def test_without_an_account(self, provider: RunningProvider, sso_site: Site) -> None:
        page = self.refused(provider, sso_site, known(provider, "nobody"))
        assert "there is no account nobody@test001.example" in page
        assert sso_site.accounts.get("nobody@test001.example") is None

    def test_with_an_address_that_nobody_verified(self, provider: RunningProvider, sso_site: Site) -> None:
        sso_site.accounts.add("liar@test001.example", Role.ADMIN, TEST, None)
        page = self.refused(provider, sso_site, known(provider, "liar", email_verified=False))
        assert "has not verified" in page

    def test_with_no_address(self, provider: RunningProvider, sso_site: Site) -> None:
        page = self.refused(provider, sso_site, known(provider, "mute", email=None))
        assert "does not say your email" in page

    def test_with_a_disabled_account(self, provider: RunningProvider, sso_site: Site) -> None:
        sso_site.accounts.add("gone@test001.example", Role.VIEWER, TEST, None)
        sso_site.accounts.disable("gone@test001.example")
        assert "is disabled" in self.refused(provider, sso_site, known(provider, "gone"))

    def test_by_an_address_that_another_person_had_before(
        self, provider: RunningProvider, sso_site: Site
    ) -> None:
        sso_site.accounts.add("first@test001.example", Role.VIEWER, TEST, None)
        browser = sso_site.browser()
        assert browser.get(come_back(provider, browser, known(provider, "first"))).status_code == 303
        second = known(provider, "second", email="first@test001.example")
        assert "belongs to another person" in self.refused(provider, sso_site, second)
        sso_site.accounts.unbind("first@test001.example")
        assert browser.get("/account").status_code == 303, "unbinding ends the sessions"
        assert browser.get(come_back(provider, browser, second)).status_code == 303


class TestRules:
    """A file of rules gives accounts to whom it names, and to nobody else."""

    def test_make_an_account_at_the_first_sign_in(self, provider: RunningProvider, sso_site: Site) -> None:
        browser = sso_site.browser()
        sub = known(provider, "rita", groups=["staff", "audit-auditors"])
        assert browser.get(come_back(provider, browser, sub)).status_code == 303
        account = sso_site.accounts.get("rita@test001.example")
        assert account is not None
        assert (account.role, account.tenant_id, account.password_hash) == (Role.AUDITOR, TEST, "")
        assert "made the account rita@test001.example (auditor)" in str(sso_site.trail()[-2]["Message"])

    def test_say_at_each_sign_in_what_it_may_do(self, provider: RunningProvider, sso_site: Site) -> None:
        browser, other = sso_site.browser(), sso_site.browser()
        sub = known(provider, "riser", groups="audit-auditors")
        browser.get(come_back(provider, browser, sub))
        known(provider, "riser", groups=["audit-operators"])
        assert other.get(come_back(provider, other, sub)).status_code == 303
        account = sso_site.accounts.get("riser@test001.example")
        assert account is not None
        assert (account.role, account.tenant_id) == (Role.OPERATOR, "*")
        assert browser.get("/account").status_code == 303, "another role ends the sessions of the old one"
        known(provider, "riser", groups=[])
        assert other.get(come_back(provider, sso_site.browser(), sub)).status_code == 401
        third = sso_site.browser()
        assert "no rule admits" in third.get(come_back(provider, third, sub)).text

    def test_leave_accounts_alone_that_a_person_made(self, provider: RunningProvider, sso_site: Site) -> None:
        sso_site.accounts.add("hand@test001.example", Role.VIEWER, NORD, None)
        browser = sso_site.browser()
        sub = known(provider, "hand", groups=["audit-operators"])
        assert browser.get(come_back(provider, browser, sub)).status_code == 303
        account = sso_site.accounts.get("hand@test001.example")
        assert account is not None
        assert (account.role, account.tenant_id) == (Role.VIEWER, NORD)


class TestTheWayBack:
    """An answer counts for the browser that asked, once, and as long as it is fresh."""

    @pytest.fixture
    def sub(self, provider: RunningProvider, sso_site: Site) -> str:
        if sso_site.accounts.get("back@test001.example") is None:
            sso_site.accounts.add("back@test001.example", Role.VIEWER, TEST, None)
        return known(provider, "back")

    def refused(self, site: Site, browser: FlaskClient, address: str, why: str) -> None:
        answer = browser.get(address)
        assert answer.status_code == 401
        assert "was not completed" in answer.text
        assert browser.get("/account").status_code == 303
        entry = site.trail()[-1]
        assert (entry["Action"], entry["StatusCode"]) == ("sign_in_failed", 401)
        assert why in str(entry["Message"])

    def test_in_another_browser_it_is_refused(
        self, provider: RunningProvider, sso_site: Site, sub: str
    ) -> None:
        back = come_back(provider, sso_site.browser(), sub)
        self.refused(sso_site, sso_site.browser(), back, "has begun no such sign-in")

    def test_with_another_state_it_is_refused(
        self, provider: RunningProvider, sso_site: Site, sub: str
    ) -> None:
        browser = sso_site.browser()
        code = query_of(come_back(provider, browser, sub))["code"]
        self.refused(sso_site, browser, f"{BACK}?code={code}&state=guessed", "has begun no such sign-in")

    def test_a_second_time_it_is_refused(self, provider: RunningProvider, sso_site: Site, sub: str) -> None:
        browser = sso_site.browser()
        back = come_back(provider, browser, sub)
        assert browser.get(back).status_code == 303
        browser.post("/sign-out", data={"csrf_token": token(browser, "/account")})
        self.refused(sso_site, browser, back, "has begun no such sign-in")

    def test_with_a_code_of_another_attempt_it_is_refused(
        self, provider: RunningProvider, sso_site: Site, sub: str
    ) -> None:
        """The identity token then carries the nonce of that attempt."""
        stolen = query_of(come_back(provider, sso_site.browser(), sub))["code"]
        browser = sso_site.browser()
        state = query_of(begun(browser))["state"]
        self.refused(sso_site, browser, f"{BACK}?code={stolen}&state={state}", "nonce")

    def test_with_a_code_that_the_provider_never_gave_it_is_refused(self, sso_site: Site) -> None:
        browser = sso_site.browser()
        state = query_of(begun(browser))["state"]
        self.refused(sso_site, browser, f"{BACK}?code=made-up&state={state}", "refused the code")

    def test_when_the_person_says_no_it_is_refused(self, sso_site: Site) -> None:
        browser = sso_site.browser()
        state = query_of(begun(browser))["state"]
        self.refused(sso_site, browser, f"{BACK}?error=access_denied&state={state}", "access_denied")

    def test_from_another_provider_it_is_refused(
        self, provider: RunningProvider, sso_site: Site, sub: str
    ) -> None:
        browser = sso_site.browser()
        back = come_back(provider, browser, sub)
        self.refused(sso_site, browser, f"{back}&iss=https://evil.example", "answered instead")

    def test_it_leads_to_no_other_site(self, provider: RunningProvider, sso_site: Site, sub: str) -> None:
        browser = sso_site.browser()
        answer = browser.get(come_back(provider, browser, sub, "https://evil.example"))
        assert (answer.status_code, answer.location) == (303, "/")

    def test_what_leaves_carries_no_secret_and_binds_the_code(self, sso_site: Site) -> None:
        asked = query_of(begun(sso_site.browser()))
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        assert asked["redirect_uri"] == f"{HERE}{BACK}"
        assert {"state", "nonce", "code_challenge"} <= set(asked)
        assert "code_verifier" not in asked


def test_guessing_at_the_way_back_stops_at_thirty_for_an_address(
    provider: RunningProvider, store: Store, tmp_path: Path
) -> None:
    site = build(store, tmp_path, change=provider.client(tmp_path, HERE))
    browser = site.browser()
    statuses = [browser.get(f"{BACK}?code=x&state={number}").status_code for number in range(31)]
    assert statuses == [401] * 30 + [429]
    assert site.trail()[-1]["StatusCode"] == 429
    site.client.close()
