"""`audit-indexer retention` says what it does, in lines and exit codes."""

from click.testing import CliRunner, Result

from indexer.cli import main
from tests.support.keeping import ACME, NORD, STARTER, Keeping


def run(keeping: Keeping, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env=keeping.store.environment)


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
