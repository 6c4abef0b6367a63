"""A record that a version cannot do is an event all the same: its text, at its time, without its secrets."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from agent.normalise import change_lines, encoder, normaliser, other_lines, reader
from agent.normalise.encoder import Encoder
from agent.normalise.faults import told
from indexer.event import Flag, event_hash
from tests.agent.normalise.feeding import (
    FILE,
    TENANT,
    Feeding,
    change,
    events,
    flags,
    log,
    request,
    tenant,
    tenants,
    what,
)

POISON = "a poisonous record"


def fails_for_poison(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
    """Let a step of the normaliser fail for records that say POISON, and for no other."""
    step = getattr(owner, name)

    def failing(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as the step has them
        if any(POISON in str(each) for each in given):
            raise RecursionError("too deep, whatever that is")
        return step(*given, **named)

    monkeypatch.setattr(owner, name, failing)


@pytest.fixture(params=["reading", "classifying", "encoding"])
def feeding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Feeding:
    """A source in which a record of POISON cannot be read, or classified, or encoded."""
    if request.param == "reading":
        fails_for_poison(monkeypatch, reader.Reader, "read")
    elif request.param == "classifying":
        fails_for_poison(monkeypatch, other_lines, "rendered")
        fails_for_poison(monkeypatch, normaliser, "facts_of")
        fails_for_poison(monkeypatch, change_lines.ChangeLines, "_owner")
    else:
        encode = Encoder.encode

        def failing(self: Encoder, draft: Any, *given: Any) -> Any:  # noqa: ANN401 - as it has them
            if POISON in str(draft.labels):
                raise RecursionError
            return encode(self, draft, *given)

        monkeypatch.setattr(Encoder, "encode", failing)
    return Feeding()


def poison(**more: object) -> dict[str, Any]:
    return log(POISON, Told=POISON, **more)


class TestARecordThatMakesTheNormaliserFail:
    def test_is_kept_whole_at_its_own_time(self, feeding: Feeding) -> None:
        event = feeding.one(poison())
        assert what(event) == ("system", "logged", "unknown")
        assert flags(event) == {"unparsed"}
        assert event["@timestamp"] == "2026-11-23T06:26:39.000000000Z"
        assert event["event"]["original"] == orjson.dumps(poison()).decode()
        assert event["event"]["hash"] == event_hash(event)
        assert event["labels"]["reason"].startswith("RecursionError at ")

    def test_is_without_its_secrets(self, feeding: Feeding) -> None:
        secret = {"Password": "hunter22", "Settings": {"Key": "Smtp:Password", "Value": "hunter33"}}
        event = feeding.one(poison(**secret))
        assert "hunter" not in orjson.dumps(event).decode()
        assert flags(event) == {"unparsed", "redacted"}

    def test_spoils_no_neighbour(self, feeding: Feeding) -> None:
        number = "0HNQ95ATOEJFE:00000001"
        found = feeding.feed(change(), poison(RequestId=number), request(method="PUT"), log())
        found += events(feeding.normaliser.flush())
        assert sorted(what(event) for event in found) == [
            ("api", "called", "success"),
            ("products", "updated", "success"),
            ("system", "logged", "unknown"),
            ("system", "logged", "unknown"),
        ]
        assert sum("unparsed" in flags(event) for event in found) == 1

    def test_is_counted_once_and_no_dead_letter(self, feeding: Feeding) -> None:
        ((_, _, _, token, *_),) = (*feeding.documents(poison(), token="t"), *feeding.normaliser.flush())
        assert token == "t"
        assert feeding.normaliser.failures == []


class TestARecordWhoseSecretsCannotBeTold:
    @pytest.fixture
    def feeding(self, monkeypatch: pytest.MonkeyPatch) -> Feeding:
        fails_for_poison(monkeypatch, reader.Reader, "read")
        fails_for_poison(monkeypatch, reader.Reader, "as_text")
        return Feeding()

    def test_is_a_dead_letter_that_says_nothing_of_it(self, feeding: Feeding) -> None:
        assert feeding.documents(log(), poison(), token="t") != []
        (failure,) = feeding.normaliser.failures
        assert (failure.token, failure.file, failure.position) == (
            "t",
            FILE.path,
            len(orjson.dumps(log())) + 1,
        )
        assert POISON not in str(failure)

    def test_is_none_when_it_was_stored_before_a_restart(self, feeding: Feeding) -> None:
        feeding.normaliser.warm(FILE, [(0, orjson.dumps(poison()))])
        assert feeding.normaliser.failures == []


class TestAFaultOfThisMachine:
    @pytest.fixture(params=[OSError(24, "Too many open files"), MemoryError()], ids=["files", "memory"])
    def fault(self, request: pytest.FixtureRequest) -> Exception:
        fault: Exception = request.param
        return fault

    @pytest.mark.parametrize(
        ("owner", "name"),
        [(reader.Reader, "read"), (Encoder, "encode"), (encoder, "_wall_clock"), (other_lines, "rendered")],
        ids=["reading", "encoding", "the wall clock", "classifying"],
    )
    def test_delays_records_and_gives_up_none(
        self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, fault: Exception
    ) -> None:
        def failing(*_: object, **__: object) -> None:
            raise fault

        calm, feeding = Feeding(), Feeding()
        given = [(0, orjson.dumps(change())), (500, orjson.dumps(log())), (900, orjson.dumps(request()))]
        found = feeding.normaliser.feed(FILE, [], {}, "t")
        records = list(given)
        framed: dict[int, tuple[str, ...]] = {500: (Flag.TRUNCATED.value,)}
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, failing)
            found += feeding.normaliser.feed(FILE, records, framed, "t")
            found += feeding.normaliser.tick()
            assert records or feeding.normaliser.is_delayed
            assert feeding.normaliser.fault == told(fault)
        found += feeding.normaliser.feed(FILE, records, framed, "t")
        found += feeding.normaliser.tick()
        assert (records, framed, feeding.normaliser.is_delayed) == ([], {}, False)
        assert feeding.normaliser.failures == []
        expected = calm.normaliser.feed(FILE, given, {500: (Flag.TRUNCATED.value,)}, "t")
        assert sorted(each[-1] for each in found) == sorted(each[-1] for each in expected)

    def test_is_none_where_a_zone_is_unknown_here_then_it_is_utc_and_said_once(self) -> None:
        feeding = Feeding(known=tenants(tenant(zone="Europe/Newtown")))
        with capture_logs() as said:
            found = feeding.feed(log(TenantId=TENANT), log(TenantId=TENANT))
        assert [event["local"]["zone"] for event in found] == ["UTC", "UTC"]
        assert [each["event"] for each in said] == ["zone_unknown"]
