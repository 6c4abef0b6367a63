"""No secret leaves the normaliser: by name, by shape, wherever it is put; and nothing else is touched."""

from __future__ import annotations

import hmac
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.normalise.redaction import Redactor
from tests.agent.normalise.feeding import KEY, Event, Feeding, change, flags, log, request

SECRET = "hunter2-Xy77qq"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nq2w3e4r5t6\n-----END RSA PRIVATE KEY-----"
CARDS = ["4111111111111111", "5500 0000 0000 0004", "3400-000000-00009", "6011000000000004"]
SENSITIVE = [
    *(
        "Password",
        "passwd",
        "pwd",
        "db_pwd",
        "ClientSecret",
        "access_token",
        "RefreshToken",
        "ApiKey",
        "API_KEY",
    ),
    *(
        "x-api-key",
        "api.key",
        "Api Key",
        "Authorization",
        "Cookie",
        "Set-Cookie",
        "PasswordHash",
        "SecurityStamp",
    ),
    *("security-stamp", "ConcurrencyStamp", "ConnectionString", "connection_string", "Pin", "cvv", "CardPin"),
    *("CustomerPinHash", "pinCode", "Tokens", "NewPassword2", "SmtpPassword", "PinGuess"),
]
HARMLESS = [
    *(
        "ShippingInstructions",
        "Mapping",
        "Tokenizer",
        "Opinion",
        "Spinning",
        "Stamp",
        "Author",
        "Key",
        "PinnedNote",
    ),
]


def printed(event: Event) -> str:
    return orjson.dumps(event).decode()


def fingerprint(value: str, key: bytes = KEY) -> str:
    return f"[redacted:{hmac.digest(key, value.encode(), 'sha256').hex()[:8]}]"


class TestAName:
    @pytest.mark.parametrize("name", SENSITIVE)
    def test_of_a_secret_hides_its_value_and_stays(self, name: str) -> None:
        event = Feeding().one(log(**{name: SECRET}))
        assert event["labels"][name] == fingerprint(SECRET)
        assert SECRET not in printed(event)
        assert flags(event) == {"redacted"}

    @pytest.mark.parametrize("name", HARMLESS)
    def test_of_anything_else_hides_nothing(self, name: str) -> None:
        event = Feeding().one(log(**{name: SECRET}))
        assert event["labels"][name] == SECRET
        assert flags(event) == set()

    @pytest.mark.parametrize("name", ["2faCode", "badge number"])
    def test_that_the_operator_adds_counts_too(self, name: str) -> None:
        feeding = Feeding(extra_names=(name,))
        for spelt in (name, name.upper(), name.replace(" ", "_")):
            assert SECRET not in printed(feeding.one(log(**{spelt: SECRET})))

    def test_hides_numbers_lists_and_objects_whole(self) -> None:
        event = Feeding().one(log(Pin=1234, Tokens=["a1b2c3", {"x": "d4e5f6"}], Cookie={"sid": "s3cr3t"}))
        assert [value[:10] for name, value in event["labels"].items()] == ["[redacted:"] * 3
        for secret in ("1234", "a1b2c3", "d4e5f6", "s3cr3t"):
            assert secret not in printed(event).replace('"event"', "").split('"labels"')[1].split("}")[0]

    def test_keeps_null_and_nothing_as_they_are(self) -> None:
        event = Feeding().one(log(Password=None, Pin=""))
        assert event["labels"] == {"Password": None, "Pin": ""}
        assert flags(event) == set()

    def test_written_with_escapes_is_seen_through(self) -> None:
        raw = b'{"@t":"2026-11-23T06:26:39.0000000Z","@mt":"x","Pass\\u0077ord":"%b"}' % SECRET.encode()
        assert SECRET not in printed(Feeding().one(raw))


