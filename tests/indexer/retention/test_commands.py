"""`audit-indexer retention` says what it does, in lines and exit codes."""

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from indexer import keys, tenants
from indexer.cli import main
from indexer.plans import CACHE_SECS
from indexer.retention import certificates, clock, erasures
from indexer.seals.shelf import Shelf
from tests.support.keeping import ACME, DAY, NORD, STARTER, Keeping


def run(
    keeping: Keeping, *arguments: str, trail: Path = Path("/nonexistent/trail.log"), key: Path | None = None
) -> Result:
    environment = {**keeping.store.environment, "AUDIT_WEBUI_TRAIL_FILE": str(trail)}
    environment["AUDIT_RETENTION_KEY_FILE"] = str(key or "")
    return CliRunner().invoke(main, arguments, env=environment)


def lines(trail: Path) -> list[dict[str, str]]:
    return [orjson.loads(line) for line in trail.read_bytes().split(b"\n") if line]


def test_run_tells_what_would_go_then_what_went_then_nothing(keeping: Keeping) -> None:
    keeping.tenant(ACME, "starter")
    keeping.tenant(NORD, "starter")
    keeping.write(ACME, 3)
    keeping.write(NORD, 2)
    keeping.hold(NORD)
    name = f"{keeping.prefix}-audit-{STARTER}"
    asked = ("retention", "run", "--now", "2026-10-02T02:00")
    dry = run(keeping, *asked, "--dry-run")
    assert (dry.exit_code, dry.output) == (0, f"would delete {name}: 3 of 5 events, 2 would be kept\n")
    done = run(keeping, *asked)
    assert done.exit_code == 0, done.output
    (copy,) = keeping.indices()
    kept = f"{keeping.prefix}-audit-{copy}"
    assert f"deleted {name}: 3 of 5 events; kept in {kept}: 2 by hold\n" in done.output
    assert run(keeping, *asked).output == "nothing is due\n"


def test_run_signs_with_a_key_that_it_makes_and_verify_believes_no_other(
    keeping: Keeping, tmp_path: Path
) -> None:
    keeping.tenant(ACME, "starter")
    keeping.write(ACME, 3)
    keeping.tenant(NORD, "starter")
    keeping.write(NORD, 2)
    keeping.hold(NORD)
    key = tmp_path / "state" / "retention.key"
    assert run(keeping, "retention", "run", "--now", "2026-10-02T02:00", "--dry-run", key=key).exit_code == 0
    assert not key.exists()
    assert run(keeping, "retention", "run", "--now", "2026-10-02T02:00", key=key).exit_code == 0
    assert key.stat().st_mode & 0o777 == 0o600
    Shelf(keeping.client, keeping.prefix).prepare()
    [found] = certificates.all(keeping.client, keeping.prefix)
    own, other = tmp_path / "own.pem", tmp_path / "other.pem"
    own.write_text(run(keeping, "retention", "key", key=key).output)
    other.write_text(run(keeping, "retention", "key", key=tmp_path / "other.key").output)
    assert list(found.signatures) == [keys.read_public(own, "")]
    believed = run(keeping, "verify", "--no-record", "--certificate-key", str(own))
    assert "doubted certificate" not in believed.output
    assert "whoever wrote them" not in believed.output
    unasked = run(keeping, "verify", "--no-record")
    assert "certificates believed, whoever wrote them: 1; --certificate-key tells" in unasked.output
    doubted = run(keeping, "verify", "--no-record", "--certificate-key", str(other))
    assert doubted.exit_code == 1
    assert "FINDING  doubted certificate 1: a certificate is not signed as it should be" in doubted.output
    assert f"  the certificate of {found.index} ({found.ran_by}) is signed by no given key" in doubted.output


def test_a_key_that_is_not_set_or_cannot_be_used_is_said(keeping: Keeping, tmp_path: Path) -> None:
    unset = run(keeping, "retention", "key")
    assert unset.exit_code == 2
    assert "AUDIT_RETENTION_KEY_FILE names no file: certificates are not signed" in unset.output
    wrong = tmp_path / "wrong.key"
    wrong.write_text("no key")
    wrong.chmod(0o600)
    keeping.tenant(ACME, "starter")
    keeping.write(ACME, 1)
    refused = run(keeping, "retention", "run", "--now", "2026-10-02T02:00", key=wrong)
    assert refused.exit_code == 2
    assert f"AUDIT_RETENTION_KEY_FILE {wrong} holds no private key in PEM" in refused.output
    assert keeping.indices() == [STARTER]


