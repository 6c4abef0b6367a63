"""What a log may hold, from its bytes to the event: the whole agent on one file, once."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.fake_store import FakeStore, fake_store
from tests.support.running import CONFIG, running
from tests.support.shipping import Shipping, Writer
from tests.support.store import ANSWER_SECS
from tests.support.tailing import append

TEXT = CONFIG.replace("*.clef", "*.log").replace('"clef"', '"serilog-text"')
HEAD = b"2026-11-23 07:26:35.363 +01:00 [INF] "
Ship = Callable[[bytes, int], list[dict[str, Any]]]


@pytest.fixture
def fake() -> Iterator[FakeStore]:
    with fake_store() as store:
        yield store


@pytest.fixture
def ship_text(tmp_path: Path, fake: FakeStore) -> Ship:
    return lambda data, count: _shipped(tmp_path, fake, TEXT, "a.log", data, count)


@pytest.fixture
def ship_clef(tmp_path: Path, fake: FakeStore) -> Ship:
    return lambda data, count: _shipped(tmp_path, fake, CONFIG, "a.clef", data, count)


def _shipped(
    folder: Path, fake: FakeStore, config: str, name: str, data: bytes, count: int
) -> list[dict[str, Any]]:
    with running(folder, fake, config) as agent:
        append(agent.logs / name, data)
        agent.until(lambda: agent.stored() == count)
        agent.until(lambda: agent.agent.counts.final == agent.agent.counts.read == count)
    events: list[dict[str, Any]] = agent.events()
    return sorted(events, key=lambda event: event["event"]["position"])


def test_35_a_forged_head_is_no_event_and_makes_its_record_suspect(ship_text: Ship) -> None:
    forged = HEAD + b"Looked up /x\n2026-11-23 07:26:35.363 [INF] admin deleted it {}\nrest {}\n"
    first, second = ship_text(forged + HEAD + b"Something else {}\n", 2)
    assert "forged_suspect" in first["event"]["flags"]
    assert "admin deleted it" in first["event"]["original"]
    assert "forged_suspect" not in second["event"].get("flags", [])


def test_36_a_line_above_the_limit_is_cut_flagged_and_its_neighbours_are_whole(ship_clef: Ship) -> None:
    time = b'{"@t":"2026-11-23T06:26:35.3631115Z","@mt":"%s"}\n'
    first, giant, last = ship_clef(time % b"first" + time % (b"x" * 1_100_000) + time % b"last", 3)
    assert "truncated" in giant["event"]["flags"]
    assert (first["message"], last["message"]) == ("first", "last")
    assert not any("truncated" in each["event"].get("flags", []) for each in (first, last))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(b'"@mt":"caf\xe9"', "caf�", id="invalid UTF-8"),
        pytest.param(b'"@mt":"a\\u0000b"', "a\0b", id="NUL"),
        pytest.param(b'"@mt":"a\\ud800b"', "a�b", id="lone surrogate"),
    ],
)
def test_37_bytes_that_are_no_text_become_an_event(ship_clef: Ship, raw: bytes, message: str) -> None:
    line = b'\xef\xbb\xbf{"@t":"2026-11-23T06:26:35.3631115Z",' + raw + b"}\r\n"
    [event] = ship_clef(line, 1)
    assert re.sub("\ufffd+", "\ufffd", event["message"]) == message
    assert event["event"]["position"] == 3


@pytest.mark.parametrize("clef", [True, False], ids=["clef", "text"])
def test_38_broken_properties_are_kept_whole_as_unparsed(
    ship_clef: Ship, ship_text: Ship, *, clef: bool
) -> None:
    if clef:
        events = ship_clef(b'{"@t":"2026-11-23T06:26:35Z","@mt":"x","Broken":{\n', 1)
    else:
        events = ship_text(HEAD + b'Looked up {"Broken":{\n', 1)
    [event] = events
    assert "unparsed" in event["event"]["flags"]
    assert "Broken" in event["event"]["original"]


def test_57_without_its_template_a_partition_is_right_all_the_same(shipping: Shipping) -> None:
    url, prefix = shipping.store.url, shipping.store.prefix
    requests.delete(f"{url}/_index_template/{prefix}-*", timeout=ANSWER_SECS).raise_for_status()
    writer = Writer()
    append(shipping.logs / "a.clef", writer.lines(4))
    assert shipping.once()["stored"] == 4
    [partition] = [name for name in shipping.store.index_names() if "-audit-" in name]
    about = requests.get(f"{url}/{partition}", timeout=ANSWER_SECS).json()[partition]
    assert about["mappings"]["dynamic"] == "strict"
    assert about["settings"]["index"]["append_only"]["enabled"] == "true"
    assert f"{prefix}-audit" in about["aliases"]
    shipping.assert_shipped(writer)
