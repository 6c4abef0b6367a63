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
