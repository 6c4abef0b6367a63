"""The chores of `audit-webui jobs run` get on without each other."""

import threading

import pytest

from indexer.errors import UnreachableError
from webui import jobs


class Work:
    """A chore that ends with an error, or is done after a few times."""

    def __init__(self, times: int = 0, error: Exception | None = None) -> None:
        self.times = times
        self.error = error
        self.calls_count = 0

    def work(self) -> bool:
        self.calls_count += 1
        if self.error is not None:
            raise self.error
        self.times -= 1
        return self.times >= 0


def test_a_chore_that_fails_is_named_and_keeps_no_other_from_its_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before, failing, after = Work(2), Work(error=ValueError("of one tenant")), Work(3)
    with pytest.raises(ValueError, match="of one tenant"):
        jobs.run([before.work, failing.work, after.work], threading.Event(), once=True)
    assert (before.calls_count, failing.calls_count, after.calls_count) == (4, 4, 4)
    assert "Work.work failed, the other chores go on" in caplog.text
    assert "ValueError: of one tenant" in caplog.text


def test_a_chore_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AWAY_SECS", 0.01)
    failing, stopping = Work(error=ValueError("of one tenant")), threading.Event()

    def last() -> bool:
        if failing.calls_count == 3:
            stopping.set()
        return False

    jobs.run([failing.work, last], stopping, once=False)
    assert failing.calls_count == 3


def test_a_store_that_is_away_ends_what_is_done_once() -> None:
    away, after = Work(error=UnreachableError("nobody there")), Work()
    with pytest.raises(UnreachableError):
        jobs.run([away.work, after.work], threading.Event(), once=True)
    assert after.calls_count == 0
