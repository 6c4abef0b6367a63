"""nginx says the same in both formats, as far as each goes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.formats import NotUnderstood
from agent.formats.nginx import parse_combined, parse_json


def combined(
    *,
    address: str = "192.0.2.10",
    user: str = "-",
    moment: str = "23/Nov/2026:07:26:40 +0100",
    request: str = "GET /x HTTP/1.1",
    size: str = "12",
    referer: str = "-",
    agent: str = "curl/7.88.1",
    extra: str = "",
) -> dict[str, Any]:
    line = f'{address} - {user} [{moment}] "{request}" 200 {size} "{referer}" "{agent}"{extra}'
    return parse_combined(line.encode())


class TestCombined:
    def test_gives_the_keys_of_the_json_format(self) -> None:
        assert combined(user="anna", referer="https://wms.example/") == {
            "@t": "2026-11-23T06:26:40Z",
            "remote_addr": "192.0.2.10",
            "remote_user": "anna",
            "method": "GET",
            "uri": "/x",
            "protocol": "HTTP/1.1",
            "status": 200,
            "bytes_sent": 12,
            "referer": "https://wms.example/",
            "user_agent": "curl/7.88.1",
        }

    @pytest.mark.parametrize(
        ("moment", "instant"),
        [
            ("23/Nov/2026:07:26:40 +0100", "2026-11-23T06:26:40Z"),
            ("01/Jan/2027:00:00:00 +0530", "2026-12-31T18:30:00Z"),
            ("31/Dec/2026:20:00:59 -0500", "2027-01-01T01:00:59Z"),
        ],
    )
    def test_gives_the_time_in_utc(self, moment: str, instant: str) -> None:
        assert combined(moment=moment)["@t"] == instant

    @pytest.mark.parametrize(
        ("printed", "agent"),
        [
            (r"evil\x22 200 0 \x22-\x22 \x22x", 'evil" 200 0 "-" "x'),
            (r"\xC3\xA9\xc3\xa8", "éè"),
            (r"\x1B[31mred", "\x1b[31mred"),
            (r"back\x5Cslash \x5Cx41", r"back\slash \x41"),
            (r"\xFF", "\ufffd"),
            (r"\xZZ", r"\xZZ"),
            ("é", "é"),
            ("-", ""),
            ("", ""),
        ],
    )
    def test_decodes_what_nginx_escaped(self, printed: str, agent: str) -> None:
        assert combined(agent=printed)["user_agent"] == agent

    @pytest.mark.parametrize(
        ("line", "request_line"),
        [
            (r"\x16\x03\x01\x02", "\x16\x03\x01\x02"),
            ("-", ""),
            ("", ""),
            ("GET /", "GET /"),
            ("GET", "GET"),
            ("hello there HTTP/1.1", "hello there HTTP/1.1"),
        ],
    )
    def test_keeps_a_request_line_that_is_none_as_it_came(self, line: str, request_line: str) -> None:
        known = combined(request=line)
        assert known["request"] == request_line
        assert not {"method", "uri", "protocol"} & set(known)

    @pytest.mark.parametrize("uri", ["/", "/a%20b?c=d", "/a b", "http://x/", "*", "/x HTTP/1.1"])
    def test_takes_a_request_line_apart(self, uri: str) -> None:
        known = combined(request=f"M-SEARCH {uri} HTTP/2.0")
        assert (known["method"], known["uri"], known["protocol"]) == ("M-SEARCH", uri, "HTTP/2.0")

    @pytest.mark.parametrize("user", ["anna berg", "x [23/Nov/2026:07:26:41 +0100]", "[", ""])
    def test_finds_the_time_behind_any_user_name(self, user: str) -> None:
        known = combined(user=user)
        assert (known["remote_user"], known["@t"]) == (user, "2026-11-23T06:26:40Z")

    def test_keeps_what_an_extended_format_adds(self) -> None:
        assert combined(extra=' "203.0.113.7" 0.004')["extra"] == '"203.0.113.7" 0.004'

    def test_takes_an_ipv6_address_and_no_size(self) -> None:
        known = combined(address="2001:db8::58", size="-")
        assert (known["remote_addr"], known["bytes_sent"]) == ("2001:db8::58", 0)

    @pytest.mark.parametrize(
        "moment",
        ["32/Nov/2026:07:26:40 +0100", "23/Foo/2026:07:26:40 +0100", "23/Nov/2026:27:26:40 +0100", "-"],
    )
    def test_does_not_understand_a_time_that_is_none(self, moment: str) -> None:
        with pytest.raises(NotUnderstood):
            combined(moment=moment)

    @given(raw=st.binary(max_size=200))
    def test_any_bytes_are_read_or_not_understood(self, raw: bytes) -> None:
        line = b'1.2.3.4 - - [23/Nov/2026:07:26:40 +0100] "' + raw + b'" 200 1 "-" "' + raw + b'"'
        try:
            assert parse_combined(line)["@t"].startswith("2026-11-23T06:")
        except NotUnderstood:
            assert b'"' in raw or b"\n" in raw


def document(**values: object) -> dict[str, Any]:
    line = {"time": "2026-11-23T07:26:40+01:00", "msec": 1795415200.058, "status": 200, "bytes_sent": 12}
    return parse_json(json.dumps(line | values).encode())


class TestJson:
    def test_gives_its_keys_and_one_time(self) -> None:
        assert document(tenant="", request_id="df61") == {
            "@t": "2026-11-23T06:26:40.058Z",
            "status": 200,
            "bytes_sent": 12,
            "tenant": "",
            "request_id": "df61",
        }

    @pytest.mark.parametrize(
        ("msec", "local", "instant"),
        [
            (1795415200.0, None, "2026-11-23T06:26:40.000Z"),
            (1795415259.999, None, "2026-11-23T06:27:39.999Z"),
            ("1795415200.058", None, "2026-11-23T06:26:40.058Z"),
            (None, "2026-11-23T07:26:40+01:00", "2026-11-23T06:26:40Z"),
            ("", "2026-11-23T07:26:40+01:00", "2026-11-23T06:26:40Z"),
            ("nan", "2026-11-23T07:26:40+01:00", "2026-11-23T06:26:40Z"),
            ([], "2026-11-23T07:26:40+01:00", "2026-11-23T06:26:40Z"),
            (1e300, "2026-11-23T07:26:40+01:00", "2026-11-23T06:26:40Z"),
        ],
    )
    def test_prefers_the_milliseconds(self, msec: object, local: object, instant: str) -> None:
        known = document(msec=msec, time=local)
        assert known["@t"] == instant
        assert not {"msec", "time"} & set(known)

    @pytest.mark.parametrize(
        "local", [None, "", "yesterday", "2026-11-23T07:26:40", 5, "0001-01-01T00:00:00+01:00"]
    )
    def test_without_a_sound_time_keeps_what_was_there(self, local: object) -> None:
        known = document(msec="x", time=local)
        assert "@t" not in known
        assert (known["msec"], known["time"]) == ("x", local)

    def test_takes_numbers_that_were_quoted(self) -> None:
        known = document(status="404", bytes_sent="0")
        assert (known["status"], known["bytes_sent"]) == (404, 0)

    @pytest.mark.parametrize("value", ["", "-", "-5", "9" * 5000, "٣"])
    def test_leaves_a_number_that_is_none(self, value: str) -> None:
        assert document(status=value)["status"] == value

    def test_takes_a_dash_as_empty_like_the_combined_format(self) -> None:
        known = document(user_agent="-", referer="-", remote_user="-")
        assert (known["user_agent"], known["referer"], known["remote_user"]) == ("", "", "")

    def test_does_not_understand_what_is_no_object(self) -> None:
        with pytest.raises(NotUnderstood):
            parse_json(b'192.0.2.10 - - "GET / HTTP/1.1"')
