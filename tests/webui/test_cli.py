"""`audit-webui` from the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexer.client import connect
from indexer.errors import SettingsError
from tests.support.events import TEST
from tests.support.store import Store
from webui import cli
from webui.accounts.account import AccountError
from webui.app import make_accounts
from webui.settings import WebSettings

Run = Callable[..., Result]


@pytest.fixture
def run(store: Store) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli.cli, list(arguments), env=store.environment)

    return invoke


def test_an_account_is_made_listed_changed_and_disabled(run: Run, store: Store) -> None:
    made = run("accounts", "add", "Anna", "--role", "auditor", "--tenant", TEST)
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith(f"anna: auditor of tenant {TEST}\npassword: ")
    password = made.stdout.split()[-1]
    accounts = make_accounts(WebSettings(), connect(store.settings), store.prefix)
    assert accounts.sign_in("anna", password)
    assert run("accounts", "list").stdout.split("\t")[:4] == ["anna", "auditor", TEST, "active"]
    changed = run("accounts", "passwd", "anna")
    assert accounts.sign_in("anna", password) is None
    assert accounts.sign_in("anna", changed.stdout.split()[-1])
    assert run("accounts", "disable", "anna").stdout == "anna: disabled\n"
    assert "disabled" in run("accounts", "list").stdout


def test_a_password_from_a_file_is_not_printed(run: Run, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file, long enough\r\nsecond line\n", encoding="utf-8")
    made = run("accounts", "add", "ops", "--role", "operator", "--tenant", "*", "--password-file", str(file))
    assert made.stdout == "ops: operator of tenant *\n"
    accounts = make_accounts(WebSettings(), connect(store.settings), store.prefix)
    assert accounts.sign_in("ops", "from a file, long enough")


def test_an_account_for_single_sign_on_has_no_password_and_can_be_unbound(
    run: Run, store: Store, tmp_path: Path
) -> None:
    made = run("accounts", "add", "a@b.example", "--role", "viewer", "--tenant", TEST, "--no-password")
    assert made.stdout == f"a@b.example: viewer of tenant {TEST}\n"
    accounts = make_accounts(WebSettings(), connect(store.settings), store.prefix)
    accounts.admit("a@b.example", "https://id.example 7", None)
    assert run("accounts", "unbind", "a@b.example").stdout == "a@b.example: bound to nobody\n"
    found = accounts.get("a@b.example")
    assert found is not None
    assert (found.subject, found.password_hash) == ("", "")
    file = tmp_path / "password"
    file.write_text("from a file, long enough", encoding="utf-8")
    options = ("--role", "viewer", "--tenant", TEST, "--no-password", "--password-file", str(file))
    both = run("accounts", "add", "c@d.example", *options)
    assert "--no-password is given, too" in str(both.exception)


def test_a_wrong_argument_is_named(run: Run) -> None:
    failed = run("accounts", "add", "anna", "--role", "auditor", "--tenant", "nosuch")
    assert isinstance(failed.exception, AccountError)
    assert "--tenant is 'nosuch'" in str(failed.exception)


@pytest.mark.parametrize(
    ("error", "code"),
    [(AccountError("NAME is wrong"), 2), (SettingsError("AUDIT_X is wrong"), 2)],
    ids=["account", "setting"],
)
def test_an_error_is_one_sentence_and_a_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing() -> None:
        raise error

    monkeypatch.setattr(cli, "cli", failing)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == f"audit-webui: {error}\n"


def test_a_store_that_is_away_is_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUDIT_OPENSEARCH_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("sys.argv", ["audit-webui", "accounts", "list"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 3
    assert "does not answer" in capsys.readouterr().err
