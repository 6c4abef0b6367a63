"""The saved objects for OpenSearch Dashboards name only what the events have, and the store answers them.

Dashboards itself does not run here: what it makes of the objects is not shown by these tests.
"""

import re
from typing import Any

import orjson
import pytest
import requests

from indexer import dashboards
from indexer.client import connect
from indexer.event import FIELDS, TERMS_ONLY, Kind
from tests.support import events
from tests.support.checkout import ROOT
from tests.support.store import Store

FILE = ROOT / "deploy" / "dashboards" / "smartwms-audit.ndjson"
OBJECTS: list[dict[str, Any]] = [orjson.loads(line) for line in FILE.read_bytes().splitlines()]
WHO = [f"{each['type']}:{each['id']}" for each in OBJECTS]
OF_QUERY = re.compile(r"([@\w.]+):")


def source(found: dict[str, Any]) -> dict[str, Any]:
    meta = found["attributes"].get("kibanaSavedObjectMeta", {"searchSourceJSON": "{}"})
    said: dict[str, Any] = orjson.loads(meta["searchSourceJSON"])
    return said


def query(found: dict[str, Any]) -> str:
    return str(source(found).get("query", {}).get("query", ""))


def aggregations(found: dict[str, Any]) -> list[dict[str, Any]]:
    state = orjson.loads(found["attributes"].get("visState", "{}"))
    return [each for each in state.get("aggs", []) if "field" in each["params"]]


def named(found: dict[str, Any]) -> set[str]:
    """Every field that an object names."""
    attributes = found["attributes"]
    columns = {*attributes.get("columns", ()), *(name for name, _ in attributes.get("sort", ()))}
    time = {attributes["timeFieldName"]} if "timeFieldName" in attributes else set()
    return (
        columns
        | time
        | set(OF_QUERY.findall(query(found)))
        | {each["params"]["field"] for each in aggregations(found)}
    )


def test_the_file_is_what_the_contract_makes() -> None:
    made = dashboards.lines()
    assert FILE.read_bytes() == made, "python -m indexer.dashboards > deploy/dashboards/smartwms-audit.ndjson"


def test_there_is_a_pattern_searches_pictures_and_one_dashboard() -> None:
    kinds = [each["type"] for each in OBJECTS]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "index-pattern": 1,
        "search": len(dashboards.SEARCHES),
        "visualization": len(dashboards.PICTURES),
        "dashboard": 1,
    }
    assert len(set(WHO)) == len(WHO)


@pytest.mark.parametrize("found", OBJECTS, ids=WHO)
def test_every_field_they_name_exists(found: dict[str, Any]) -> None:
    assert named(found) - set(FIELDS) == set()


def test_they_do_name_fields() -> None:
    assert [who for who, each in zip(WHO, OBJECTS, strict=True) if not named(each)] == [WHO[-1]]


@pytest.mark.parametrize("found", OBJECTS, ids=WHO)
def test_every_reference_leads_to_an_object_before_it(found: dict[str, Any]) -> None:
    before = WHO[: WHO.index(f"{found['type']}:{found['id']}")]
    references = {each["name"]: f"{each['type']}:{each['id']}" for each in found["references"]}
    assert set(references.values()) <= set(before)
    wanted = {source(found)["indexRefName"]} if "indexRefName" in source(found) else set()
    panels = orjson.loads(found["attributes"].get("panelsJSON", "[]"))
    assert set(references) == wanted | {panel["panelRefName"] for panel in panels}


def test_no_panel_lies_on_another_or_beside_the_dashboard() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in orjson.loads(OBJECTS[-1]["attributes"]["panelsJSON"]):
        place = panel["gridData"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < dashboards.GRID_WIDTH
        taken |= cells


@pytest.mark.parametrize(
    "name", sorted({each["params"]["field"] for found in OBJECTS for each in aggregations(found)})
)
def test_nothing_is_aggregated_that_cannot_be(name: str) -> None:
    assert FIELDS[name] not in {Kind.TEXT, Kind.STORED, Kind.FLAT}
    assert name not in TERMS_ONLY


@pytest.fixture(scope="module")
def loaded(module_store: Store) -> Store:
    client = connect(module_store.settings)
    rows: list[dict[str, Any]] = [
        {"event.action": "role_changed", "event.category": "users"},
        {"event.action": "exported", "event.category": "api", "local.hour": 23, "local.weekday": 1},
        {"event.action": "searched", "event.category": "audit", "event.provenance": "trail"},
    ]
    more = [events.document(200 + number, row) for number, row in enumerate(rows)]
    events.load(client, module_store.prefix, [*events.sample(), *more])
    client.close()
    return module_store


class TestTheStore:
    """What Dashboards will ask it."""

    COUNTS = (
        ("search-all", 12),
        ("search-changes", 7),
        ("search-failed-logins", 1),
        ("search-exports", 1),
        ("search-permissions", 1),
        ("search-trail", 1),
    )

    @pytest.mark.parametrize(("key", "count"), COUNTS)
    def test_finds_what_a_search_is_about(self, loaded: Store, key: str, count: int) -> None:
        (found,) = (each for each in OBJECTS if each["id"] == f"smartwms-audit-{key}")
        assert self.asked(loaded, query(found), {})["hits"]["total"]["value"] == count

    @pytest.mark.parametrize(
        "found", [each for each in OBJECTS if each["type"] == "visualization"], ids=lambda each: each["id"]
    )
    def test_aggregates_what_a_picture_shows(self, loaded: Store, found: dict[str, Any]) -> None:
        asked = {}
        for each in aggregations(found):
            field = each["params"]["field"]
            by_time = each["type"] == "date_histogram"
            asked[each["id"]] = (
                {"date_histogram": {"field": field, "fixed_interval": "1h"}}
                if by_time
                else {"terms": {"field": field, "size": each["params"]["size"]}}
            )
        answer = self.asked(loaded, query(found), asked)
        assert asked
        assert answer["_shards"]["failed"] == 0
        assert set(answer["aggregations"]) == set(asked)

    def asked(self, store: Store, text: str, aggregations: dict[str, Any]) -> dict[str, Any]:
        body = {
            "query": {"query_string": {"query": text}},
            "size": 0,
            "track_total_hits": True,
            "aggs": aggregations,
        }
        answer = requests.post(f"{store.url}/{store.prefix}-audit/_search", json=body, timeout=60)
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said
