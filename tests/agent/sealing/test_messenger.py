"""What cannot be brought somewhere waits, is said, and keeps nothing else from where it goes."""

from pathlib import Path

import pytest

from agent.sealing import messenger
from indexer.seals.shelf import Shelf
from tests.support.fake_store import FakeStore
from tests.support.running import CONFIG, running
from tests.support.shipping import Writer
from tests.support.tailing import append

SEALS = "[seals]\ncount = 4\n"


def test_a_token_that_cannot_be_used_keeps_no_seal_from_the_store(tmp_path: Path, fake: FakeStore) -> None:
    (tmp_path / "token").write_bytes(b"one\ntwo\n")
    anchors = 'anchor_url = "http://127.0.0.1:9/"\nanchor_token_file = "token"\n'
    with running(tmp_path, fake, CONFIG.replace("[http]", f"{SEALS}{anchors}[http]")) as agent:
        writer = Writer()
        append(agent.logs / "a.clef", writer.lines(4))
        agent.until(lambda: len(fake.seals) == 1)
        append(agent.logs / "a.clef", writer.lines(4))
        agent.until(lambda: len(fake.seals) == 2)
        agent.until(lambda: any("does not hold a token" in reason for reason in agent.reasons()))


def test_an_error_that_nobody_foresaw_is_said_and_tried_again(
    tmp_path: Path, fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger, "RETRY_SECS_MAX", 0.1)

    def failing(*_: object) -> None:
        raise ValueError("whatever")

    with running(tmp_path, fake, CONFIG.replace("[http]", f"{SEALS}[http]")) as agent:
        with monkeypatch.context() as patched:
            patched.setattr(Shelf, "put", failing)
            append(agent.logs / "a.clef", Writer().lines(4))
            agent.until(lambda: any("ValueError: whatever" in reason for reason in agent.reasons()))
        agent.until(lambda: len(fake.seals) == 1)
        agent.until(lambda: not agent.reasons())
