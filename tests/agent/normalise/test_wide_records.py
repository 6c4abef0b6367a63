"""A log in UTF-16 or UTF-32 (PowerShell's `>`, Serilog's `encoding: Unicode`) shows no secret either."""

from __future__ import annotations

import orjson
import pytest

from agent.formats import format_named
from agent.normalise import reader
from tests.agent.normalise.feeding import FILE, Event, Feeding, events, flags

SECRETS = ("hunter2hunter2", "abcdefgh12345678")
CLEF = (
    '{"@t":"2026-11-23T06:26:39.0000000Z","@mt":"Login of Jürgen",'
    '"Password":"hunter2hunter2","Url":"/x?token=abcdefgh12345678"}'
)
TEXT = (
    "2026-11-23 07:26:39.000 +01:00 [INF] Login of Jürgen, password=hunter2hunter2 "
    '{"Url":"/x?token=abcdefgh12345678","SourceContext":"SmartWMS.API.Auth"}'
)
PLAIN = '{"@t":"2026-11-23T06:26:39.0000000Z","@mt":"Nothing to hide","n":1}'
ENCODINGS = pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])


def read(format_name: str, text: str, encoding: str, end: str = "\n") -> list[Event]:
    """The events of a file of three such lines."""
    feeding = Feeding(format_name)
    framer = format_named(format_name).framer()
    records = framer.split(((text + end) * 3).encode(encoding), 0) + framer.flush()
    return events(feeding.normaliser.feed(FILE, records, framer.flags, 1) + feeding.normaliser.flush())


@ENCODINGS
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("format_name", "text"), [("clef", CLEF), ("serilog-text", TEXT), ("nginx-json", CLEF)]
)
def test_no_secret_of_it_is_shown(format_name: str, text: str, encoding: str, end: str) -> None:
    told = read(format_name, text, encoding, end)
    printed = orjson.dumps(told).decode().replace("\\u0000", "")
    assert "Login of J" in printed
    assert [secret for secret in SECRETS if secret in printed] == []
    assert all("redacted" in flags(event) for event in told)


@ENCODINGS
def test_a_record_of_ascii_is_understood(encoding: str) -> None:
    told = read("clef", PLAIN, encoding)
    assert [event["event"]["original"] for event in told if "unparsed" not in flags(event)] == [PLAIN] * 3
    assert {event["@timestamp"] for event in told} == {"2026-11-23T06:26:39.000000000Z"}


@ENCODINGS
def test_nor_where_it_cannot_be_read(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(reader.Reader, "read", failing)
    printed = orjson.dumps(read("clef", CLEF, encoding)).decode().replace("\\u0000", "")
    assert "Login of J" in printed
    assert [secret for secret in SECRETS if secret in printed] == []


def test_a_nul_alone_stays_where_it_is() -> None:
    assert Feeding().one(b"\x01 wh\0at")["event"]["original"] == "\x01 wh\0at"