def test_an_erasure_is_not_confirmed_while_its_certificates_cannot_be_signed(
    keeping: Keeping, tmp_path: Path
) -> None:
    keeping.tenant(ACME, "starter")
    keeping.write(ACME, 1)
    wrong = tmp_path / "wrong.key"
    wrong.write_text("no key")
    wrong.chmod(0o600)
    assert run(keeping, "tenants", "erase", ACME, "--reason", "left", "--by", "anna").exit_code == 0
    refused = run(keeping, "tenants", "erase", ACME, "--by", "ben", key=wrong)
    assert refused.exit_code == 2
    assert f"AUDIT_RETENTION_KEY_FILE {wrong} holds no private key in PEM" in refused.output
    found = erasures.get(keeping.client, keeping.prefix, ACME)
    assert found
    assert not found.is_confirmed


def test_run_that_may_not_says_error_and_what_to_do(keeping: Keeping) -> None:
    keeping.tenant(ACME, "starter")
    # A warehouse whose newest event is of long ago: the clock may have gone ahead.
    keeping.write(ACME, 1)
    refused = run(keeping, "retention", "run")
    assert refused.exit_code == 1
    assert "ERROR clock-wrong: the clock says" in refused.output
    assert "run once with `--now`" in refused.output


def test_run_with_a_time_that_is_none_says_so(keeping: Keeping) -> None:
    refused = run(keeping, "retention", "run", "--now", "yesterday")
    assert refused.exit_code == 2
    assert "--now 'yesterday' is no time" in refused.output


def test_a_hold_is_placed_by_one_and_released_by_another_and_both_are_in_the_trail(
    keeping: Keeping, tmp_path: Path
) -> None:
    keeping.tenant(ACME, "starter")
    trail = tmp_path / "trail.log"
    about = ("--from", "2026-09-01", "--entity", "SO-1")
    placed = run(keeping, "tenants", "hold", ACME, "--reason", "case 7", "--by", "anna", *about, trail=trail)
    assert placed.exit_code == 0, placed.output
    assert "events about entity SO-1 from 2026-09-01T00:00:00Z; placed by anna (said by " in placed.output
    own = run(keeping, "tenants", "release", ACME, "--reason", "over", "--by", "anna", trail=trail)
    assert own.exit_code == 2
    assert "it is for a second person to release it" in own.output
    other = run(keeping, "tenants", "release", ACME, "--reason", "over", "--by", "ben", trail=trail)
    assert other.exit_code == 0, other.output
    assert "released by ben (said by" in run(keeping, "tenants", "holds").output
    told = lines(trail)
    assert [(each["Action"], each["EntityType"], each["EntityId"]) for each in told] == [
        ("configured", "Tenant", ACME)
    ] * 2
    assert "anna" in told[0]["Message"]
    assert told[1]["Message"].endswith("SO-1 from 2026-09-01T00:00:00Z: over")


def test_holds_are_found_by_an_id_in_capitals(keeping: Keeping) -> None:
    keeping.hold(ACME)
    assert "every event; placed by anna: case 7" in run(keeping, "tenants", "holds", ACME.upper()).output


def test_a_clock_behind_the_clusters_makes_no_plan_effective_too_early(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=3)
    monkeypatch.setattr(clock, "of_cluster", lambda _: ahead)
    about = ("--name", "Acme", "--plan", "starter", "--zone", "UTC", "--hours", "07:00-18:00")
    done = run(keeping, "tenants", "set", ACME, *about)
    assert done.exit_code == 0, done.output
    (entry,) = tenants.load(keeping.client, keeping.prefix, now=ahead).by_id[ACME].plans
    assert entry.start >= ahead + timedelta(seconds=CACHE_SECS)


def test_nobody_is_no_second_person(keeping: Keeping, tmp_path: Path) -> None:
    trail = tmp_path / "trail.log"
    keeping.hold(ACME)
    for nobody in ("", " ", "(root)"):
        refused = run(keeping, "tenants", "release", ACME, "--reason", "over", "--by", nobody, trail=trail)
        assert (refused.exit_code, f"--by {nobody!r} names nobody" in refused.output) == (2, True)


def test_a_dry_run_tells_of_an_erasure_that_a_run_would_do(keeping: Keeping) -> None:
    keeping.tenant(ACME, "starter")
    keeping.tenant(NORD, "starter")
    keeping.write(ACME, 3)
    keeping.write(NORD, 2)
    erasures.request(keeping.client, keeping.prefix, ACME, reason="left", by="anna", now=DAY)
    asked = ("retention", "run", "--now", "2026-09-02T02:00", "--dry-run")
    assert run(keeping, *asked).output == "nothing is due\n"
    erasures.confirm(keeping.client, keeping.prefix, ACME, by="ben", now=DAY)
    told = (
        f"would erase tenant {ACME} from {keeping.prefix}-audit-{STARTER}: 3 of 5 events, 2 would be kept\n"
    )
    assert run(keeping, *asked).output == told
    keeping.hold(ACME)
    held = run(keeping, *asked)
    assert (held.exit_code, "held-erasure" in held.output) == (1, True)
    assert len(keeping.ids()) == 5


