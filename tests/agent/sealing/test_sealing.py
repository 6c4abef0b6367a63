"""A whole agent on a live store: whatever is done to it, what it shipped is sealed."""

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from agent.sealing.state import SealState
from indexer import keys, tenants
from indexer.classes import DEFAULTS
from indexer.client import Client
from indexer.documents import Documents
from indexer.query import Window
from indexer.seals.report import Extent, Report
from indexer.seals.states import State
from indexer.seals.verify import Verification
from tests.support.sealing import told
from tests.support.shipping import CHANGES_LOGGED, Shipping, Writer
from tests.support.store import Store

PATIENCE_SECS = 60.0
SEALS = """
[seals]
count = 40
secs = 600
anchor_file = "outside/anchors.jsonl"
"""

# Each step of a seal, and how many lines make the agent take it.
STEPS = {
    "agent.sealing.state:SealState.append": 10,
    "agent.sources.checkpoints:save": 10,
    "agent.sealing.state:SealState.write": 60,
    "indexer.seals.shelf:Shelf.put": 60,
    "agent.sealing.state:SealState.shelved": 60,
}


@pytest.fixture
def shipping(store: Store, tmp_path: Path) -> Shipping:
    client = Client(store.settings)
    for kind in ("tenants", "certificates"):
        Documents(client, store.prefix, kind).prepare()
    tenants.record_classes(client, store.prefix, DEFAULTS)
    client.close()
    return Shipping(tmp_path, store, CHANGES_LOGGED + SEALS)


@pytest.fixture
def client(store: Store) -> Iterator[Client]:
    client = Client(store.settings)
    yield client
    client.close()


def verified(client: Client, shipping: Shipping, *, pinned: tuple[str, ...] = ()) -> Report:
    # As if a day had passed: nothing may still be on its way to its seal.
    now = datetime.now(UTC) + timedelta(days=1)
    return Verification(client, shipping.store.prefix, Extent(None, Window()), now=now).run((), pinned)


def write(shipping: Shipping, writer: Writer, count: int) -> None:
    with (shipping.logs / "app.clef").open("ab") as log:
        log.write(writer.lines(count))


