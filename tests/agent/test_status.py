"""What an older version or a damaged disk left as status stops neither an agent nor who asks for it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import status
from tests.support.fake_store import FakeStore
from tests.support.running import running

LEFT = [
    pytest.param(left, id=left.decode(errors="replace"))
    for left in (b"[]", b"null", b'"x"', b"{}", b'{"checkpoint":null}', b'{"checkpoint":"7"}', b"\xff", b"")
]


@pytest.mark.parametrize("left", LEFT)
def test_the_agent_starts(tmp_path: Path, fake: FakeStore, left: bytes) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / status.STATUS).write_bytes(left)
    with running(tmp_path, fake) as agent:
        agent.until(lambda: agent.agent.state)
    assert status.read(agent.state) is not None


@pytest.mark.parametrize("left", [*LEFT, b'{"checkpoint":7}', b'{"checkpoint":7,"written":1}'])
def test_status_says_a_sentence(tmp_path: Path, left: bytes) -> None:
    (tmp_path / status.STATUS).write_bytes(left)
    [said] = status.lines(tmp_path, datetime.now(UTC))
    assert said.startswith(f"{tmp_path / status.STATUS}: it is damaged, or of another version")
