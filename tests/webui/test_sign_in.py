"""Signing in and out: sessions, their ends, limits, and what the trail keeps of it."""

from datetime import timedelta

import pytest

from tests.support.events import TEST
from tests.support.web import PASSWORD, Site, sign_in, token
from webui.access import Role
from webui.accounts.account import AccountError
from webui.accounts.forms import local_target
from webui.accounts.service import made_password


class TestSession:
    """A session begins with the right password and ends in many ways."""

    def test_begins_and_leads_to_the_page_that_was_wanted(self, site: Site) -> None:
        browser = site.browser()
        assert browser.get("/activity?q=x").location == "/sign-in?next=/activity?q%3Dx"
        assert sign_in(browser, "Owner") == 303
        assert browser.get("/activity").status_code == 200

    def test_its_cookie_is_closed_to_scripts_and_other_sites(self, site: Site) -> None:
        browser = site.signed_in("owner")
        cookie = browser.get_cookie("audit_session")
        assert cookie is not None
        assert (cookie.http_only, cookie.same_site, cookie.secure) == (True, "Lax", False)

    def test_ends_at_sign_out_also_for_a_copy_of_the_cookie(self, own_site: Site) -> None:
        browser, thief = own_site.signed_in("owner"), own_site.browser()
        cookie = browser.get_cookie("audit_session")
        assert cookie is not None
        answer = browser.post("/sign-out", data={"csrf_token": token(browser, "/activity")})
        assert answer.location == "/sign-in"
        thief.set_cookie("audit_session", cookie.value)
        assert browser.get("/activity").status_code == 303
        assert thief.get("/activity").status_code == 303

    def test_ends_after_half_an_hour_without_a_request(self, own_site: Site) -> None:
        browser = own_site.signed_in("owner")
        for minutes in (29, 58, 87):
            own_site.clock.ahead = timedelta(minutes=minutes)
            assert browser.get("/activity").status_code == 200
        own_site.clock.ahead = timedelta(minutes=118)
        assert browser.get("/activity").status_code == 303

    def test_ends_after_twelve_hours_however_busy(self, own_site: Site) -> None:
        browser = own_site.signed_in("owner")
        statuses = []
        for quarter in range(4 * 12 + 2):
            own_site.clock.ahead = timedelta(minutes=15 * quarter)
            statuses.append(browser.get("/sign-in").status_code == 303)
        assert statuses == [True] * (4 * 12) + [statuses[-2], False]

    def test_ends_everywhere_at_once(self, own_site: Site) -> None:
        here, there = own_site.signed_in("owner"), own_site.signed_in("owner")
        answer = here.post("/account/sign-out-everywhere", data={"csrf_token": token(here, "/account")})
        assert answer.location == "/sign-in"
        for browser in (here, there):
            assert browser.get("/activity").status_code == 303
        assert own_site.trail()[-1]["Message"] == "owner signed out everywhere"

    @pytest.mark.parametrize(
        ("name", "place"), [("owner", "viewer · Test Warehouse"), ("operator", "operator · All tenants")]
    )
    def test_its_page_says_of_whom_it_is(self, site: Site, name: str, place: str) -> None:
        text = site.signed_in(name).get("/account").text
        assert place in text
        assert TEST not in text

    @pytest.mark.parametrize("end", ["disable", "passwd"])
    def test_ends_when_the_account_changes(self, own_site: Site, end: str) -> None:
        browser = own_site.signed_in("owner")
        if end == "disable":
            own_site.accounts.disable("owner")
        else:
            own_site.accounts.set_password("owner", made_password())
        assert browser.get("/activity").status_code == 303
        assert sign_in(own_site.browser(), "owner") == 401

    def test_of_before_is_not_taken_over(self, site: Site) -> None:
        browser = site.browser()
        planted = token(browser)
        assert sign_in(browser, "owner") == 303
        # A token that somebody planted in the browser before is worth nothing after.
        assert browser.post("/sign-out", data={"csrf_token": planted}).status_code == 400


