"""Names of secrets in any spelling, and what a name beside a value tells of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.agent.normalise.feeding import Event, Feeding, change, flags, log, request

SECRET = "hunter2-Xy77qq"
FOREIGN = ["lösenord", "пароль", "mot de passé", "暗証番号", "रहस्य"]


def printed(event: Event) -> str:
    return orjson.dumps(event).decode()


class TestANameInAnotherLanguage:
    @pytest.mark.parametrize("name", FOREIGN)
    def test_that_the_operator_adds_counts_in_any_case(self, name: str) -> None:
        feeding = Feeding(extra_names=(name,))
        joined = name.replace(" ", "_")
        for spelt in (joined, joined.upper(), joined.capitalize(), f"ny_{joined}", f"{joined}2"):
            event = feeding.one(log(**{spelt: SECRET}))
            assert SECRET not in printed(event)
            assert spelt in event["labels"]

    @pytest.mark.parametrize("name", FOREIGN)
    @pytest.mark.parametrize(
        "form",
        [
            lambda name: log(Note=f"skickat: {name}={SECRET} nu"),
            lambda name: log(Body=orjson.dumps({name: SECRET}).decode()),
            lambda name: log(Body=json.dumps({name: SECRET})),
            lambda name: log(Body=json.dumps({"x": json.dumps({name: SECRET})})),
            lambda name: request(QueryString=f"?page=1&{quote(name)}={SECRET}"),
        ],
        ids=["pair", "JSON in a string", "escaped JSON in a string", "escaped JSON in JSON", "query"],
    )
    def test_is_found_wherever_it_stands(self, name: str, form: Any) -> None:  # noqa: ANN401
        feeding = Feeding(extra_names=(name,))
        assert SECRET not in printed(feeding.one(form(name.replace(" ", "_"))))

    def test_hides_nothing_else(self) -> None:
        feeding = Feeding(extra_names=("lösenord",))
        event = feeding.one(log(Senord="a", Lösning="b", Note="blåbär: ja"))
        assert event["labels"] == {"Senord": "a", "Lösning": "b", "Note": "blåbär: ja"}
        assert flags(event) == set()


class TestANameWithMarksInIt:
    @pytest.mark.parametrize(
        "name",
        [
            *("Password (new)", "smtp/password/main", "password$", "Password#1", "Password*", "passwordÅ"),
            *("Password`1", "Token?", "pin|code", "secret!", "Api-Key (Main)"),
        ],
    )
    @pytest.mark.parametrize(
        "record",
        [
            lambda name: log(**{name: SECRET}),
            lambda name: log(Field={"name": name, "value": SECRET}),
            lambda name: log(Header=[name, SECRET]),
            lambda name: log(Body=json.dumps({name: SECRET})),
            lambda name: log(**{"@x": json.dumps([{"a": json.dumps({name: SECRET})}])}),
            lambda name: log(
                Note=f"sent {json.dumps({'a': {name: SECRET}, 'b': 'kept'}, ensure_ascii=False)}"
            ),
            lambda name: change("SystemSetting", EntityNumber=name, NewValues={"Value": SECRET}),
            lambda name: change(
                "SystemSetting", EntityNumber=None, AuditKey=name, NewValues={"Value": SECRET}
            ),
        ],
        ids=[
            "property",
            "labelled",
            "pair",
            "JSON",
            "JSON in JSON",
            "JSON in a text",
            "setting",
            "setting by its message",
        ],
    )
    def test_hides_its_value(self, name: str, record: Any) -> None:  # noqa: ANN401
        event = Feeding().one(record(name))
        assert SECRET not in printed(event)
        assert "redacted" in flags(event)


class TestAName:
    @pytest.mark.parametrize(
        "name",
        [
            *("otp", "OtpCode", "totp", "cvc", "passphrase", "pass_phrase", "PassCode", "Credentials"),
            *("privateKey", "PRIVATE_KEY", "AccountKey", "SharedAccessKey", "recovery-codes"),
        ],
    )
    def test_of_a_key_or_code_hides_its_value(self, name: str) -> None:
        for record in (log(**{name: SECRET}), log(Note=f"sent {name}={SECRET};Port=1")):
            assert SECRET not in printed(Feeding().one(record))

    @pytest.mark.parametrize("name", ["Footprint", "HotPick", "PassCount", "KeyAccount", "Laptops"])
    def test_of_anything_else_hides_nothing(self, name: str) -> None:
        event = Feeding().one(log(**{name: "7"}))
        assert event["labels"] == {name: "7"}

    def test_hides_no_truth(self) -> None:
        event = Feeding().one(
            change(OldValues={"RequirePassword": True}, NewValues={"RequirePassword": False})
        )
        assert event["change"]["before"] == {"RequirePassword": True}
        assert event["change"]["after"] == {"RequirePassword": False}
        assert "redacted" not in flags(event)

    @pytest.mark.parametrize(
        "text",
        [
            f"password := {SECRET}",
            f"if password == {SECRET} then",
            f"password{' ' * 30}: {SECRET}",
            f"password:{' ' * 30}{SECRET}",
            f"password\t=\t{SECRET}",
        ],
    )
    def test_hides_its_value_behind_any_mark(self, text: str) -> None:
        assert SECRET not in printed(Feeding().one(log(Note=text)))


class TestAUserToken:
    """ASP.NET keeps seeds of one-time passwords and recovery codes in it."""

    @pytest.mark.parametrize("name", ["AuthenticatorKey", "RecoveryCodes", None])
    def test_keeps_its_value_to_itself(self, name: str | None) -> None:
        said = {"LoginProvider": "[AspNetUserStore]", "Name": name, "UserId": "u-1", "Value": SECRET}
        for action in ("Create", "Update", "Delete"):
            record = change(
                "IdentityUserToken`1",
                action,
                EntityNumber=name,
                ChangedFields="Value",
                NewValues=None if action == "Delete" else said,
                OldValues=None if action == "Create" else {"Value": f"{SECRET}2"},
            )
            event = Feeding().one(record)
            assert SECRET not in printed(event)
            assert "redacted" in flags(event)
            assert event["change"]["fields"] == ["Value"]

    def test_keeps_it_in_a_text_log_too(self) -> None:
        said = orjson.dumps({
            "OldValues": None, "NewValues": {"Name": "AuthenticatorKey", "Value": SECRET},
            "EntityType": "IdentityUserToken`1", "Action": "Create", "SourceContext": "SmartWMS.Audit",
        })  # fmt: skip
        head = b"2026-11-23 07:26:35.363 +01:00 [INF] Audit Create IdentityUserToken`1 AuthenticatorKey "
        assert SECRET not in printed(Feeding("serilog-text").one(head + said))


class TestAPropertyThatAMessageShowsAsASecret:
    @pytest.mark.parametrize(
        "template", ["sent token={Link}", "pwd: '{Link}' of {User}", "Api-Key: {@Link:l}, {User}"]
    )
    def test_is_hidden_in_a_template(self, template: str) -> None:
        event = Feeding().one(log(template, Link=SECRET, User="berg"))
        assert SECRET not in printed(event)
        assert event["labels"].get("User") in {"berg", None}
        assert event["message"].startswith(template[:4])

    def test_is_hidden_in_a_text(self) -> None:
        raw = (
            f'2026-11-23 07:26:35.363 +01:00 [INF] sent token={SECRET} to berg {{"Link":"{SECRET}",'
            f'"Other":"a {SECRET[:5]}","SourceContext":"X"}}'
        )
        event = Feeding("serilog-text").one(raw.encode())
        assert SECRET not in printed(event)
        assert event["labels"]["Other"] == f"a {SECRET[:5]}"


class TestAUrl:
    @pytest.mark.parametrize(
        "url",
        [
            f"postgres://wms:{SECRET}@db:5432/wms",
            f"amqp://guest:p@{SECRET}@rabbit",
            f"redis://:{SECRET}@cache:6379/0",
            f"https://a%40b.se:{SECRET}@nexus.example/x?y=1",
        ],
    )
    @pytest.mark.parametrize("form", ["{}", "cannot reach {}, giving up", '{{"url":"{}"}}', "('{}')"])
    def test_that_signs_in_hides_its_password(self, url: str, form: str) -> None:
        event = Feeding().one(log(Note=form.format(url), **{"@x": f"System.Exception: {url}"}))
        assert SECRET not in printed(event)
        assert url.partition("://")[0] in event["labels"]["Note"]
        assert url.rpartition("@")[2] in event["labels"]["Note"]

    @pytest.mark.parametrize(
        "text",
        [
            "https://wms.example:8443/a@b",
            "http://db:5432 asked by berg@wms.example",
            "http://db:5432?mail=berg@wms.example",
            "http://db:5432,berg@wms.example",
            '{"url":"http://db:80","mail":"a@b.se"}',
            "https://berg@wms.example/",
            "mailto:berg@wms.example",
        ],
    )
    def test_that_does_not_stays(self, text: str) -> None:
        event = Feeding().one(log(Note=text))
        assert event["labels"]["Note"] == text
        assert flags(event) == set()


class TestACard:
    NUMBER = "4111111111111111"

    @pytest.mark.parametrize(
        "text",
        [
            *("{} 12/26", "{} 123", "5 {}", "22 {} 1", "{} 12/26 123", "12 34 {} 56 78", "2026-11-23 {}"),
            *("qty 5 {}", "{} 5500000000000004", "{} 4111111111111112"),
        ],
    )
    @pytest.mark.parametrize("number", [NUMBER, "4111 1111 1111 1111", "4111-1111-1111-1111"])
    def test_is_hidden_beside_other_digits(self, text: str, number: str) -> None:
        event = Feeding().one(log(Note=text.format(number)))
        assert number not in printed(event)
        for rest in text.split():
            assert rest in {"{}", "5500000000000004"} or rest in event["labels"]["Note"]

    @pytest.mark.parametrize(
        "text", ["12-{}", "{}-1", "1.{}", "x{}", "{}x", "12 34-{} 5", "{}-5 6", "1234 5678 9012 3456 7890"]
    )
    def test_is_not_what_is_part_of_a_longer_number(self, text: str) -> None:
        said = text.format(self.NUMBER)
        assert Feeding().one(log(Note=said))["labels"]["Note"] == said
