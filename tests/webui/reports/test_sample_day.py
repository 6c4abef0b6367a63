"""The reports of the sample day, shipped by the real agent, say what the Activity Log says."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.support import sample_site
from tests.support.store import Store
from tests.webui.reports.checking import Checker, numbers
from webui.reports.definitions import DEFINITIONS

DAY = "from=2026-11-23&to=2026-11-23"


@pytest.fixture(scope="module")
def checker(module_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with sample_site.serving(module_store, tmp_path_factory.mktemp("day")) as site:
        yield Checker(site.client, module_store.prefix, lambda: datetime.now(UTC))


@pytest.mark.parametrize("kind", DEFINITIONS)
@pytest.mark.parametrize("who", ["auditor", "operator"])
def test_each_number_leads_to_as_many_events(checker: Checker, who: str, kind: str) -> None:
    said = list(numbers(checker.made(who, kind, DAY)))
    assert checker.wrong(who, said) == []
    assert who == "auditor" or len(said) > 20


def test_an_account_that_only_its_roles_tell_of_is_called_as_it_is_elsewhere(checker: Checker) -> None:
    (accounts,) = [
        each for each in checker.made("auditor", "access-review", DAY).tables if each.id == "accounts"
    ]
    users = [row[0].text for row in accounts.rows]
    assert "temp7410@test001.example" in users
    assert not any(user.startswith("01a20716-2f99") for user in users)
