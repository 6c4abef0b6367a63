"""Random programs of a writer, a store with faults and an agent that dies, against what was written."""

import gzip
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent import settings as agent_settings
from agent.compose import compose
from agent.pipeline import CHECKPOINT, Pipeline
from agent.telemetry import Counts
from indexer import tenants
from indexer.client import Client
from tests.support import fake_store as wrong
from tests.support.fake_store import fake_store
from tests.support.running import CONFIG
from tests.support.scale import SCALE
from tests.support.shipping import Writer
from tests.support.tailing import append

WHOLE = [429, 503, 401, wrong.DROP_BEFORE, wrong.DROP_AFTER, wrong.CUT, wrong.HTML, wrong.EMPTY,
         wrong.ONE_MISSING, wrong.ONE_MORE]  # fmt: skip
ITEM = [429, 403, 404, 500, 503]
# Of every document in some moment, and of none at the end.
REJECTED = 400


class AgentAndStore(RuleBasedStateMachine):
    """The whole agent but its loop, polled by the program, on a fake store and a clock of the program's own.

    Whatever happens: in the end every line is stored once or a dead letter, the counts add up, and never was
    a position saved that the store, or the dead letters, had not answered for.
    """

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.stack.callback(shutil.rmtree, self.folder)
        self.fake = self.stack.enter_context(fake_store())
        self.client = Client(self.fake.settings)
        self.stack.callback(self.client.close)
        config = CONFIG.replace("*.clef", "*.clef*").replace("[delivery]", "[delivery]\nbatch_count = 20")
        (self.folder / "agent.toml").write_text(config)
        self.settings = agent_settings.load(self.folder / "agent.toml")
        self.settings.state_dir.mkdir()
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        self.writer = Writer()
        self.rolls = 0
        self.current = self.logs / "log.clef"
        self.now = 1000.0
        self.start()

    def start(self) -> None:
        self.counts = Counts()
        copy = tenants.load(self.client, "smartwms", now=datetime.now(UTC))
        self.pipeline: Pipeline = compose(
            self.settings, self.fake.settings, self.client, copy, self.counts, lambda: None
        )

    # -- the writer

    @rule(requests=st.integers(1, 15))
    def write(self, requests: int) -> None:
        append(self.current, self.writer.lines(2 * requests))

    @precondition(lambda self: self.current.exists())
    @rule()
    def rename_and_create(self) -> None:
        self.rolls += 1
        self.current.rename(self.logs / f"log.{self.rolls}.clef")

    @precondition(lambda self: self.current.exists())
    @rule()
    def copy_and_truncate(self) -> None:
        self.rolls += 1
        shutil.copyfile(self.current, self.logs / f"log.{self.rolls}.clef")
        os.truncate(self.current, 0)

    @rule()
    def roll_by_name(self) -> None:
        self.rolls += 1
        self.current = self.logs / f"day-{self.rolls}.clef"

    @precondition(lambda self: self.rolls)
    @rule(at=st.floats(0, 0.999))
    def compress_an_old_one(self, at: float) -> None:
        old = [path for path in sorted(self.logs.glob("*.clef")) if path != self.current]
        if old:
            path = old[int(at * len(old))]
            path.with_suffix(".clef.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()

    # -- the store

    @rule(fault=st.sampled_from(WHOLE), every=st.integers(1, 3))
    def spoil_answers(self, fault: str | int, every: int) -> None:
        self.fake.whole = lambda request: None if request % every else fault
        self.write_and_send(5)

    @rule(status=st.sampled_from(ITEM), share=st.integers(2, 9))
    def refuse_items_for_a_while(self, status: int, share: int) -> None:
        self.fake.item = lambda _partition, id_, attempt: (
            status if attempt % 3 and sum(id_.encode()) % share == 0 else 201
        )
        self.write_and_send(5)

    @rule(share=st.integers(5, 15))
    def reject_items_for_good(self, share: int) -> None:
        self.fake.item = lambda _partition, id_, _attempt: REJECTED if sum(id_.encode()) % share == 0 else 201

    @rule()
    def mend(self) -> None:
        self.fake.whole, self.fake.item = wrong.fine, wrong.accept

    # -- the agent

    @rule(secs=st.sampled_from([0.1, 1.0, 30.0]), times=st.integers(1, 5), answered=st.booleans())
    def poll(self, secs: float, times: int, *, answered: bool) -> None:
        for _ in range(times):
            self.now += secs
            self.pipeline.poll(self.now)
            if answered:
                self.settle_requests()

    @rule(requests=st.integers(1, 15))
    def write_and_send(self, requests: int) -> None:
        self.write(requests)
        self.poll(1.0, 3, answered=True)

    @rule()
    def kill(self) -> None:
        for feed in self.pipeline.feeds:
            feed.tail.close()
        self.pipeline.lanes.stop()
        self.start()

    @rule()
    def restart(self) -> None:
        self.settle_requests()
        self.pipeline.close(self.now)
        self.start()

    @rule()
    def lose_the_checkpoint(self) -> None:
        (self.settings.state_dir / CHECKPOINT).unlink(missing_ok=True)
        self.kill()

    def settle_requests(self) -> None:
        for _ in range(500):
            if not self.pipeline.lanes.in_flight:
                return
            self.pipeline.lanes.turn(self.now)
            time.sleep(0.002)
        raise AssertionError("a request is under way for ever")

    # -- what must hold

    def answered(self) -> set[bytes]:
        letters = self.settings.state_dir / "dead-letters.jsonl"
        buried = letters.read_bytes().split(b"\n")[:-1] if letters.exists() else []
        events = [orjson.loads(body) for body in self.fake.documents.values()]
        events += [orjson.loads(letter)["body"] for letter in buried]
        return {event["event"]["original"].encode() for event in events}

    @invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, "pipeline"):
            assert self.pipeline.lanes.bytes_open < 30 * 1024**2

    def teardown(self) -> None:
        if not hasattr(self, "pipeline"):
            return
        try:
            self.mend()
            for _ in range(400):
                self.poll(1.0, 1, answered=True)
                if self.answered() == set(self.writer.written.values()) and self.pipeline.lanes.is_idle:
                    break
            self.poll(10.0, 3, answered=True)
            assert self.answered() == set(self.writer.written.values())
            stored = [orjson.loads(body)["event"]["original"] for body in self.fake.documents.values()]
            assert len(stored) == len(set(stored)), "a line is stored twice"
            assert self.counts.read == self.counts.final
            assert sum(feed.tail.troubles.lost_bytes for feed in self.pipeline.feeds) == 0
        finally:
            self.pipeline.close(self.now)
            self.stack.close()


AgentAndStore.TestCase.settings = settings(
    max_examples=12 * SCALE,
    stateful_step_count=25,
)
test_70_random_programs_of_writer_store_and_agent = AgentAndStore.TestCase
