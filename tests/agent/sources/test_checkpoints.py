"""The checkpoint is believed whole or not at all."""

from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources import checkpoints
from agent.sources.checkpoints import VERSION, Entry
from agent.sources.fingerprint import Anchor

ENTRY = Entry("app", b"\1\2\3\4\5", 1234, Anchor(10, b"12345678"), 1000, "/var/log/a.clef")
FULL_RESEND = "every source is read from its beginning"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.json"
    checkpoints.save(path, [ENTRY])
    return path


@given(
    st.lists(
        st.builds(
            Entry,
            source=st.text(max_size=5),
            identity=st.binary(min_size=5, max_size=5),
            position=st.integers(1000, 2**50),
            anchor=st.builds(Anchor, st.integers(1, 1024), st.binary(min_size=8, max_size=8)),
            context_from=st.integers(0, 1000),
            path=st.text(max_size=10),
            cuts=st.lists(st.integers(1, 2**50), max_size=3).map(tuple),
        ),
        max_size=3,
    )
)
def test_comes_back_as_it_was_written(entries: list[Entry]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "checkpoint.json")
        checkpoints.save(path, entries)
        assert checkpoints.load(path) == (entries, "")


def test_that_is_absent_is_a_first_start(tmp_path: Path) -> None:
    assert checkpoints.load(tmp_path / "checkpoint.json") == ([], "")


def test_62_torn_at_any_byte_is_a_full_resend(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(1, len(whole)):
        path.write_bytes(whole[:size])
        entries, sentence = checkpoints.load(path)
        assert entries == []
        assert FULL_RESEND in sentence


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\0" * 100, "is torn", id="zeros"),
        pytest.param(b"[]", "no checkpoint", id="other JSON"),
        pytest.param(b'{"version":%d,"files":[],"digest":""}' % VERSION, "is damaged", id="wrong digest"),
        pytest.param(b'{"version":0,"positions":{}}', "an older version", id="older"),
        pytest.param(b'{"version":99,"cursors":{}}', "a newer version", id="newer"),
    ],
)
def test_62_that_cannot_be_believed_is_a_sentence_and_a_full_resend(
    path: Path, content: bytes, says: str
) -> None:
    path.write_bytes(content)
    entries, sentence = checkpoints.load(path)
    assert entries == []
    assert str(path) in sentence
    assert says in sentence
    assert FULL_RESEND in sentence


def test_62_with_a_changed_position_is_not_believed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"1234", b"1235"))
    assert checkpoints.load(path)[0] == []


def test_62_half_written_beside_leaves_the_old_one(path: Path) -> None:
    path.with_name("checkpoint.json.new").write_bytes(b'{"version":')
    assert checkpoints.load(path) == ([ENTRY], "")


def test_holds_nothing_readable_of_the_log(path: Path) -> None:
    assert set(orjson.loads(path.read_bytes())["files"][0]) == {
        "source", "identity", "position", "anchor", "context_from", "path", "last_time", "cuts",
    }  # fmt: skip
