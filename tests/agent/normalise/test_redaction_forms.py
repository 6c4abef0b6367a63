"""Forms in which a secret could pass: cut values, encodings, JSON in strings, keys, names said twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.normalise.redaction import Redactor
from tests.agent.normalise.feeding import KEY, Event, Feeding, flags, log, request

SECRET = "hunter2-Xy77qq"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
CUT = [
    *("Hunter(2secret)tail", "(secretpw", "Hunter'2secret", "aaaa,bbbbbb", 'Hun"secret', "a<b>secret"),
    *("[secret", "{secret", "a\\secret", "x;secret", "[a]secret", "secret}", "'secret", "a',secret"),
]


def printed(event: Event) -> str:
    return orjson.dumps(event).decode()


def nginx(uri: str, referer: str = "-", agent: str = "curl/8.5.0") -> bytes:
    return (
        f'203.0.113.9 - - [23/Nov/2026:06:26:39 +0000] "GET {uri} HTTP/1.1" 200 5 "{referer}" "{agent}"'
    ).encode()


def nginx_json(uri: str, referer: str = "-") -> bytes:
    return orjson.dumps(
        {"time": "2026-11-23T06:26:39+00:00", "method": "GET", "uri": uri, "status": 200, "referer": referer}
    )


class TestAValue:
    @pytest.mark.parametrize("value", CUT)
    @pytest.mark.parametrize(
        "record",
        [
            pytest.param(lambda value: request(QueryString=f"?password={value}&page=1"), id="query"),
            pytest.param(lambda value: log(Note=f"failed: password={value} again"), id="text"),
            pytest.param(lambda value: log(Note=f"token={value}"), id="all"),
            pytest.param(lambda value: log(Note=f'"GET /x?token={value}" and on'), id="quoted"),
            pytest.param(lambda value: nginx_json(f"/x?token={value}"), id="uri"),
            pytest.param(lambda value: nginx_json("/", f"https://x/?a=1&token={value}"), id="referer"),
        ],
    )
    def test_is_hidden_to_its_end(self, value: str, record: Callable[[str], Any]) -> None:
        raw = record(value)
        event = Feeding("nginx-json" if isinstance(raw, bytes) else "clef").one(raw)
        for rest in ("secret", "tail", "bbbb"):
            assert rest not in printed(event)

    def test_does_not_reach_into_what_follows(self) -> None:
        event = Feeding().one(log(Note='"GET /x?token=abcdef&page=7" in 3 ms', Db="Password=ab;Port=17"))
        assert "&page=7" in event["labels"]["Note"]
        assert ';Port=17"' in printed(event)
        assert event["labels"]["Note"].endswith('" in 3 ms')

    def test_of_a_cookie_reaches_past_a_quote(self) -> None:
        event = Feeding().one(log(Headers=f'Cookie: a="b"; sid={SECRET}\nAccept: text'))
        assert SECRET not in printed(event)
        assert event["labels"]["Headers"].endswith("\nAccept: text")

    @pytest.mark.parametrize("value", ["[redacted:hunter22", "[redacted:12345678]hunter22"])
    def test_that_only_looks_redacted_is_hidden(self, value: str) -> None:
        assert "hunter22" not in printed(Feeding().one(log(Password=value, Note=f"pwd={value}")))


QUERIES = [
    *(f"refresh%5Ftoken={SECRET}", f"%70assword={SECRET}", f"%2570assword={SECRET}", f"api%20key={SECRET}"),
    *(f"api+key={SECRET}", f"api%2Bkey={SECRET}", f"x={'y' * 80}_password={SECRET}"),
    *(f"f=%7B%22password%22%3A%22{SECRET}%22%7D", f"returnUrl=%2Fcb%3Faccess_token%3D{SECRET}"),
    *(f"r=%252Fcb%253Ftoken%253D{SECRET}", f"user[password]={SECRET}", f"password[]={SECRET}"),
    *(f"user%5Bpassword%5D={SECRET}", f"x[api][key]={SECRET}", f"authtoken={SECRET}", f"idtoken={SECRET}"),
    *(f"userpwd={SECRET}", f"sessioncookie={SECRET}", f"user['password']={SECRET}"),
    *(f"returnUrl=/cb?access%5Ftoken={SECRET}", f"a=Bearer%20{SECRET}"),
]


class TestAQuery:
    @pytest.mark.parametrize("query", QUERIES)
    def test_hides_what_is_encoded_or_in_brackets(self, query: str) -> None:
        for event in (
            Feeding().one(request(QueryString=f"?page=1&{query}&x=2")),
            Feeding().one(log(Note=query)),
            Feeding("nginx-json").one(nginx_json(f"/x?{query}")),
            Feeding("nginx-json").one(nginx_json("/", f"https://x/y?{query}")),
            Feeding("nginx-combined").one(nginx(f"/x?{query}")),
            Feeding("nginx-combined").one(nginx("/", f"https://x/y?{query}")),
        ):
            assert SECRET not in printed(event)
            assert "redacted" in flags(event)

    def test_that_is_encoded_and_holds_nothing_stays(self) -> None:
        raw = nginx("/api/x?search=caf%C3%A9%20%61&back=%2Fa%3Fb%3D1")
        event = Feeding("nginx-combined").one(raw)
        assert event["event"]["original"] == raw.decode()
        assert flags(event) == set()


class TestTheCombinedFormat:
    JSON = f"{{\\x22a\\x22:1,\\x22password\\x22:\\x22a b\\x5C\\x22{SECRET}\\x22}}"

    @pytest.mark.parametrize(
        "raw", [nginx(f"/x?f={JSON}"), nginx("/", "-", f"agent {JSON}"), nginx("/", f"/x?f={JSON}")]
    )
    def test_hides_values_in_its_escaped_quotes(self, raw: bytes) -> None:
        event = Feeding("nginx-combined").one(raw)
        assert SECRET not in printed(event)
        assert flags(event) == {"redacted"}


class TestJsonInAString:
    @pytest.mark.parametrize(
        ("text", "secret"),
        [
            ('{"cvv":987}', "987"),
            ("pin:1234", "1234"),
            (f"token:99{SECRET}", SECRET),
            ('{"passwords":["hunter22"]}', "hunter22"),
            ('{"password":{"old":"hunter21","new":"hunter22"}}', "hunter2"),
            ('{"password":{"old":"a}b","new":"hunter22"}}', "hunter22"),
            ('x {"password":{"old":"a}b","new":"hunter22"}} y', "hunter22"),
            ('x {"passwords":["a","hunter22"], "b', "hunter22"),
            ('{"passwords":["a","hunter22"', "hunter22"),
            ('{"password":"a","password":null} hunter', 'password\\":\\"a'),
            ('[["Authorization","Basic aHVudGVyMg=="]]', "aHVudGVyMg"),
            ('{"NAME":"password","VALUE":"hunter22"}', "hunter22"),
            (f"{{\\u0022password\\u0022:\\u0022a b{SECRET}\\u0022}}", SECRET),
        ],
    )
    def test_is_redacted_as_what_it_says(self, text: str, secret: str) -> None:
        event = Feeding().one(log(Body=text))
        assert secret not in event["labels"]["Body"]
        assert secret not in event["event"]["original"].partition('"Body"')[2]
        inner = Feeding().one(log(Body=orjson.dumps({"x": text}).decode()))
        assert secret not in inner["labels"]["Body"]

    def test_is_as_it_was_written_where_nothing_is_secret(self) -> None:
        text = '{ "cvv" : null, "a": 1.50, "pin": "" }'
        assert Feeding().one(log(Body=text))["labels"]["Body"] == text


class TestARecord:
    def test_with_a_name_said_twice_keeps_no_secret_in_its_original(self) -> None:
        raw = f'{{"@t":"2026-11-23T06:26:39Z","@mt":"x","Url":"/x?token={SECRET}","Url":"/y"}}'.encode()
        assert SECRET not in printed(Feeding().one(raw))

    def test_nested_too_deep_keeps_no_secret_in_its_original(self) -> None:
        inner: object = {"Note": f"password={SECRET}"}
        for _ in range(40):
            inner = [inner]
        assert SECRET not in printed(Feeding().one(log(Inner=inner)))

    @pytest.mark.parametrize("key", [JWT, f"Bearer {SECRET}", f"/x?token={SECRET}", f"%70in={SECRET}"])
    def test_has_no_secret_in_its_keys(self, key: str) -> None:
        for value in (1, "a", None, {"b": 1}):
            event = Feeding().one(log(Deep={key: value}))
            assert JWT not in printed(event)
            assert SECRET not in printed(event)

    @pytest.mark.parametrize("room", range(965, 1001, 5))
    def test_that_is_not_understood_is_cut_after_its_secrets_are_gone(self, room: int) -> None:
        event = Feeding().one(f"{'x' * (room - 1)} {JWT}".encode())
        assert "eyJ" not in printed(event)

    @pytest.mark.parametrize("name", ["PINGenerated", "authtoken", "userpwd", "idtokens", "sessioncookie"])
    def test_hides_values_of_compound_names(self, name: str) -> None:
        assert SECRET not in printed(Feeding().one(log(**{name: SECRET})))

    @pytest.mark.parametrize("form", ["log", "text"])
    def test_hides_pairs_said_as_lists_and_objects(self, form: str) -> None:
        said: dict[str, Any] = {
            "Headers": [["Authorization", "Basic Zm9v"], ["X", "y"]],
            "Form": [{"NAME": "Password", "VALUE": "p4ss"}, {"field": "pin", "newValue": 4711}],
        }
        if form == "log":
            event = Feeding().one(log(**said))
        else:
            line = b"2026-11-23 07:26:35.363 +01:00 [ERR] Sent " + orjson.dumps(
                {**said, "SourceContext": "X"}
            )
            event = Feeding("serilog-text").one(line)
        for secret in ("Zm9v", "p4ss", "4711"):
            assert secret not in printed(event)
        assert "Authorization" in printed(event)


class TestWhatIsHarmless:
    @pytest.mark.parametrize(
        "text",
        [
            "at X.Y.Run(CancellationToken cancellationToken) in /src/Y.cs:line 17",
            "mapping: spinning=1, ShippingInstructions: leave at door",
            "ping: 12 ms, PING=3, shipping%20to=Berlin",
            "id=3f2504e0-4f89-11d3-9a0c-0305e82c3301, ean: 4006381333931",
            '{"Mapping":{"a":[1,2]},"ShippingInstructions":"a (b) c"}',
            "LIKE '%de%'",
        ],
    )
    def test_stays(self, text: str) -> None:
        event = Feeding().one(log(Note=text))
        assert event["labels"]["Note"] == text
        assert flags(event) == set()


HOSTILE = [
    *("password='", 'password="', "pin=", "?pin=", "?pin='", "&a=b", "a%70=b=", "%25", "\\", '\\"', "pin "),
    *("password=[", 'password=["', "[", "{", '{"pin":', "\\x22pin\\x22:", "cookie=", "cookie:'", "pin;"),
    *(
        "token=a,",
        "eyJ",
        "Bearer ",
        "-----BEGIN A-----",
        "4111 ",
        "pin[",
        "pin[]",
        "%7B",
        "Ä pin=1;",
        "null=",
        *("<Password>", "&lt;Password&gt;x", "<Password", "Task<Token> ", "<a:Password>x</b>", "</Token>"),
        *("[Password, ", '["Password","x"', "['token','", "[token,x,"),
        *("key='Password' ", "name: 'token' x value: 'y", "value='x' key='pin' "),
        *("password.", "+password", "password" + 300 * "x"),
        *('"pin (x)":', '\\"pin (x)\\":\\"', '"pin (', "://a:pin", "://", "pin={x}", "pin:        "),
    ),
]


class TestWhatOnlyLooksLikeIt:
    @pytest.mark.parametrize(
        "text",
        [
            "System.InvalidCastException: Task<AccessToken> is no Task<string>",
            "changed [Password, Email, Phone]",
            'fields ["Password","Email","Phone"] of user',
            "<Password/><Name>Berg</Name>",
            "<Token></Token> was empty",
            '<add key="Zone" value="Password"/>',
        ],
    )
    def test_stays(self, text: str) -> None:
        event = Feeding().one(log(Note=text))
        assert event["labels"]["Note"] == text
        assert flags(event) == set()


class TestALongText:
    @pytest.mark.parametrize("piece", HOSTILE)
    def test_takes_time_as_its_length(self, piece: str) -> None:
        redactor = Redactor(KEY)
        text = piece * (2**17 // len(piece))
        redactor.text(text[:100])
        start = time.process_time()
        redactor.properties({"Note": text})
        redactor.without_plain_secrets(text.encode())
        assert time.process_time() - start < 2


plain = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=16, max_size=40).map(
    lambda text: f"Zq{text}"
)
NAMES = ["password", "access_token", "apiKey", "authtoken", "PIN", "Client-Secret"]


def encoded(text: str) -> str:
    return "".join(f"%{ord(char):02X}" for char in text)


FORMS = {
    "encoded name": lambda name, value: f"?{encoded(name)}={value}",
    "encoded twice": lambda name, value: f"?a=1&{encoded(encoded(name))}={value}&b=2",
    "encoded pair": lambda name, value: f"/x?back={encoded(f'/y?{name}=')}{value}",
    "brackets": lambda name, value: f"user[{name}]={value}",
    "list": lambda name, value: f"?{name}[]={value}",
    "array": lambda name, value: f'{{"{name}":["a",{{"b":"{value}"}}]}}',
    "broken array": lambda name, value: f'x {{"{name}":["a",{{"b":"{value}"',
    "nginx": lambda name, value: f"f={{\\x22{name}\\x22:\\x22{value}\\x22}}",
    "dotnet": lambda name, value: f"{{\\u0022{name}\\u0022:\\u0022{value}\\u0022}}",
    "list pair": lambda name, value: f'[["{name}","{value}"]]',
    "labelled": lambda name, value: f'{{"Name":"{name}","VALUE":"{value}"}}',
    "element": lambda name, value: f"a <{name}>{value}</{name}> b",
    "element with attributes": lambda name, value: f"<x:{name} a='b'>\n {value}</x:{name}>",
    "element, cut": lambda name, value: f"<Login><{name}>{value}",
    "element, escaped": lambda name, value: f"&lt;{name}&gt;{value}&lt;/{name}&gt;",
    "element, escaped in JSON": lambda name, value: f"\\u003c{name}\\u003E{value}\\u003c/{name}\\u003e",
    "attributes": lambda name, value: f'<add key="{name}" value="{value}"/>',
    "labelled in a text": lambda name, value: f'sent {{"name":"{name}","value":"{value}"}} to it',
    "pair in a text": lambda name, value: f'headers [["{name}","{value}"], ["Accept","text"]] sent',
    "pair of .NET": lambda name, value: f"headers [{name}, {value}] sent",
    "option": lambda name, value: f"ran x --{name}={value} and so on",
    "long name": lambda name, value: f"{'long.' * 60}{name}={value}",
    "long name, no ASCII": lambda name, value: f"é {'long.' * 30}{name}={value}",
    "key": lambda name, value: f'{{"/x?{name}={value}":1}}',
}


class TestWhereverItIsPut:
    @given(
        secret=plain,
        before=st.text("ab(),'\"<>[]{};", max_size=4),
        name=st.sampled_from(NAMES),
        form=st.sampled_from(["?{}={}", "&{}={}&x=1", "x {}={} y", "{}: {}"]),
        as_json=st.booleans(),
    )
    def test_a_value_with_any_mark_in_it_never_survives(
        self, secret: str, before: str, name: str, form: str, *, as_json: bool
    ) -> None:
        text = form.format(name, f"{secret[:2]}{before}{secret}")
        text = orjson.dumps({"a": text}).decode() if as_json else text
        assert secret not in printed(Feeding().one(log(Note=text)))

    @given(
        secret=plain,
        name=st.sampled_from(NAMES),
        form=st.sampled_from(sorted(FORMS)),
        levels=st.integers(0, 2),
        is_key=st.booleans(),
    )
    def test_a_form_in_any_depth_of_json_never_survives(
        self, secret: str, name: str, form: str, levels: int, *, is_key: bool
    ) -> None:
        text = FORMS[form](name, secret)
        for _ in range(levels):
            text = orjson.dumps({"a": [text]}).decode()
        record = log(Deep={text: 1}) if is_key else log(Body=text)
        assert secret not in printed(Feeding().one(record))
