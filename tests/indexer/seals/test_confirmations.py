"""An erasure that nobody confirmed is a finding, however well its certificate is signed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from indexer.query import Window
from indexer.retention.certificate import Kind
from indexer.seals.states import State
from tests.support.events import NORD, TEST, Document
from tests.support.sealing import NOW, Site, told

LINE: dict[str, Any] = {
    "@timestamp": "2026-11-24T09:00:00.0000000Z",
    "tenant.id": "-",
    "event.category": "audit",
    "event.action": "configured",
    "event.provenance": "trail",
    "entity": {"type": "Tenant", "id": TEST},
    "labels": {"Erasure": "confirmed"},
}


def erase(site: Site, begun: datetime = NOW - timedelta(hours=2)) -> None:
    """Take all events of Test away, as retention does."""
    documents = site.sealed(range(3))
    site.certify(documents, kind=Kind.ERASURE, begun=begun)
    site.delete(site.partition(documents[0]))


def confirm(site: Site, **fields: object) -> list[Document]:
    """Let an agent ship a line of the trail; not sealed yet."""
    return site.ship([100], LINE | {name.replace("_", "."): value for name, value in fields.items()})


def unconfirmed(site: Site, **how: Any) -> list[str]:  # noqa: ANN401  what a check takes
    report = site.verify(**how)
    found = [each.sentence for each in report.troubles if each.state is State.UNCONFIRMED]
    assert report.is_sound is not bool(found)
    return found


def test_without_a_line_of_the_trail_it_is_a_finding(site: Site) -> None:
    erase(site)
    assert told(site.verify()) == {"erased by certificate": 3, "unconfirmed erasure": 1}
    assert unconfirmed(site) == [f"of tenant {TEST}"]


def test_with_a_line_that_is_sealed_it_is_none(site: Site) -> None:
    erase(site)
    site.seal(confirm(site))
    assert told(site.verify()) == {"verified": 1, "erased by certificate": 3}


def test_a_line_that_no_agent_sealed_is_not_enough(site: Site) -> None:
    erase(site)
    confirm(site)
    assert told(site.verify()) == {
        "unsealed": 1, "erased by certificate": 3, "unconfirmed erasure": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"entity": {"type": "Tenant", "id": NORD}},
        {"labels": {"Erasure": "asked"}},
        {"labels": {"Erasure": "withdrawn"}},
        {"event_outcome": "failure"},
        {"event_category": "system", "event_action": "logged"},
        {"event_provenance": "structured"},
        {"entity": None},
    ],
    ids=[
        "of another tenant",
        "asked for",
        "taken back",
        "failed",
        "not understood",
        "of SmartWMS",
        "of nobody",
    ],
)
def test_another_line_is_not_enough(site: Site, fields: dict[str, object]) -> None:
    erase(site)
    site.seal(confirm(site, **fields))
    assert unconfirmed(site) == [f"of tenant {TEST}"]


def test_a_line_may_be_on_its_way_for_an_hour(site: Site) -> None:
    erase(site, NOW - timedelta(minutes=59))
    assert unconfirmed(site) == []
    assert unconfirmed(site, now=NOW + timedelta(minutes=2)) == [f"of tenant {TEST}"]


def test_a_line_that_has_expired_is_not_asked_for(site: Site) -> None:
    """It is kept for 365 days, and may have been given 30 days before the erasure."""
    erase(site, datetime(2026, 1, 1, tzinfo=UTC))
    day = timedelta(days=1)
    assert unconfirmed(site, now=datetime(2026, 1, 1, tzinfo=UTC) + 335 * day) == [f"of tenant {TEST}"]
    assert unconfirmed(site, now=datetime(2026, 1, 1, tzinfo=UTC) + 336 * day) == []


@pytest.mark.parametrize(
    "part",
    [{"tenant": TEST}, {"window": Window(datetime(2026, 11, 23, tzinfo=UTC), None)}],
    ids=["tenant", "time"],
)
def test_a_check_of_a_part_does_not_look_for_lines(site: Site, part: dict[str, Any]) -> None:
    erase(site)
    assert unconfirmed(site, **part) == []