def until_stored(shipping: Shipping, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while shipping.count() < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def anchors(shipping: Shipping) -> list[dict[str, Any]]:
    lines = (shipping.folder / "outside" / "anchors.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


def test_what_is_shipped_is_sealed_root_and_all_and_anchored(client: Client, shipping: Shipping) -> None:
    writer = Writer()
    write(shipping, writer, 100)
    assert shipping.once()["stored"] == 100
    report = verified(client, shipping)
    assert told(report) == {"verified": 100}
    [chain] = report.chains
    assert (chain.host, report.roots_count) == ("app-1", len(chain.seals))
    assert [each["number"] for each in anchors(shipping)] == sorted(chain.seals)
    assert SealState(shipping.state).waiting() == []
    shown = shipping.agent("seals", "key")
    assert keys.public_pem(chain.key).decode() == shown.stdout
    write(shipping, writer, 10)
    shipping.once()
    report = verified(client, shipping)
    assert told(report) == {"verified": 110}
    assert [len(chain.seals) for chain in report.chains] == [len(anchors(shipping))]


def test_an_agent_killed_anywhere_leaves_nothing_unsealed(client: Client, shipping: Shipping) -> None:
    writer = Writer()
    for number in range(2):
        write(shipping, writer, 100)
        agent = shipping.start()
        until_stored(shipping, 100 * number + (1, 60)[number])
        agent.kill()
        agent.wait(PATIENCE_SECS)
    shipping.once()
    shipping.assert_shipped(writer)
    report = verified(client, shipping)
    assert told(report) == {"verified": shipping.count()}
    assert len(report.chains) == 1


def test_a_kill_before_or_after_any_step_leaves_nothing_unsealed(client: Client, shipping: Shipping) -> None:
    writer = Writer()
    for step, count in STEPS.items():
        for moment in ("before", "after"):
            write(shipping, writer, count)
            assert shipping.dying(step, moment) == -signal.SIGKILL, (step, moment)
    write(shipping, writer, 10)
    shipping.once()
    shipping.assert_shipped(writer)
    report = verified(client, shipping)
    assert told(report) == {"verified": shipping.count()}
    assert len(report.chains) == 1


def test_a_state_that_is_lost_begins_a_chain_anew_and_everything_is_verified(
    client: Client, shipping: Shipping
) -> None:
    writer = Writer()
    write(shipping, writer, 50)
    shipping.once()
    for path in sorted(shipping.state.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    write(shipping, writer, 50)
    assert shipping.once()["duplicate"] == 50
    report = verified(client, shipping)
    assert told(report) == {"verified": 100}
    assert len(report.chains) == 2
    assert report.restarted == [max(report.chains, key=lambda chain: chain.seals[0].time).id]


def test_a_rotated_key_is_handed_over_to_and_the_old_one_is_gone(client: Client, shipping: Shipping) -> None:
    writer = Writer()
    write(shipping, writer, 50)
    shipping.once()
    first = keys.load(shipping.state / "sealing.key", "key").public
    assert shipping.agent("seals", "rotate").returncode == 0
    again = shipping.agent("seals", "rotate")
    assert again.returncode == 2
    assert "has not handed over yet" in again.stderr
    write(shipping, writer, 50)
    shipping.once()
    report = verified(client, shipping, pinned=(first,))
    assert told(report) == {"verified": 100}
    assert [bool(chain.last.successor) for chain in report.chains] == [True, False]
    assert [path.name for path in shipping.state.glob("sealing.key*")] == ["sealing.key"]


def test_seals_that_the_store_does_not_take_wait_and_delivery_goes_on(
    client: Client, shipping: Shipping
) -> None:
    index = f"{shipping.store.prefix}-seals"
    client.request("PUT", f"/{index}")
    writer = Writer()
    write(shipping, writer, 100)
    done = shipping.agent("run", "--once")
    assert json.loads(done.stdout)["stored"] == 100
    assert f"seals_not_stored: where=store, reason=index {index} is editable" in done.stderr
    assert SealState(shipping.state).waiting()
    client.request("DELETE", f"/{index}")
    shipping.once()
    assert told(verified(client, shipping)) == {"verified": 100}


def test_dead_letters_that_are_replayed_are_sealed(client: Client, shipping: Shipping) -> None:
    writer = Writer()
    write(shipping, writer, 10)
    shipping.once()
    [partition] = {
        row["index"]
        for row in client.request(
            "GET", f"/_cat/aliases/{shipping.store.prefix}-audit", params={"format": "json"}
        ).json
    }
    for event in list(shipping.events())[:3]:
        letter = {"id": event["event"]["id"], "partition": partition, "cause": "x", "at": "x", "body": event}
        with (shipping.state / "dead-letters.jsonl").open("ab") as file:
            file.write(orjson.dumps(letter) + b"\n")
    client.request("DELETE", f"/{partition}")
    assert json.loads(shipping.agent("dead-letters", "replay").stdout)["stored"] == 3
    assert list((shipping.state / "seals").glob("replayed-*"))
    shipping.once()
    assert not list((shipping.state / "seals").glob("replayed-*"))
    report = verified(client, shipping)
    assert report.totals[State.VERIFIED] == 3
    assert sum(chain.count for chain in report.chains) == 13


def test_without_seals_nothing_is_sealed_and_no_key_is_made(shipping: Shipping) -> None:
    shipping.config.write_text(CHANGES_LOGGED + "[seals]\nenabled = false\n")
    write(shipping, Writer(), 10)
    assert shipping.once()["stored"] == 10
    assert not (shipping.state / "sealing.key").exists()
    assert not (shipping.state / "seals").exists()
