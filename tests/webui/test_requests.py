"""What a page asks of the store: little, and only what it shows."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from indexer.client import RawAnswer
from tests.support import events
from tests.support.web import Site

ORDER = "211bcda3-9c96-494f-8a80-38e6a8de09ba"
Asked = Callable[[str], list[str]]


@pytest.fixture
def asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Open a page as the owner; what it asked of the store, without the prefix."""
    browser = site.signed_in("owner")
    seen: list[str] = []
    send = site.client.send

    def noting(method: str, target: str, body: bytes | None, *, timeout_secs: float) -> RawAnswer:
        path = urlsplit(target).path.replace(f"{site.store.prefix}-", "")
        seen.append(f"{method} {path}")
        return send(method, target, body, timeout_secs=timeout_secs)

    # What is remembered of the tenants for a quarter of a minute is known.
    browser.get("/activity?view=")
    monkeypatch.setattr(site.client, "send", noting)

    def opened(path: str) -> list[str]:
        seen.clear()
        assert browser.get(path).status_code == 200
        return [each for each in seen if "app-tenants" not in each]

    return opened


SESSION, VIEWS = "GET /app-accounts/_doc/owner", "POST /app-views/_search"
ROWS = "POST /audit/_search"


def test_the_log_asks_for_the_session_its_rows_and_the_views(asked: Asked) -> None:
    assert asked("/activity?view=") == [SESSION, ROWS, VIEWS]


def test_a_stretch_of_time_looks_up_which_partitions_overlap_it(asked: Asked) -> None:
    assert asked("/activity?from=2026-11-23") == [SESSION, "GET /_cat/aliases/audit", ROWS, VIEWS]


def test_a_history_by_id_asks_once(asked: Asked) -> None:
    assert asked(f"/history/SalesOrder/{ORDER}") == [SESSION, ROWS]


def test_a_history_by_number_asks_also_whose_number_it_is(asked: Asked) -> None:
    assert asked("/history/SalesOrder/SO-20261123-0121") == [SESSION, ROWS, ROWS]


def test_rows_are_not_sent_what_they_do_not_show(site: Site) -> None:
    page = site.signed_in("owner").get("/activity?view=").text
    assert events.sample()[3]["event"]["original"] not in page
