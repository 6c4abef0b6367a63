"""Whom a provider's word admits: names, rules, and the file that holds them."""

from pathlib import Path
from typing import Any

import pytest

from indexer import settings as indexer_settings
from indexer.errors import SettingsError
from tests.support.events import TEST
from webui.access import Role
from webui.accounts.admission import Grant, NotAdmittedError, Rule, Rules, account_name, claim_of, read_rules
from webui.accounts.single_sign_on import make_single_sign_on
from webui.settings import WebSettings

AUDITOR = Grant(Role.AUDITOR, TEST)
SOMEBODY = {"sub": "7", "email": "Anna@Test001.example", "email_verified": True}


class TestTheName:
    def test_is_the_claim_in_lower_case(self) -> None:
        assert account_name(SOMEBODY, "email") == "anna@test001.example"
        assert account_name({"preferred_username": "Anna"}, "preferred_username") == "anna"

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"email_verified": False}, "has not verified"),
            ({"email_verified": "true"}, "has not verified"),
            ({"email": ""}, "does not say your email"),
            ({"email": ["a", "b"]}, "does not say your email"),
            ({"email": "a b@c.example"}, "cannot be the name"),
        ],
        ids=["not verified", "verified in words", "empty", "several", "no name"],
    )
    def test_that_is_not_sure_admits_nobody(self, changed: dict[str, Any], why: str) -> None:
        with pytest.raises(NotAdmittedError, match=why):
            account_name({**SOMEBODY, **changed}, "email")


class TestRules:
    def test_without_any_nobody_gets_an_account(self) -> None:
        assert Rules().grant({"groups": ["everything"]}) is None

    def test_the_first_that_fits_decides(self) -> None:
        rules = Rules((Rule("groups", "a", AUDITOR), Rule("groups", "b", Grant(Role.VIEWER, TEST))))
        assert rules.grant({"groups": ["b", "a"]}) == AUDITOR
        assert rules.grant({"groups": ["c"]}) is None

    @pytest.mark.parametrize(
        ("claims", "name", "found"),
        [
            ({"groups": ["a"]}, "groups", ["a"]),
            ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
            ({"https://id.example/roles": "a"}, "https://id.example/roles", "a"),
            ({"realm_access": "text"}, "realm_access.roles", None),
            ({}, "groups", None),
        ],
        ids=["list", "nested", "namespaced", "not nested", "missing"],
    )
    def test_find_their_claim(self, claims: dict[str, Any], name: str, found: object) -> None:
        assert claim_of(claims, name) == found

    def test_a_value_that_only_contains_the_wanted_one_does_not_fit(self) -> None:
        assert not Rule("groups", "audit", AUDITOR).fits({"groups": "audit-viewers"})


class TestTheFile:
    def test_is_read_in_order(self, tmp_path: Path) -> None:
        path = tmp_path / "rules.toml"
        path.write_text(
            f'[[rules]]\nclaim="g"\nvalue="v"\nrole="auditor"\ntenant="{TEST.upper()}"\n', "utf-8"
        )
        assert read_rules(path) == Rules((Rule("g", "v", AUDITOR),))

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "no .*rules"),
            ("rules = 3", "no .*rules"),
            ("[[rules]]\nclaim='g'\nvalue='v'\nrole='auditor'", "rule 1: a rule has exactly"),
            ("[[rules]]\nclaim='g'\nvalue=''\nrole='auditor'\ntenant='*'", "none is empty"),
            ("[[rules]]\nclaim='g'\nvalue='v'\nrole='owner'\ntenant='*'", "rule 1: role 'owner' is none of"),
            ("[[rules]]\nclaim='g'\nvalue='v'\nrole='auditor'\ntenant='*'", r"rule 1: tenant is '\*'"),
            ("[[rules]", "cannot be read"),
        ],
        ids=["empty", "no table", "part missing", "empty value", "no role", "all tenants", "no toml"],
    )
    def test_says_what_is_wrong_with_it(self, tmp_path: Path, text: str, why: str) -> None:
        path = tmp_path / "rules.toml"
        path.write_text(text, "utf-8")
        with pytest.raises(SettingsError, match=f"AUDIT_WEBUI_OIDC_RULES_FILE is .*{why}"):
            read_rules(path)


class TestSettings:
    @pytest.fixture(autouse=True)
    def with_a_client(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("s\n", "utf-8")
        monkeypatch.setenv("AUDIT_WEBUI_OIDC_ISSUER", "https://id.example")
        monkeypatch.setenv("AUDIT_WEBUI_OIDC_CLIENT_ID", "audit")
        monkeypatch.setenv("AUDIT_WEBUI_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))

    def test_make_single_sign_on_and_ask_the_provider_nothing_yet(self) -> None:
        made = make_single_sign_on(indexer_settings.load(WebSettings))
        assert made is not None
        assert made.provider.issuer == "https://id.example"

    @pytest.mark.parametrize(
        ("name", "value", "why"),
        [
            ("ISSUER", "http://id.example", "use https"),
            ("ISSUER", "https://id.example?x=1", "leave out what follows"),
            ("CLIENT_ID", "", "must name the client"),
            ("CLIENT_SECRET_FILE", "", "must name the client"),
            ("SCOPES", "email", "`openid` must be"),
        ],
    )
    def test_that_do_not_do_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
    ) -> None:
        monkeypatch.setenv(f"AUDIT_WEBUI_OIDC_{name}", value)
        with pytest.raises(SettingsError, match=why):
            indexer_settings.load(WebSettings)

    def test_rules_without_a_provider_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AUDIT_WEBUI_OIDC_ISSUER")
        monkeypatch.setenv("AUDIT_WEBUI_OIDC_RULES_FILE", "rules.toml")
        with pytest.raises(SettingsError, match="there is no AUDIT_WEBUI_OIDC_ISSUER"):
            indexer_settings.load(WebSettings)

    @pytest.mark.parametrize("content", [None, b"", b"\xff"], ids=["missing", "empty", "no text"])
    def test_a_secret_that_cannot_be_read_is_named(self, tmp_path: Path, content: bytes | None) -> None:
        file = tmp_path / "secret"
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(SettingsError, match="AUDIT_WEBUI_OIDC_CLIENT_SECRET_FILE is"):
            make_single_sign_on(indexer_settings.load(WebSettings))