PLACES = [
    pytest.param(log(Body=f'{{"user":"a","password":"{SECRET}"}}'), id="JSON in a string"),
    pytest.param(
        log(Body=orjson.dumps(f'{{"Password":"{SECRET}"}}').decode()), id="JSON in JSON in a string"
    ),
    pytest.param(log(Deep=[{"a": {"b": [{"ApiKey": SECRET}]}}]), id="nested"),
    pytest.param(request(QueryString=f"?page=1&access_token={SECRET}&x=2"), id="query string"),
    pytest.param(request(f"/callback?token={SECRET}"), id="path with a query"),
    pytest.param(log(f"Login with password: {SECRET} failed"), id="message"),
    pytest.param(log(Headers=f"Host: x\nAuthorization: Basic {SECRET}\nAccept: */*"), id="header"),
    pytest.param(log(Headers=f"Cookie: a=b; sid={SECRET}"), id="cookies"),
    pytest.param(log(**{"@x": f"Npgsql: Host=db;Password={SECRET};Port=1"}), id="connection string"),
    pytest.param(log(Auth=f"bearer {SECRET}"), id="bearer"),
    pytest.param(change(NewValues={"Secret": SECRET}, OldValues={"Secret": "x"}), id="change"),
    pytest.param(
        change("SystemSetting", EntityNumber="SmtpPassword", NewValues={"Value": SECRET}),
        id="setting by its key",
    ),
    pytest.param(
        change("SystemSetting", EntityNumber=None, NewValues={"Key": "Smtp.Password", "Value": SECRET}),
        id="key and value",
    ),
    pytest.param(log(Password=SECRET, Note=f"he typed {SECRET} twice"), id="echoed elsewhere"),
    pytest.param(log(UserName=SECRET, Password=SECRET), id="echoed in a field"),
]


class TestASecret:
    @pytest.mark.parametrize("record", PLACES)
    def test_is_hidden_wherever_it_stands(self, record: dict[str, Any]) -> None:
        event = Feeding().one(record)
        assert SECRET not in printed(event)
        assert "redacted" in flags(event)

    def test_is_hidden_in_text_records_as_in_compact_ones(self) -> None:
        raw = (
            f"2026-11-23 07:26:35.363 +01:00 [ERR] Sent token={SECRET} "
            f'{{"Password":"{SECRET}","SourceContext":"X"}}'
            f"\nSystem.Exception: Password={SECRET};"
        )
        assert SECRET not in printed(Feeding("serilog-text").one(raw.encode()))

    @pytest.mark.parametrize(
        "raw",
        [f'{{"Password":"{SECRET}', f'{{"a":1,"Password":"{SECRET}"', f"not JSON, password={SECRET} at all"],
    )
    def test_is_hidden_in_what_no_format_understands(self, raw: str) -> None:
        event = Feeding().one(raw.encode())
        assert SECRET not in printed(event)
        assert flags(event) == {"redacted", "time_suspect", "unparsed"}

    def test_has_the_same_fingerprint_wherever_it_is_the_same(self) -> None:
        event = Feeding().one(change(OldValues={"Secret": "a" * 9}, NewValues={"Secret": SECRET}))
        again = Feeding().one(log(Password=SECRET))
        assert event["change"]["after"]["Secret"] == again["labels"]["Password"]
        assert event["change"]["before"] != event["change"]["after"]

    def test_has_another_fingerprint_under_another_key(self) -> None:
        other = Feeding(key=b"o" * 32).one(log(Password=SECRET))
        assert other["labels"]["Password"] == fingerprint(SECRET, b"o" * 32) != fingerprint(SECRET)


class TestAShape:
    @pytest.mark.parametrize("secret", [JWT, PEM, *CARDS])
    @pytest.mark.parametrize("form", ["{}", "it is {} here", "a={};b", '{{"x":"{}"}}'])
    def test_is_hidden_under_any_name(self, secret: str, form: str) -> None:
        event = Feeding().one(log(Note=form.format(secret)))
        assert secret not in event["labels"]["Note"]
        assert orjson.dumps(secret).decode()[1:-1] not in printed(event)

    def test_of_a_card_as_a_number_is_hidden(self) -> None:
        event = Feeding().one(log(Card=4111111111111111))
        assert "4111111111111111" not in printed(event)

    @pytest.mark.parametrize(
        "number",
        [
            "5901234123457",
            "4006381333931",
            "4111111111111112",
            "1234567890123456",
            "20261123062639977",
            "a4111111111111111",
        ],
    )
    def test_that_only_looks_like_a_card_stays(self, number: str) -> None:
        event = Feeding().one(change(NewValues={"Barcode": number}, EntityNumber=number))
        assert event["change"]["after"]["Barcode"] == number
        assert event["entity"]["number"] == number

    def test_of_shipping_instructions_stays(self) -> None:
        text = "Shipping: pin the label to the box, token gesture only"
        event = Feeding().one(change("SalesOrder", NewValues={"ShippingInstructions": text}))
        assert event["change"]["after"]["ShippingInstructions"] == text


