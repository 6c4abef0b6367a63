"""`audit-agent run --once`: what is there becomes events, once, and the account says so."""

import contextlib
import json
import shutil
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import requests

from agent.sources import checkpoints
from agent.sources.fingerprint import anchor_of
from tests.support.scale import SCALE
from tests.support.shipping import PROGRAM, Shipping, Writer
from tests.support.tailing import append

SAMPLES = Path(__file__).parents[1] / "corpus"
NOTHING = {"read": 0, "stored": 0, "duplicate": 0, "rejected": 0, "expired": 0}


def test_prints_one_json_line_and_nothing_else(shipping: Shipping) -> None:
    append(shipping.logs / "a.clef", Writer().lines(10))
    done = shipping.agent("run", "--once")
    assert done.stdout == '{"read":10,"stored":10,"duplicate":0,"rejected":0,"expired":0}\n'
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_second_run_reads_nothing_and_stores_nothing(shipping: Shipping) -> None:
    writer = Writer()
    append(shipping.logs / "a.clef", writer.lines(100))
    assert shipping.once()["stored"] == 100
    assert shipping.once() == NOTHING
    shipping.assert_shipped(writer)


def test_60_without_its_state_everything_is_sent_again_and_nothing_stored(shipping: Shipping) -> None:
    writer = Writer()
    append(shipping.logs / "a.clef", writer.lines(100))
    shipping.once()
    shutil.rmtree(shipping.state)
    assert shipping.once() == {**NOTHING, "read": 100, "duplicate": 100}
    shipping.assert_shipped(writer)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b'{"version":1,"digest":"0', "is torn", id="torn"),
        pytest.param(b'{"version":0}', "an older version", id="older"),
        pytest.param(b'{"version":7}', "a newer version", id="newer"),
    ],
)
def test_62_a_checkpoint_that_cannot_be_believed_is_said_and_costs_a_resend(
    shipping: Shipping, content: bytes, says: str
) -> None:
    append(shipping.logs / "a.clef", Writer().lines(20))
    shipping.once()
    (shipping.state / "checkpoint.json").write_bytes(content)
    done = shipping.agent("run", "--once")
    assert says in done.stderr
    assert json.loads(done.stdout) == {**NOTHING, "read": 20, "duplicate": 20}
    assert shipping.once() == NOTHING


def test_31_an_unfinished_last_line_is_left_to_the_next_run_and_said(shipping: Shipping) -> None:
    writer = Writer()
    path = shipping.logs / "a.clef"
    data = writer.lines(4)
    append(path, data[:-10])
    done = shipping.agent("run", "--once")
    assert json.loads(done.stdout)["stored"] == 3
    assert f"{path}: its last" in done.stderr
    append(path, data[-10:])
    assert shipping.once() == {**NOTHING, "read": 1, "stored": 1}
    shipping.assert_shipped(writer)


def test_73_two_identical_lines_are_two_events(shipping: Shipping) -> None:
    line = Writer().lines(1)
    append(shipping.logs / "a.clef", line + line)
    assert shipping.once()["stored"] == 2


def test_8_a_renamed_and_appended_log_goes_on_where_it_was(shipping: Shipping) -> None:
    writer = Writer()
    append(shipping.logs / "a.clef", writer.lines(10))
    shipping.once()
    (shipping.logs / "a.clef").rename(shipping.logs / "b.clef")
    append(shipping.logs / "b.clef", writer.lines(2))
    append(shipping.logs / "a.clef", writer.lines(3))
    assert shipping.once() == {**NOTHING, "read": 5, "stored": 5}
    shipping.assert_shipped(writer)


def test_secrets_of_the_samples_are_not_in_the_state_nor_in_the_output(shipping: Shipping) -> None:
    sample = SAMPLES / "enriched" / "smartwms-20261123.clef"
    shutil.copy(sample, shipping.logs)
    done = shipping.agent("run", "--once")
    assert done.returncode == 0
    kept = (
        done.stdout
        + done.stderr
        + "".join(path.read_text() for path in shipping.state.iterdir() if path.is_file())
    )
    secrets = set(_secrets(sample))
    assert len(secrets) > 100
    assert [secret for secret in secrets if secret in kept] == []


def _secrets(sample: Path) -> list[str]:
    found: list[str] = []
    for line in sample.read_bytes().splitlines():
        record = json.loads(line)
        for side in ("Before", "After", "OldValues", "NewValues", "Changes"):
            values = record.get(side) or {}
            values = json.loads(values) if isinstance(values, str) else values
            if isinstance(values, dict):
                found += [
                    str(value)
                    for name, value in values.items()
                    if name in {"RefreshToken", "PasswordHash", "SecurityStamp", "ConcurrencyStamp"} and value
                ]
    return found