class TestRefusal:
    """What does not belong together."""

    @pytest.mark.parametrize(
        ("name", "password"),
        [
            ("owner", "wrong password"),
            ("nosuch", PASSWORD),
            ("NO SUCH\n\"name'", PASSWORD),
            ("owner", "x" * 1024),
        ],
        ids=["wrong password", "unknown", "impossible name", "long password"],
    )
    def test_says_the_same(self, site: Site, name: str, password: str) -> None:
        browser = site.browser()
        form = {"csrf_token": token(browser), "name": name, "password": password, "next": "/"}
        answer = browser.post("/sign-in", data=form)
        assert answer.status_code == 401
        assert "Name and password do not belong together" in answer.text
        assert browser.get("/activity").status_code == 303

    def test_keeps_the_name_and_not_the_password(self, site: Site) -> None:
        browser = site.browser()
        form = {"csrf_token": token(browser), "name": "owner", "password": "my secret guess", "next": "/"}
        answer = browser.post("/sign-in", data=form)
        assert 'value="owner"' in answer.text
        assert "my secret guess" not in answer.text

    def test_an_empty_field_is_named(self, site: Site) -> None:
        browser = site.browser()
        answer = browser.post("/sign-in", data={"csrf_token": token(browser), "name": "", "password": ""})
        assert answer.status_code == 400
        assert "Enter your name." in answer.text

    def test_guessing_stops_at_ten_for_one_account(self, own_site: Site) -> None:
        browser = own_site.browser()
        statuses = [sign_in(browser, "owner", f"guess number {number}") for number in range(11)]
        assert statuses == [401] * 10 + [429]
        assert own_site.trail()[-1]["StatusCode"] == 429, "what is not even tried is recorded too"
        assert sign_in(browser, "owner") == 429, "also with the right password, or guessing would go on"
        assert sign_in(browser, "auditor") == 303, "others are not shut out with it"

    def test_guessing_stops_at_thirty_for_one_address(self, own_site: Site) -> None:
        browser = own_site.browser()
        statuses = [sign_in(browser, f"name{number}", "guess") for number in range(31)]
        assert statuses == [401] * 30 + [429]

    def test_is_written_to_the_trail(self, own_site: Site) -> None:
        browser = own_site.browser()
        sign_in(browser, "owner", "wrong password")
        sign_in(browser, "owner")
        browser.post("/sign-out", data={"csrf_token": token(browser, "/activity")})
        entries = [(entry["Action"], entry["Outcome"], entry["UserName"]) for entry in own_site.trail()]
        assert entries == [
            ("sign_in_failed", "failure", "owner"),
            ("signed_in", "success", "owner"),
            ("searched", "success", "owner"),
            ("signed_out", "success", "owner"),
        ]
        assert "wrong password" not in own_site.trail_path.read_text("utf-8")


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", "", None],
)
def test_a_sign_in_leads_nowhere_else(target: str | None) -> None:
    assert local_target(target) == "/"


class TestAccounts:
    """Making and changing accounts."""

    @pytest.mark.parametrize(
        ("name", "role", "tenant", "password", "names"),
        [
            ("", Role.VIEWER, TEST, PASSWORD, "NAME"),
            ("a b", Role.VIEWER, TEST, PASSWORD, "NAME"),
            ("owner", Role.VIEWER, TEST, PASSWORD, "exists already"),
            ("new", Role.VIEWER, "*", PASSWORD, "--tenant"),
            ("new", Role.OPERATOR, TEST, PASSWORD, "--tenant"),
            ("new", Role.VIEWER, "-", PASSWORD, "--tenant"),
            ("new", Role.VIEWER, TEST, "short", "the password"),
        ],
        ids=["no name", "space", "taken", "all tenants", "operator of one", "no tenant", "short"],
    )
    def test_what_is_not_acceptable_is_named(
        self, site: Site, name: str, role: Role, tenant: str, password: str, names: str
    ) -> None:
        with pytest.raises(AccountError, match=names):
            site.accounts.add(name, role, tenant, password)

    def test_passwords_are_kept_as_argon2id_alone(self, site: Site) -> None:
        account = site.accounts.get("owner")
        assert account is not None
        assert account.password_hash.startswith("$argon2id$")
        assert PASSWORD not in repr(account.document())

    def test_changing_an_unknown_one_is_refused(self, site: Site) -> None:
        with pytest.raises(AccountError, match="no such account"):
            site.accounts.disable("nosuch")


def test_without_a_provider_there_is_no_button_and_no_route(site: Site) -> None:
    browser = site.browser()
    assert "Sign in with" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/provider").status_code == 404
    assert browser.get("/sign-in/provider/back?code=x&state=y").status_code == 404
