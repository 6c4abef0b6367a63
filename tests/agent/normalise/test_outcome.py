"""The interceptor of `deploy/` knows whether a change was saved, and says so on its line."""

from __future__ import annotations

import pytest

from tests.agent.normalise.feeding import Feeding, change, request, what


@pytest.mark.parametrize("status", [200, 500])
def test_a_saved_change_stays_saved_however_its_request_ends(status: int) -> None:
    changed, _ = Feeding().feed(change(Outcome="success"), request(method="PUT", status=status))
    assert what(changed) == ("products", "updated", "success")
    assert "failed" not in changed["message"]


def test_a_change_that_was_not_saved_never_happened_though_its_request_succeeds() -> None:
    changed, _ = Feeding().feed(change(Outcome="failure"), request(method="PUT"))
    assert what(changed) == ("products", "updated", "failure")
    assert changed["message"].endswith("but it failed: nothing was changed")


def test_a_change_that_no_request_made_has_its_outcome_too() -> None:
    assert what(Feeding().one(change(Outcome="success")))[2] == "success"


def test_a_word_that_is_no_outcome_is_a_label_and_the_request_decides() -> None:
    changed, _ = Feeding().feed(change(Outcome="perhaps"), request(method="PUT", status=500))
    assert what(changed)[2] == "failure"
    assert changed["labels"]["Outcome"] == "perhaps"


def test_inside_a_transaction_the_request_decides() -> None:
    changed, _ = Feeding().feed(change(), request(method="PUT", status=500))
    assert what(changed)[2] == "failure"


def test_it_is_no_label() -> None:
    changed, _ = Feeding().feed(change(Outcome="success"), request(method="PUT"))
    assert "Outcome" not in changed["labels"]