class TestTheOriginal:
    def test_is_the_record_as_read_where_nothing_is_secret(self) -> None:
        raw = orjson.dumps(log(Note="nothing")).replace(b":", b": ")
        event = Feeding().one(raw)
        assert event["event"]["original"] == raw.decode()

    def test_differs_from_the_record_in_its_secrets_only(self) -> None:
        raw = orjson.dumps(log(Note="x", Password=SECRET)).replace(b',"', b', "')
        event = Feeding().one(raw)
        assert event["event"]["original"] == raw.decode().replace(SECRET, fingerprint(SECRET))


# What a secret may be made of: long enough not to stand anywhere by chance.
secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=12, max_size=40
).map(lambda text: f"Zq{text}")
plain = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=16, max_size=40).map(
    lambda text: f"Zq{text}"
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


class TestWhereverItIsPut:
    @given(secret=secrets, name=st.sampled_from(SENSITIVE), around=json_values, depth=st.integers(0, 5))
    def test_a_named_secret_never_survives(self, secret: str, name: str, around: object, depth: int) -> None:
        inner: object = {name: secret, "Around": around}
        for level in range(depth):
            inner = [inner] if level % 2 else {"level": inner}
        event = Feeding().one(log(Inner=inner))
        assert orjson.dumps(secret).decode()[1:-1] not in printed(event)

    @given(secret=plain, name=st.sampled_from(SENSITIVE), levels=st.integers(1, 3))
    @example(secret="Zq0123456789012345", name="Password", levels=3)
    def test_a_named_secret_in_json_in_strings_never_survives(
        self, secret: str, name: str, levels: int
    ) -> None:
        if " " in name:
            return
        inner: object = {name: secret, "other": 1}
        for _ in range(levels):
            inner = orjson.dumps(inner).decode()
        assert secret not in printed(Feeding().one(log(Body=inner)))

    @given(
        secret=plain,
        name=st.sampled_from([name for name in SENSITIVE if name.isidentifier()]),
        form=st.sampled_from(["{}={}", "{}: {}", "?a=1&{}={}&b=2", "{} = '{}'", '{}="{}"', "x; {}={}; y"]),
        field=st.sampled_from(["Note", "@mt", "@x", "QueryString", "UserAgent", "EntityNumber"]),
    )
    def test_a_pair_in_a_text_never_survives(self, secret: str, name: str, form: str, field: str) -> None:
        event = Feeding().one(log(**{field: form.format(name, secret)}))
        assert secret not in printed(event)


class TestTheQuickWay:
    @given(
        st.dictionaries(
            st.sampled_from([*SENSITIVE, *HARMLESS, "Value", "Key"]) | st.text(max_size=10),
            json_values | plain,
            max_size=6,
        )
    )
    def test_hides_the_same_as_the_thorough_one(self, properties: dict[str, Any]) -> None:
        redactor = Redactor(KEY)
        raw = orjson.dumps(properties)
        quick = redactor.without_plain_secrets(raw)
        if quick is not None:
            assert orjson.loads(quick) == redactor.properties(orjson.loads(raw))[0]

    @given(
        st.lists(st.sampled_from([b"x" * 50, b'"Password":1', b"token", b"ping", b"4111111111111111", b""]))
    )
    def test_finds_the_suspects_of_many_records_as_of_each(self, raws: list[bytes]) -> None:
        redactor = Redactor(KEY)
        records = list(enumerate(raws))
        alone = {position for position, raw in records if redactor.suspects([(position, raw)])}
        assert not records or redactor.suspects(records) == alone
