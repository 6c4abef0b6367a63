"""One record of the text log is read into the properties that its compact JSON would have."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.formats import MAX_RECORD_BYTES, NotUnderstood
from agent.formats.serilog_text import parse

HEAD = b"2026-11-23 07:27:07.213 +01:00 [INF] "
REQUEST_LOGGER = "Serilog.AspNetCore.RequestLoggingMiddleware"


def record(message: str, properties: bytes = b'{"MachineName":"vm"}', after: bytes = b"") -> dict[str, Any]:
    return parse(HEAD + message.encode() + b" " + properties + after)


class TestTheHead:
    @pytest.mark.parametrize(
        ("head", "instant"),
        [
            ("2026-11-23 07:27:07.213 +01:00", "2026-11-23T06:27:07.213Z"),
            ("2026-11-23 00:27:07.213 +01:00", "2026-11-22T23:27:07.213Z"),
            ("2026-11-23 07:27:07.213 +00:00", "2026-11-23T07:27:07.213Z"),
            ("2026-12-31 20:15:00.000 -05:30", "2027-01-01T01:45:00.000Z"),
            ("2026-10-25 02:30:00.000 +02:00", "2026-10-25T00:30:00.000Z"),
            ("2026-10-25 02:30:00.000 +01:00", "2026-10-25T01:30:00.000Z"),
        ],
    )
    def test_gives_the_time_in_utc_to_the_millisecond(self, head: str, instant: str) -> None:
        assert parse(f"{head} [INF] x {{}}".encode())["@t"] == instant

    @pytest.mark.parametrize(
        ("printed", "level"),
        [
            ("VRB", "Verbose"),
            ("DBG", "Debug"),
            ("INF", None),
            ("WRN", "Warning"),
            ("ERR", "Error"),
            ("FTL", "Fatal"),
        ],
    )
    def test_gives_the_level_in_full_unless_it_is_information(self, printed: str, level: str | None) -> None:
        assert parse(f"2026-11-23 07:27:07.213 +01:00 [{printed}] x {{}}".encode()).get("@l") == level

    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"   at Late() {}", id="a continuation"),
            pytest.param(b"2026-11-23 07:27:07.213 [INF] x {}", id="no time zone"),
            pytest.param(b"2026-11-23 07:27:07.213 +01:00 [FOO] x {}", id="no level"),
            pytest.param(b"2026-13-45 07:27:07.213 +01:00 [INF] x {}", id="no day"),
            pytest.param(b"2026-11-23 27:27:07.213 +01:00 [INF] x {}", id="no hour"),
            pytest.param(b"2026-11-23 07:27:07.213 +99:99 [INF] x {}", id="no such zone"),
            pytest.param(b"0001-01-01 00:27:07.213 +01:00 [INF] x {}", id="before the calendar"),
        ],
    )
    def test_is_needed(self, raw: bytes) -> None:
        with pytest.raises(NotUnderstood):
            parse(raw)


class TestTheObject:
    @pytest.mark.parametrize(
        "message",
        [
            "",
            "plain",
            "ends with }",
            "has {braces} and {",
            'has JSON {"a":{"b":1}}',
            'has JSON {"a": {"b":1}, "c":[ {"d":2} ]} inside',
            'begins an object {"a":',
            'begins an object {"a":1,"b": {"c":',
            "ends with an empty one {}",
            "of\nseveral\r\nlines",
            "of lines\nwith {braces}\nand {y}",
            'of lines with {"broken"}\nthen more',
            "Ken Åström … \u2028 \x85",
        ],
    )
    @pytest.mark.parametrize(
        ("printed", "properties"),
        [
            pytest.param(b"{}", {}, id="empty"),
            pytest.param(b'{"A":"x {} y","B":"}"}', {"A": "x {} y", "B": "}"}, id="braces in strings"),
            pytest.param(b'{"A":"{\\"b\\": {\\"c\\":1}}"}', {"A": '{"b": {"c":1}}'}, id="JSON in a string"),
            pytest.param(
                b'{"A":{"B":[{"C":null}]},"D":-1.5}', {"A": {"B": [{"C": None}]}, "D": -1.5}, id="nested"
            ),
        ],
    )
    def test_is_found_whatever_the_message_has(
        self, message: str, printed: bytes, properties: dict[str, Any]
    ) -> None:
        known = record(message, printed)
        assert (known.pop("@m"), known.pop("@t")) == (message, "2026-11-23T06:27:07.213Z")
        assert known == properties

    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"message without any", id="none"),
            pytest.param(b'message {"A":1', id="torn"),
            pytest.param(b'message {"A":}', id="broken"),
            pytest.param(b'message {"A":1}}', id="a brace too many"),
            pytest.param(b'message {"A":"\x01"}', id="a control character"),
            pytest.param(b"message {A:1}", id="no JSON"),
        ],
    )
    def test_missing_or_broken_is_not_understood_but_the_head_is_known(self, raw: bytes) -> None:
        with pytest.raises(NotUnderstood) as caught:
            parse(b"2026-11-23 07:27:07.213 +01:00 [ERR] " + raw)
        assert caught.value.known == {"@t": "2026-11-23T06:27:07.213Z", "@l": "Error"}

    def test_the_reason_quotes_nothing_of_the_record(self) -> None:
        with pytest.raises(NotUnderstood) as caught:
            parse(HEAD + b'login {"Password":"hunter2"')
        assert "hunter2" not in str(caught.value)

    def test_invalid_utf8_becomes_the_replacement_character(self) -> None:
        known = parse(HEAD + b'caf\xe9 {"User":"Jos\xe9"}\nError: \xff')
        assert (known["@m"], known["User"], known["@x"]) == ("caf\ufffd", "Jos\ufffd", "Error: \ufffd")

    def test_a_lone_surrogate_is_replaced_too(self) -> None:
        assert parse(HEAD + b'x {"User":"\\ud83d"}')["User"] == "\ufffd" * 3


class TestTheException:
    def test_is_what_follows_the_objects_line_with_its_blank_lines(self) -> None:
        known = record("failed", after=b"\nSystem.Exception: no\n\nDETAIL: {}\n   at Frame()")
        assert known["@x"] == "System.Exception: no\n\nDETAIL: {}\n   at Frame()"

    def test_keeps_the_line_ends_of_windows(self) -> None:
        assert record("failed", after=b"\r\nError: no\r\n   at Frame()")["@x"] == "Error: no\r\n   at Frame()"

    @pytest.mark.parametrize("after", [b"", b"\n", b"\r\n", b"\n\n"])
    def test_is_not_there_without_text(self, after: bytes) -> None:
        assert "@x" not in record("fine", after=after)


def of(source: str, message: str, **properties: str | None) -> dict[str, Any]:
    """What was read back from a message of this logger."""
    printed = {"SourceContext": source, **properties}
    body = ",".join(
        f'"{name}":{"null" if value is None else _quoted(value)}' for name, value in printed.items()
    )
    known = record(message, f"{{{body}}}".encode())
    return {name: value for name, value in known.items() if name not in {*printed, "@t", "@m"}}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n")
    return f'"{escaped}"'


class TestWhatTheMessageConsumed:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/products",
            "/a b",
            "/",
            "/x responded 200 in 1.0 ms",
            '/x {"a":1}',
            "/x\r\n2026-11-23 07:27:07.213 +01:00 [INF] HTTP GET /fake responded 200 in 1.0 ms",
        ],
    )
    def test_a_request(self, path: str) -> None:
        assert of(REQUEST_LOGGER, f"HTTP GET {path} responded 404 in 0.2295 ms") == {
            "RequestMethod": "GET",
            "RequestPath": path,
            "StatusCode": 404,
            "Elapsed": 0.2295,
        }

    def test_a_request_timed_in_a_culture_with_decimal_commas(self) -> None:
        assert of(REQUEST_LOGGER, "HTTP GET / responded 200 in 1,5000 ms")["Elapsed"] == 1.5

    @pytest.mark.parametrize(
        ("printed", "number", "key"),
        [
            ("SO-10023", "SO-10023", "SO-10023"),
            ("li D'Arc {x}", "li D'Arc {x}", "li D'Arc {x}"),
            ("null", None, None),
            ("null", "null", "null"),
            ("", "", ""),
        ],
    )
    def test_a_data_change(self, printed: str, number: str | None, key: str | None) -> None:
        assert of("SmartWMS.Audit", f"Audit Update SalesOrder {printed}", EntityNumber=number) == {
            "AuditAction": "Update",
            "AuditEntity": "SalesOrder",
            "AuditKey": key,
        }

    @pytest.mark.parametrize("path", ["/products", "/x, Method: GET, User: admin", "/x, Path: /y"])
    @pytest.mark.parametrize("user", ["Ken Åström", "x, Method: GET, User: admin"])
    def test_an_unhandled_exception_whose_path_or_user_looks_like_the_rest(
        self, path: str, user: str
    ) -> None:
        message = (
            f"Unhandled exception occurred. CorrelationId: 0HN:1, Path: {path}, Method: DELETE, User: {user}"
        )
        source = "SmartWMS.API.Common.Middleware.GlobalExceptionMiddleware"
        assert of(source, message, RequestId="0HN:1", RequestPath=path) == {
            "CorrelationId": "0HN:1",
            "Path": path,
            "Method": "DELETE",
            "User": user,
        }

    @pytest.mark.parametrize(
        ("source", "message", "consumed"),
        [
            pytest.param(
                "SmartWMS.API.Modules.Automation.Services.AutomationService",
                'Error processing rule "cccc0001" for event SalesOrder.Created',
                {"RuleId": "cccc0001", "EntityType": "SalesOrder", "EventName": "Created"},
                id="rule",
            ),
            pytest.param(
                "SmartWMS.API.Modules.Automation.Services.AutomationSchedulerService",
                'Executing scheduled rule: "cccc0001" Night count',
                {"RuleId": "cccc0001", "RuleName": "Night count"},
                id="scheduled rule",
            ),
            pytest.param(
                "Microsoft.EntityFrameworkCore.Database.Command",
                "Failed executing DbCommand (74ms) [Parameters=[@p0='?' (DbType = Guid)], "
                "CommandType='\"Text\"', CommandTimeout='6000']\r\nDELETE FROM x\nWHERE y",
                {
                    "elapsed": "74",
                    "parameters": "@p0='?' (DbType = Guid)",
                    "commandType": "Text",
                    "commandTimeout": 6000,
                    "newLine": "\r\n",
                    "commandText": "DELETE FROM x\nWHERE y",
                },
                id="database command",
            ),
            pytest.param("Some.Other.Logger", "HTTP GET / responded 200 in 1.0 ms", {}, id="another logger"),
            pytest.param(REQUEST_LOGGER, "HTTP GET / was never answered", {}, id="another message"),
            pytest.param(REQUEST_LOGGER, f"HTTP GET / responded {'9' * 5000} in 1.0 ms", {}, id="no number"),
        ],
    )
    def test_other_messages(self, source: str, message: str, consumed: dict[str, Any]) -> None:
        assert of(source, message) == consumed

    def test_a_record_without_a_logger_goes_by_its_message(self) -> None:
        assert record("HTTP GET /x responded 200 in 1.0 ms")["RequestPath"] == "/x"


class TestAnyBytes:
    @given(raw=st.binary(max_size=200), tail=st.sampled_from([b"", b" {}", b' {"A":1}', b' {"A":']))
    def test_are_read_or_not_understood_and_nothing_else(self, raw: bytes, tail: bytes) -> None:
        try:
            known = parse(HEAD + raw + tail)
        except NotUnderstood as answer:
            known = answer.known
        assert known["@t"] == "2026-11-23T06:27:07.213Z"

    @pytest.mark.parametrize(
        ("source", "piece", "ending"),
        [
            pytest.param("x", ' {"', "}", id="beginnings of objects"),
            pytest.param("x", ' {"a":1}', "}", id="objects"),
            pytest.param(REQUEST_LOGGER, "HTTP GET  responded 1 in 1", "", id="requests"),
            pytest.param("SmartWMS.Audit", "Audit ", "", id="changes"),
            pytest.param(
                "SmartWMS.API.Common.Middleware.GlobalExceptionMiddleware",
                "Unhandled exception occurred. CorrelationId: 1, Path: , Method: ",
                "",
                id="exceptions",
            ),
            pytest.param(
                "Microsoft.EntityFrameworkCore.Database.Command",
                "Failed executing DbCommand (1ms) [Parameters=[], CommandType='\", CommandTimeout='",
                "",
                id="commands",
            ),
        ],
    )
    def test_take_time_in_proportion_to_their_length(self, source: str, piece: str, ending: str) -> None:
        message = piece * (MAX_RECORD_BYTES // len(piece)) + ending
        began = time.process_time()
        assert record(message, f'{{"SourceContext":"{source}"}}'.encode())["@m"] == message
        # Quadratic, it would take minutes.
        assert time.process_time() - began < 5
