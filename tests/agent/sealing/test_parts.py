"""The parts of sealing: what survives a torn file, where anchors go."""

import contextlib
import resource
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest

from agent.delivery.batches import Stored
from agent.errors import SettingsError
from agent.sealing import outlets
from agent.sealing.ledger import LOOK_SECS, Ledger, note
from agent.sealing.outlets import Outlet
from agent.sealing.state import SealState
from indexer.event import event_hash
from indexer.keys import SigningKey
from indexer.seals.leaves import Leaves
from tests.support.events import document
from tests.support.sealing import new_key

PARTITION = "smartwms-audit-business-2026.11.23"


def stored(number: int, **fields: object) -> Stored:
    """A document as the agent hands it to delivery."""
    made = document(number, fields)
    made["event"]["hash"] = event_hash(made)
    hash_ = bytes.fromhex(made["event"]["hash"])
    return PARTITION, made["event"]["id"], orjson.dumps(made), None, made["tenant"]["id"], hash_


def leaves(count: int) -> Leaves:
    made = Leaves()
    note(made, [stored(number) for number in range(count)], seen=False)
    return made


@contextlib.contextmanager
def full_after(path: Path, bytes_: int) -> Iterator[None]:
    """A disk that takes so many more bytes of a file, and then nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + bytes_, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestState:
    def ledger(self, state: SealState, count: int = 10, retired: SigningKey | None = None) -> Ledger:
        return Ledger(state, self.key, "app-1", count=count, secs=60, sealed=lambda: None, retired=retired)

    @pytest.fixture(autouse=True)
    def _key(self) -> None:
        self.key = new_key()

    def test_half_a_chunk_is_cut_off_and_what_was_flushed_before_it_is_sealed(self, tmp_path: Path) -> None:
        state = SealState(tmp_path)
        ledger = self.ledger(state)
        ledger.took([stored(1)], seen=False)
        ledger.save()
        ledger.took([stored(2)], seen=False)
        ledger.save()
        [path] = state.folder.glob("pending-*")
        path.write_bytes(path.read_bytes()[:-3])
        again = self.ledger(state)
        assert len(again) == 1
        again.took([stored(2)], seen=True)
        again.save()
        assert len(self.ledger(state)) == 2

    def test_leaves_that_were_half_written_on_a_full_disk_hide_none_that_follow(self, tmp_path: Path) -> None:
        state = SealState(tmp_path)
        ledger = self.ledger(state)
        ledger.took([stored(1)], seen=False)
        ledger.save()
        ledger.took([stored(2)], seen=False)
        [path] = state.folder.glob("pending-*")
        with full_after(path, 6), pytest.raises(OSError, match="File too large"):
            ledger.save()
        ledger.save()
        assert len(self.ledger(state)) == 2

    def test_what_was_replayed_is_taken_in_once_though_the_disk_is_full(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = SealState(tmp_path)
        state.write_replayed(leaves(3))
        ledger = self.ledger(state)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(state, "append", full)
            for turn in range(4):
                ledger.turn(turn * LOOK_SECS)
        assert state.replayed() != []
        ledger.turn(5 * LOOK_SECS)
        assert (len(ledger), state.replayed()) == (3, [])

    def test_more_than_one_seal_holds_was_replayed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("agent.sealing.ledger.COUNT_MAX", 5)
        state = SealState(tmp_path)
        for _ in range(3):
            state.write_replayed(leaves(2))
        ledger = self.ledger(state)
        ledger.turn(0.0)
        [number] = state.waiting()
        written = state.read(number)
        assert written is not None
        assert (written.seal.count, len(ledger)) == (4, 2)

    def test_a_seal_is_made_by_count_or_by_time_and_follows_the_one_before(self, tmp_path: Path) -> None:
        state = SealState(tmp_path)
        ledger = self.ledger(state)
        ledger.took([stored(number) for number in range(10)], seen=False)
        ledger.turn(0.0)
        ledger.took([stored(11)], seen=False)
        ledger.turn(1.0)
        assert state.waiting() == [1]
        ledger.turn(62.0)
        first, second = (state.read(number) for number in state.waiting())
        assert first is not None
        assert second is not None
        assert (first.seal.number, second.seal.number) == (0, 1)
        assert second.seal.previous == first.seal.digest
        assert list(state.folder.glob("pending-*")) == []

    def test_a_backlog_that_is_full_leaves_events_unsealed_and_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("agent.sealing.ledger.BACKLOG_BYTES", 100)
        ledger = self.ledger(SealState(tmp_path), count=1)
        for number in range(3):
            ledger.took([stored(number)], seen=False)
            ledger.turn(float(number))
        assert ledger.unsealed_count == 2
        assert "2 stored events stay unsealed" in ledger.problem

    def test_a_chain_begins_as_soon_as_it_is_handed_over_to_though_nothing_is_shipped(
        self, tmp_path: Path
    ) -> None:
        state = SealState(tmp_path)
        ledger = self.ledger(state, count=1)
        ledger.took([stored(1)], seen=False)
        ledger.turn(0.0)
        retired, self.key = self.key, new_key()
        self.ledger(state, retired=retired)
        assert state.waiting() == [1, 2, 3]
        last, first = state.read(2), state.read(3)
        assert last is not None
        assert first is not None
        assert (last.seal.successor, first.seal.follows) == (self.key.public, last.seal.chain)
        assert first.seal.previous == last.seal.digest
        (state.folder / "seal-000000000003.json").unlink()  # killed in between
        self.ledger(state)
        assert state.waiting() == [1, 2, 3]
        self.ledger(state)
        assert state.waiting() == [1, 2, 3]

    def test_a_damaged_head_begins_a_chain_anew(self, tmp_path: Path) -> None:
        state = SealState(tmp_path)
        ledger = self.ledger(state, count=1)
        ledger.took([stored(1)], seen=False)
        ledger.turn(0.0)
        made = state.read(1)
        assert made is not None
        state.shelved(made)
        (state.folder / "head.json").write_bytes(b"{")
        again = self.ledger(state, count=1)
        again.took([stored(2)], seen=False)
        again.turn(0.0)
        found = state.newest()
        assert found is not None
        assert (found.seal.number, found.seal.previous) == (0, "")
        assert found.seal.chain != made.seal.chain


@dataclass
class Receiver:
    """An address outside: what it was told, and how it answers."""

    url: str = ""
    status: int = 200
    told: list[tuple[str | None, bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.told.append((self.headers.get("Authorization"), body))
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/anchors"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


class TestOutlets:
    def told(self, outlet: Outlet) -> None:
        outlet.add(b'{"number":1}\n')
        outlet.add(b'{"number":2}\n')
        outlet.flush()

    def test_an_address_gets_every_line_with_its_token(self, receiver: Receiver, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text("s3cret\n")
        self.told(outlets.to_address(receiver.url, token, tmp_path / "spool"))
        assert receiver.told == [("Bearer s3cret", b'{"number":1}\n{"number":2}\n')]
        assert not (tmp_path / "spool").exists()

    def test_what_an_address_refuses_waits(self, receiver: Receiver, tmp_path: Path) -> None:
        receiver.status = 503
        outlet = outlets.to_address(receiver.url, None, tmp_path / "spool")
        with pytest.raises(OSError, match="it answers 503"):
            self.told(outlet)
        receiver.status = 204
        outlet.flush()
        assert receiver.told[-1] == (None, b'{"number":1}\n{"number":2}\n')

    def test_an_address_that_is_not_there_is_waited_for(self, tmp_path: Path) -> None:
        outlet = outlets.to_address("http://127.0.0.1:1/", None, tmp_path / "spool")
        with pytest.raises(OSError, match="Connection refused"):
            self.told(outlet)
        assert (tmp_path / "spool").read_bytes().count(b"\n") == 2

    def test_a_file_is_added_to_and_half_a_line_in_it_is_cut_off(self, tmp_path: Path) -> None:
        file = tmp_path / "outside" / "anchors.jsonl"
        file.parent.mkdir()
        file.write_bytes(b'{"number":0}\n{"num')
        self.told(outlets.to_file(file, tmp_path / "spool"))
        assert file.read_bytes() == b'{"number":0}\n{"number":1}\n{"number":2}\n'

    def test_half_a_line_gets_its_own_end_in_a_file_that_can_only_be_appended_to(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.truncate", refused)
        file = tmp_path / "anchors.jsonl"
        file.write_bytes(b'{"num')
        self.told(outlets.to_file(file, tmp_path / "spool"))
        assert file.read_bytes() == b'{"num\n{"number":1}\n{"number":2}\n'

    def test_half_a_line_in_the_spool_is_not_delivered(self, tmp_path: Path) -> None:
        outlet = outlets.to_file(tmp_path / "anchors.jsonl", tmp_path / "spool")
        outlet.spool.write_bytes(b'{"num')
        self.told(outlet)
        assert (tmp_path / "anchors.jsonl").read_bytes() == b'{"number":1}\n{"number":2}\n'

    @pytest.mark.parametrize(
        "token",
        [b"one\ntwo\n", b"\xff\xfe", "schlüssel".encode(), b"\n"],
        ids=["lines", "binary", "umlaut", "none"],
    )
    def test_a_token_that_cannot_be_used_is_said(
        self, receiver: Receiver, tmp_path: Path, token: bytes
    ) -> None:
        path = tmp_path / "token"
        path.write_bytes(token)
        with pytest.raises(SettingsError, match=f"anchor_token_file {path} does not hold a token"):
            self.told(outlets.to_address(receiver.url, path, tmp_path / "spool"))
        assert receiver.told == []