def test_exits_3_when_the_store_does_not_answer_in_time(shipping: Shipping) -> None:
    shipping.environment["AUDIT_OPENSEARCH_URL"] = "http://127.0.0.1:9"
    done = shipping.agent("run", "--once", "--timeout", "1")
    assert done.returncode == 3
    assert "http://127.0.0.1:9" in done.stderr


def test_rejected_events_are_kept_listed_and_replayed(shipping: Shipping) -> None:
    pipeline = f"{shipping.store.prefix}-poison"
    shipping.once()
    store, writer = shipping.store, Writer()
    append(shipping.logs / "a.clef", writer.lines(2))
    shipping.once()
    [partition] = [name for name in store.index_names() if "-audit-" in name]
    _put(shipping, f"_ingest/pipeline/{pipeline}", {"processors": [
        {"convert": {"field": "labels.Number", "target_field": "labels.x", "type": "boolean"}}
    ]})  # fmt: skip
    _put(shipping, f"{partition}/_settings", {"index.default_pipeline": pipeline})
    append(shipping.logs / "a.clef", writer.lines(4))
    done = shipping.agent("run", "--once")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {**NOTHING, "read": 4, "rejected": 4}
    assert shipping.once() == NOTHING
    listing = shipping.agent("dead-letters", "list")
    assert listing.returncode == 1
    assert listing.stdout.count(f"  {partition}  ") == 4
    _put(shipping, f"{partition}/_settings", {"index.default_pipeline": "_none"})
    assert json.loads(shipping.agent("dead-letters", "replay").stdout)["stored"] == 4
    assert shipping.agent("dead-letters", "list").stdout == ""
    shipping.assert_shipped(writer)


def _put(shipping: Shipping, path: str, body: object) -> None:
    requests.put(f"{shipping.store.url}/{path}", json=body, timeout=30).raise_for_status()


class TestResend:
    """Whatever was sent before is stored once, however and why ever it is sent again."""

    def test_with_another_redaction_key(self, shipping: Shipping) -> None:
        shutil.copy(SAMPLES / "enriched" / "smartwms-20261123.clef", shipping.logs)
        count = shipping.once()["stored"]
        shutil.rmtree(shipping.state)
        assert shipping.once() == {**NOTHING, "read": count, "duplicate": count}

    def test_62_after_a_kill_between_answer_and_checkpoint(self, shipping: Shipping) -> None:
        writer = Writer()
        checkpoint = shipping.state / "checkpoint.json"
        append(shipping.logs / "a.clef", writer.lines(10))
        shipping.once()
        before = checkpoint.read_bytes()
        append(shipping.logs / "a.clef", writer.lines(10))
        assert shipping.once()["stored"] == 10
        checkpoint.write_bytes(before)
        assert shipping.once() == {**NOTHING, "read": 10, "duplicate": 10}
        shipping.assert_shipped(writer)

    def test_62_after_a_kill_between_write_and_rename(self, shipping: Shipping) -> None:
        append(shipping.logs / "a.clef", Writer().lines(10))
        shipping.once()
        (shipping.state / "checkpoint.json").rename(shipping.state / "checkpoint.json.new")
        assert shipping.once() == {**NOTHING, "read": 10, "duplicate": 10}

    def test_without_the_context_of_its_request(self, shipping: Shipping) -> None:
        writer = Writer()
        first, rest = writer.lines(1), writer.lines(9)
        append(shipping.logs / "a.clef", first + rest)
        shipping.once()
        checkpoint = shipping.state / "checkpoint.json"
        [entry], _ = checkpoints.load(checkpoint)
        middle = entry._replace(position=len(first), context_from=len(first), anchor=anchor_of(first))
        checkpoints.save(checkpoint, [middle])
        assert shipping.once() == {**NOTHING, "read": 9, "duplicate": 9}
        shipping.assert_shipped(writer)


def test_69_memory_is_bounded_whatever_the_backlog(shipping: Shipping) -> None:
    lines = 20_000 * SCALE
    append(shipping.logs / "a.clef", Writer().lines(lines))
    agent = subprocess.Popen(
        [PROGRAM, "run", "--once", "--config", shipping.config],
        env=shipping.environment,
        stdout=subprocess.DEVNULL,
    )
    process, peak_bytes = psutil.Process(agent.pid), 0
    while agent.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            peak_bytes = max(peak_bytes, process.memory_info().rss)
        time.sleep(0.02)
    assert agent.returncode == 0
    assert 0 < peak_bytes < 150 * 1024**2
    assert shipping.count() == lines
