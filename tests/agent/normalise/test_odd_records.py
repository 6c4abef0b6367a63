"""Records that nobody writes on purpose: nothing raises, nothing is lost, OpenSearch takes every event."""

from __future__ import annotations

import contextlib
import itertools
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.normalise.source import FileInfo
from indexer import bulk, partitions
from indexer.client import Client
from indexer.event import VALUE_LIMIT_BYTES, event_hash
from indexer.verdict import Kind
from tests.agent.normalise.feeding import (
    DAYS,
    Event,
    Feeding,
    change,
    events,
    flags,
    log,
    request,
    sample_documents,
)
from tests.support.store import Store

LONG = "x" * 40_000
LONGEST_TERM = 32_766
DEEP: Any = "leaf"
for _ in range(60):
    DEEP = {"down": DEEP}
DEEP_AS_STORED: Any = "leaf"
for _ in range(15):
    DEEP_AS_STORED = {"down": DEEP_AS_STORED}
ODD: dict[str, object] = {
    "a list": ["a", {"b": 1}],
    "an object": {"a": {"b": [1, 2]}},
    "a number": 5,
    "a float": 1.5,
    "a huge number": 1.5e308,
    "a truth": True,
    "null": None,
    "nothing": "",
    "long": LONG,
    "deep": DEEP,
    "as deep as it is stored": DEEP_AS_STORED,
    "a list of lists": [[[[[["x"]]]]]],
    "control characters": "\x00\x01\x1f\x7f\u2028",
    "not ASCII": "Åström 漢字 🦊",
    "a newline": "a\r\nb",
}
PROPERTIES = sorted(
    {name for record in (request(), change()) for name in record}
    | {
        *(
            "@l",
            "@x",
            "@m",
            "@r",
            "@tr",
            "@sp",
            "UserId",
            "UserName",
            "UserEmail",
            "ClientIP",
            "UserAgent",
            "User",
        )
    }
    | {*("QueryString", "UserTenantId", "AttemptedUser", "CorrelationId", "IpAddress", "claimed_tenant")}
)
FILES = itertools.count()
LONG_NAMES: Any = LONG
for _ in range(15):
    LONG_NAMES = {"🦊" * 600: LONG_NAMES}
RAW = {
    "long names in each other": orjson.dumps({**log(), "a": LONG_NAMES}),
    "long names in each other, changed": orjson.dumps(change(NewValues=LONG_NAMES)),
    "a lone surrogate": b'{"@t":"2026-11-23T06:26:39.0000000Z","@mt":"x","a":"\\ud800","\\udfff":1}',
    "200 digits": b'{"@t":"2026-11-23T06:26:39.0000000Z","@mt":"x","a":%b}' % (b"9" * 200),
    "40 kB of key": b'{"@t":"2026-11-23T06:26:39.0000000Z","%b":1}' % LONG.encode(),
    "the same key twice": b'{"@t":"2026-11-23T06:26:39.0000000Z","a":1,"a":2}',
    "a dotted key": b'{"@t":"2026-11-23T06:26:39.0000000Z","a.b":1,"a":{"b":2},"":3}',
    "invalid UTF-8": b'{"@t":"2026-11-23T06:26:39.0000000Z","a":"\xff\xfe"}',
    "no JSON": b"\x00\x01 what",
    "a list": b"[1,2]",
    "an empty object": b"{}",
    **{
        f"{count} {what} {where}": b'{"@t":"2026-11-23T06:26:39.0000000Z",%b%b%b%b}'
        % (
            b'"password":"hunter22","c":"token=abcdefgh",' if where == "beside a secret" else b"",
            b'"password":' if where == "in a secret" else b'"a":',
            opened * count + b"1" * (opened != b"["),
            closed * count,
        )
        for count in (17, 254, 255, 300, 1000, 1022, 5000)
        for what, opened, closed in (("lists", b"[", b"]"), ("objects", b'{"a":', b"}"))
        for where in ("", "beside a secret", "in a secret")
    },
}
DEEP_TEXTS = [
    b'2026-11-23 07:26:35.363 +01:00 [INF] HTTP GET /x {"a":%b responded 404 in 1.0 ms %b' % (deep, printed)
    for deep in (b"[" * 300 + b"]" * 300 + b"}", b'{"a":' * 1000 + b"1" + b"}" * 1001, b"[" * 1000)
    for printed in (b'{"SourceContext":"X"}', b"", b'{"password":"hunter22"}')
]


@cache
def feeding_of(format_name: str) -> Feeding:
    return Feeding(format_name)


def fed(record: dict[str, Any] | bytes, format_name: str = "clef") -> Event:
    """The event of a record by itself, in a file of its own; one source is enough for all of them."""
    feeding = feeding_of(format_name)
    (event,) = (
        *feeding.feed(record, file=FileInfo("odd", next(FILES).to_bytes(5))),
        *events(feeding.normaliser.flush()),
    )
    return event


def checked(event: Event, raw: bytes) -> None:
    """What holds for every event, whatever the record."""
    assert event["event"]["hash"] == event_hash(event)
    assert isinstance(event["message"], str)
    assert event["message"]
    if not flags(event) & {"redacted"}:
        assert event["event"]["original"] == raw.decode(errors="replace")
    for name, kind in (("user", dict), ("labels", dict), ("trace", dict), ("log", dict)):
        assert isinstance(event.get(name, {}), kind)
    assert all(isinstance(value, str) for value in event.get("user", {}).values())
    assert all(isinstance(value, str) for value in event["log"].values())
    assert isinstance(event.get("trace", {}).get("id", ""), str)
    assert all(isinstance(value, str) for value in event.get("entity", {}).values())