def test_a_reason_asks_for_an_erasure_and_confirms_none(keeping: Keeping, tmp_path: Path) -> None:
    keeping.tenant(ACME, "starter")
    keeping.write(ACME, 3)
    trail, erase = tmp_path / "trail.log", ("tenants", "erase", ACME)
    run(keeping, *erase, "--reason", "left", "--by", "anna", trail=trail)
    again = run(keeping, *erase, "--reason", "contract ended", "--by", "ben", trail=trail)
    assert again.exit_code == 2
    assert "was asked for already by anna (said by " in again.output
    assert "without --reason" in again.output
    assert len(keeping.ids()) == 3


def test_what_cannot_be_written_into_the_trail_is_an_error(keeping: Keeping) -> None:
    refused = run(keeping, "tenants", "hold", ACME, "--reason", "case 7", trail=Path("/proc/trail.log"))
    assert refused.exit_code == 2
    assert "AUDIT_WEBUI_TRAIL_FILE is '/proc/trail.log', which cannot be written" in refused.output


def test_an_erasure_is_asked_for_by_one_and_done_by_another(keeping: Keeping, tmp_path: Path) -> None:
    keeping.tenant(ACME, "starter")
    keeping.write(ACME, 3)
    trail = tmp_path / "trail.log"
    erase = ("tenants", "erase", ACME)
    assert "--reason is missing" in run(keeping, *erase, "--by", "anna", trail=trail).output
    asked = run(keeping, *erase, "--reason", "left", "--by", "anna", trail=trail)
    assert (asked.exit_code, "nothing is erased yet" in asked.output) == (0, True)
    assert run(keeping, *erase, "--by", "anna", trail=trail).exit_code == 2
    assert len(keeping.ids()) == 3
    done = run(keeping, *erase, "--by", "ben", trail=trail)
    assert done.exit_code == 0, done.output
    assert done.output.endswith("3 events erased\n")
    assert keeping.indices() == []
    said = [(each["UserName"].partition(" ")[0], each["Erasure"], each["EntityId"]) for each in lines(trail)]
    assert said == [("anna", "asked", ACME), ("ben", "confirmed", ACME)]
    assert run(keeping, *erase, "--withdraw", trail=trail).exit_code == 2


def test_show_tells_what_is_kept_held_asked_for_and_deleted(keeping: Keeping) -> None:
    keeping.tenant(ACME, "starter")
    keeping.tenant(NORD, "starter", days=60)
    keeping.write(ACME, 3)
    keeping.write(NORD, 2)
    keeping.hold(ACME, entity="SO-1")
    erasures.request(keeping.client, keeping.prefix, NORD, reason="left", by="anna", now=DAY)
    keeping.run(30)
    shown = run(keeping, "retention", "show").output
    today = datetime.now(UTC).date()
    until, since = today + timedelta(days=31), today - timedelta(days=30)
    assert f"{ACME}  7f3c  starter 30 days: back to {since}, today's until {until}\n" in shown
    assert "starter   0 partitions, 0 events\n" in shown
    assert "hold      1 partitions, 2 events; the oldest of 2026-09-01\n" in shown
    assert f"held      {ACME}  events about entity SO-1: case 7\n" in shown
    assert f"erasure   {NORD}  asked for: left\n" in shown
    assert "Z by the test, by --now: 1 deletions\n" in shown
    assert f"deleted {keeping.prefix}-audit-starter-2026.09.01: 3 of 5 events; kept in" in shown


def test_progress_is_shown_on_a_terminal_and_in_no_pipe(keeping: Keeping) -> None:
    keeping.tenant(ACME, "starter")
    keeping.write(ACME, 3)
    command = [
        str(Path(sys.executable).with_name("audit-indexer")),
        "retention",
        "run",
        "--now",
        "2026-10-02T02:00",
    ]
    terminal, other_end = pty.openpty()
    try:
        on_terminal = subprocess.run(
            command,
            env={**os.environ, **keeping.store.environment},
            stdout=subprocess.PIPE,
            stderr=other_end,
            check=False,
            timeout=120,
        )
        shown = os.read(terminal, 65536).decode()
    finally:
        os.close(terminal)
        os.close(other_end)
    assert (on_terminal.returncode, b"deleted" in on_terminal.stdout) == (0, True)
    assert f"certifying {keeping.prefix}-audit-{STARTER}" in shown
    keeping.write(ACME, 3)
    piped = subprocess.run(
        command,
        env={**os.environ, **keeping.store.environment},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (piped.returncode, piped.stderr) == (0, b"")
