"""The agent's TOML file: whatever cannot be used is refused with the key, the value and the way out."""

from pathlib import Path

import pytest

from agent import settings
from agent.errors import SettingsError

SOURCE = """
[[sources]]
name = "app"
paths = ["logs/*.clef"]
format = "clef"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.toml"


def test_the_least_that_is_needed(file: Path) -> None:
    file.write_text('state_dir = "state"' + SOURCE)
    loaded = settings.load(file)
    assert loaded.state_dir == file.parent / "state"
    assert loaded.redaction_key_file == file.parent / "state" / "redaction.key"
    assert loaded.sources[0].paths == (str(file.parent / "logs/*.clef"),)
    assert loaded.service == "smartwms"
    assert loaded.delivery.in_flight == 2
    assert loaded.host


def test_the_example_of_the_architecture(file: Path) -> None:
    file.write_text("""
state_dir = "/var/lib/smartwms-audit"
host = "app-1"
redaction_key_file = "/etc/smartwms-audit/redaction.key"

[[sources]]
name = "app"
paths = ["/var/log/smartwms/smartwms-*.clef"]
format = "clef"           # clef | serilog-text | nginx-json | nginx-combined | trail
changes_logged = true     # SmartWMS has the AuditInterceptor
tenant = ""
""")
    loaded = settings.load(file)
    assert loaded.host == "app-1"
    assert loaded.redaction_key_file == Path("/etc/smartwms-audit/redaction.key")
    assert loaded.sources[0].changes_logged


STATE = 'state_dir = "s"\n'
DELIVERY = STATE + SOURCE + "[delivery]\n"
UPPER_CASE = 'tenant = "E9006AB8-257F-4021-B60A-CBBA785BAD46"'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (SOURCE, "state_dir: is missing"),
        (STATE + "statedir = 1" + SOURCE, "statedir: unknown setting; did you mean 'state_dir'?"),
        (STATE + "qqq = 1" + SOURCE, "qqq: unknown setting; known here: ahead_days, delivery"),
        (STATE + SOURCE + "change_logged = 1", "sources.0.change_logged: unknown setting; did you mean"),
        (DELIVERY + "batch_byte = 1", "delivery.batch_byte: unknown setting; did you mean 'batch_bytes'?"),
        (DELIVERY + "in_flight = 0", "delivery.in_flight = 0: "),
        (STATE + SOURCE + UPPER_CASE, "GUID in lower case"),
        (STATE + SOURCE + SOURCE, "two sources are called 'app'"),
        (STATE, "sources: is missing"),
        ("state_dir = ", "is not TOML"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(file: Path, content: str, says: str) -> None:
    file.write_text(content)
    with pytest.raises(SettingsError) as refused:
        settings.load(file)
    assert says in str(refused.value)
    assert str(refused.value).startswith(f"{file}: ")


def test_a_file_that_is_not_there_is_a_sentence(file: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file; --config names"):
        settings.load(file)


class TestRedactionKey:
    """The installation's key: made once, kept secret, never half."""

    def test_is_made_for_its_owner_alone_and_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "made" / "redaction.key"
        key = settings.redaction_key(path)
        assert len(key) == 32
        assert path.stat().st_mode & 0o777 == 0o600
        assert settings.redaction_key(path) == key
        assert list(path.parent.iterdir()) == [path]

    def test_of_another_server_is_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "redaction.key"
        path.write_text("ab" * 32 + "\n")
        assert settings.redaction_key(path) == b"\xab" * 32

    @pytest.mark.parametrize("content", ["", "abcd", "no hexadecimal digits", "\0"])
    def test_that_is_none_is_refused(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "redaction.key"
        path.write_text(content)
        with pytest.raises(SettingsError, match=r"redaction\.key: .*restore it from another server"):
            settings.redaction_key(path)

    def test_that_cannot_be_made_is_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(SettingsError, match="set redaction_key_file to a place"):
            settings.redaction_key(tmp_path / "file" / "redaction.key")