class TestAPropertyOfAnUnexpectedType:
    @pytest.mark.parametrize("make", [request, change, log])
    @pytest.mark.parametrize("odd", ODD)
    def test_makes_an_event_all_the_same(self, make: Any, odd: str) -> None:  # noqa: ANN401
        for name in PROPERTIES:
            record = {**make(), name: ODD[odd]}
            checked(fed(record), orjson.dumps(record))

    @pytest.mark.parametrize("name", RAW)
    def test_or_bytes_make_an_event_all_the_same(self, name: str) -> None:
        checked(fed(RAW[name]), RAW[name])

    @pytest.mark.parametrize("raw", DEEP_TEXTS)
    def test_or_a_path_as_deep_as_a_client_likes_does(self, raw: bytes) -> None:
        checked(fed(raw, "serilog-text"), raw)

    def test_that_is_nested_too_deep_is_cut_and_says_so(self) -> None:
        event = fed({**log(), "a": DEEP})
        assert flags(event) == {"truncated"}
        assert "nested too deep" in orjson.dumps(event["labels"]).decode()

    @pytest.mark.parametrize("depth", range(1, 16))
    def test_whose_names_are_long_keeps_as_much_as_the_store_takes(self, depth: int) -> None:
        for char in ("k", "é", "漢", "🦊"):
            value: Any = LONG
            for _ in range(depth):
                value = {char * 600: [value]} if depth < 8 else {char * 600: value}
            labels = fed({**log(), "a": value})["labels"]
            path, leaf = "labels.labels.a", labels["a"]
            while not isinstance(leaf, str):
                if isinstance(leaf, list):
                    (leaf,) = leaf
                else:
                    ((name, leaf),) = leaf.items()
                    path = f"{path}.{name}"
            assert len(f"{path}={leaf}".encode()) <= LONGEST_TERM
            assert len(leaf.encode()) == VALUE_LIMIT_BYTES or len(path.encode()) > LONGEST_TERM - 8300


@pytest.mark.parametrize("make", [request, change, log])
def test_the_id_of_a_span_stays_in_the_original_alone(make: Any) -> None:  # noqa: ANN401
    event = fed({**make(), "@sp": "ab12cd34ef567890"})
    assert "@sp" not in event["labels"]
    assert orjson.dumps(event).count(b"ab12cd34ef567890") == 1


numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


class TestAnyRecord:
    @given(
        base=st.sampled_from([request(), change(), log(), {}]),
        odd=st.dictionaries(st.sampled_from(PROPERTIES) | st.text(max_size=6), json_values, max_size=5),
    )
    def test_makes_an_event(self, base: dict[str, Any], odd: dict[str, Any]) -> None:
        raw = orjson.dumps({**base, **odd})
        checked(fed(raw), raw)

    @given(st.binary(max_size=200))
    def test_or_bytes_make_an_event(self, raw: bytes) -> None:
        for format_name in ("clef", "serilog-text", "nginx-json", "nginx-combined", "trail"):
            checked(fed(raw or b"x", format_name), raw or b"x")

    @given(
        name=st.sampled_from(["nginx-json", "trail"]),
        odd=st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "time",
                        "msec",
                        "remote_addr",
                        "remote_user",
                        "method",
                        "uri",
                        "status",
                        "request_time",
                    ),
                    *("user_agent", "request_id", "tenant", "Action", "Outcome", "Message", "Path", "Method"),
                    *("StatusCode", "UserId", "TenantId", "@t", "@l", "@m", "SourceContext", "@tr"),
                ]
            ),
            json_values,
            max_size=8,
        ),
    )
    def test_of_the_proxy_or_the_trail_makes_an_event(self, name: str, odd: dict[str, Any]) -> None:
        raw = orjson.dumps(odd)
        checked(fed(raw, name), raw)


class TestOpenSearch:
    """The store is the judge: its mapping is strict."""

    def stored(self, store: Store, documents: list[Any]) -> list[str]:
        """Causes of what was not stored."""
        causes = []
        with contextlib.closing(Client(store.settings)) as client:
            for name in {document[0] for document in documents}:
                partitions.ensure(client, name)
            for first in range(0, len(documents), 1000):
                verdicts = bulk.send(client, documents[first : first + 1000])
                causes += [str(verdict) for verdict in verdicts if verdict.kind is not Kind.STORED]
        return causes

    def test_takes_every_document_of_the_samples(self, store: Store) -> None:
        logs = [(f"{day}.clef", "clef") for day in DAYS] + [(f"{day}.log", "serilog-text") for day in DAYS]
        logs += [("enriched/access.json.log", "nginx-json"), ("enriched/access.log", "nginx-combined")]
        documents: list[Any] = []
        for path, name in logs:
            documents += sample_documents(path, name, prefix=store.prefix, host=path)
        assert self.stored(store, documents) == []
        assert len(documents) == 2 * sum(DAYS.values()) + 2 * 1846

    def test_takes_every_odd_one(self, store: Store) -> None:
        feeding = Feeding(prefix=store.prefix)
        documents: list[Any] = []
        for name in PROPERTIES:
            for odd in ODD.values():
                for base in (request(), change(), log()):
                    documents += feeding.documents({**base, name: odd})
        for raw in RAW.values():
            documents += feeding.documents(raw)
        documents += feeding.normaliser.flush()
        documents += feeding.normaliser.accept_ahead()
        assert self.stored(store, documents) == []
