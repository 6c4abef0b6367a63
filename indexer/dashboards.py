"""Saved objects for OpenSearch Dashboards 3.x, from the event contract: `python -m indexer.dashboards`.

One line of JSON an object, the same bytes as long as the contract is the same. Queries are in Lucene's
syntax, which the store itself understands: a test asks it each of them, and aggregates by every field.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from indexer import partitions
from indexer.assets import SHIPPED_PREFIX
from indexer.event import ACTIONS, FIELDS

TIME_FIELD: Final = "@timestamp"
GRID_WIDTH: Final = 48
"""How many units a dashboard is wide."""
INDEX_REFERENCE: Final = "kibanaSavedObjectMeta.searchSourceJSON.index"
# As Dashboards itself writes them into what it exports: no older migration is run on the objects.
_MIGRATED: Final = {
    "index-pattern": "7.6.0",
    "search": "7.9.3",
    "visualization": "7.10.0",
    "dashboard": "7.9.3",
}
_PANEL_VERSION: Final = "3.0.0"
_RANKED_COUNT: Final = 15

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is looked for: a title, and a query in Lucene's syntax."""

    key: str
    title: str
    query: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A visualisation: of what, which kind, its aggregations, and its place on the dashboard."""

    shown: Shown
    kind: str
    aggregations: tuple[Json, ...]
    width: int
    height: int


def _action(*actions: str) -> str:
    unknown = [each for each in actions if not any(each in known for known in ACTIONS.values())]
    if unknown:
        raise ValueError(f"no event has the action {unknown[0]!r}")
    return f"{_field('event.action')}:({' OR '.join(actions)})"


def _field(name: str) -> str:
    if name not in FIELDS:
        raise ValueError(f"no event has the field {name!r}")
    return name


_MEANT: Final = f"NOT {_field('event.flags')}:bookkeeping"
EVERYTHING: Final = Shown("all", "All activity", _MEANT)
CHANGES: Final = Shown(
    "changes",
    "Changes",
    f"{_field('event.category')}:(users OR products OR orders OR inventory OR configuration) AND {_MEANT}",
)
FAILED_LOGINS: Final = Shown("failed-logins", "Failed logins", _action("login_failed", "sign_in_failed"))
EXPORTS: Final = Shown("exports", "Exports and downloads", _action("exported", "downloaded"))
PERMISSIONS: Final = Shown(
    "permissions",
    "Permissions and roles",
    _action("role_changed", "role_created", "role_updated", "role_deleted", "permissions_changed"),
)
TRAIL: Final = Shown("trail", "What was done in this audit", f"{_field('event.provenance')}:trail")
SEARCHES: Final = (EVERYTHING, CHANGES, FAILED_LOGINS, EXPORTS, PERMISSIONS, TRAIL)
COLUMNS: Final = tuple(
    map(
        _field,
        (
            "user.name",
            "event.category",
            "event.action",
            "event.outcome",
            "entity.number",
            "source.ip",
            "message",
        ),
    )
)


def _count() -> Json:
    return {"id": "1", "enabled": True, "type": "count", "schema": "metric", "params": {}}


def _over_time(number: int) -> Json:
    params = {"field": _field(TIME_FIELD), "interval": "auto", "min_doc_count": 1, "extended_bounds": {}}
    return {
        "id": str(number),
        "enabled": True,
        "type": "date_histogram",
        "schema": "segment",
        "params": params,
    }


def _by(number: int, schema: str, name: str, *, size: int = _RANKED_COUNT, by_value: bool = False) -> Json:
    params = {
        "field": _field(name),
        "size": size,
        "order": "asc" if by_value else "desc",
        "orderBy": "_key" if by_value else "1",
    }
    return {"id": str(number), "enabled": True, "type": "terms", "schema": schema, "params": params}


PICTURES: Final = (
    Picture(EVERYTHING, "histogram", (_count(), _over_time(2), _by(3, "group", "event.category")), 32, 12),
    Picture(FAILED_LOGINS, "histogram", (_count(), _over_time(2)), 16, 12),
    Picture(
        Shown("users", "Who did most", EVERYTHING.query),
        "table",
        (_count(), _by(2, "bucket", "user.name")),
        16,
        14,
    ),
    Picture(
        Shown("sources", "Failed logins by address", FAILED_LOGINS.query),
        "table",
        (_count(), _by(2, "bucket", "source.ip")),
        16,
        14,
    ),
    Picture(
        Shown("tenants", "Events by tenant", EVERYTHING.query),
        "table",
        (_count(), _by(2, "bucket", "tenant.id")),
        16,
        14,
    ),
    Picture(
        Shown("hours", "Changes by local hour and weekday (Monday is 1)", CHANGES.query),
        "heatmap",
        (
            _count(),
            _by(2, "segment", "local.hour", size=24, by_value=True),
            _by(3, "group", "local.weekday", size=7, by_value=True),
        ),
        32,
        14,
    ),
    Picture(EXPORTS, "table", (_count(), _by(2, "bucket", "user.name")), 16, 14),
)


def objects(prefix: str = SHIPPED_PREFIX) -> list[Json]:
    """Give all saved objects: what is referred to comes before what refers to it."""
    pattern = partitions.alias(prefix)
    made = [_object("index-pattern", pattern, {"title": pattern, "timeFieldName": _field(TIME_FIELD)})]
    made += [_search(prefix, each) for each in SEARCHES]
    made += [_visualisation(prefix, each) for each in PICTURES]
    made.append(_dashboard(prefix))
    return made


def lines(prefix: str = SHIPPED_PREFIX) -> bytes:
    """Give the file that Dashboards imports."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return b"".join(orjson.dumps(each, option=options) for each in objects(prefix))


def _object(kind: str, object_id: str, attributes: Json, references: Sequence[Json] = ()) -> Json:
    return {
        "id": object_id,
        "type": kind,
        "attributes": attributes,
        "references": list(references),
        "migrationVersion": {kind: _MIGRATED[kind]},
    }


def _search(prefix: str, shown: Shown) -> Json:
    attributes = {
        "title": f"SmartWMS Audit: {shown.title}",
        "description": "",
        "columns": list(COLUMNS),
        "sort": [[TIME_FIELD, "desc"]],
        "hits": 0,
        "version": 1,
        "kibanaSavedObjectMeta": _source(shown.query),
    }
    return _object("search", f"{prefix}-audit-search-{shown.key}", attributes, [_index(prefix)])


def _visualisation(prefix: str, picture: Picture) -> Json:
    title = f"SmartWMS Audit: {picture.shown.title}"
    state = {
        "title": title,
        "type": picture.kind,
        "aggs": list(picture.aggregations),
        "params": _params(picture.kind),
    }
    attributes = {
        "title": title,
        "description": "",
        "version": 1,
        "visState": _text(state),
        "uiStateJSON": "{}",
        "kibanaSavedObjectMeta": _source(picture.shown.query),
    }
    return _object("visualization", _picture_id(prefix, picture), attributes, [_index(prefix)])


def _dashboard(prefix: str) -> Json:
    panels, references = [], []
    for number, (picture, x, y) in enumerate(_placed()):
        name = f"panel_{number}"
        place = {"x": x, "y": y, "w": picture.width, "h": picture.height, "i": str(number)}
        panels.append(
            {
                "version": _PANEL_VERSION,
                "gridData": place,
                "panelIndex": str(number),
                "embeddableConfig": {},
                "panelRefName": name,
            }
        )
        references.append({"name": name, "type": "visualization", "id": _picture_id(prefix, picture)})
    attributes = {
        "title": "SmartWMS Audit",
        "description": "Who did what in SmartWMS, of all tenants that the reader may see.",
        "hits": 0,
        "version": 1,
        "panelsJSON": _text(panels),
        "optionsJSON": _text({"useMargins": True, "hidePanelTitles": False}),
        "timeRestore": True,
        "timeFrom": "now-7d",
        "timeTo": "now",
        "refreshInterval": {"pause": True, "value": 0},
        "kibanaSavedObjectMeta": {
            "searchSourceJSON": _text({"query": {"query": "", "language": "lucene"}, "filter": []})
        },
    }
    return _object("dashboard", f"{prefix}-audit-dashboard", attributes, references)


def _placed() -> Iterator[tuple[Picture, int, int]]:
    """Give each picture its place: from left to right, a new row where it does not fit."""
    x = y = highest = 0
    for picture in PICTURES:
        if x + picture.width > GRID_WIDTH:
            x, y, highest = 0, y + highest, 0
        yield picture, x, y
        x, highest = x + picture.width, max(highest, picture.height)


def _picture_id(prefix: str, picture: Picture) -> str:
    return f"{prefix}-audit-view-{picture.shown.key}"


def _index(prefix: str) -> Json:
    return {"name": INDEX_REFERENCE, "type": "index-pattern", "id": partitions.alias(prefix)}


def _source(query: str) -> Json:
    said = {
        "query": {"query": query, "language": "lucene"},
        "filter": [],
        "indexRefName": INDEX_REFERENCE,
    }
    return {"searchSourceJSON": _text(said)}


def _params(kind: str) -> Json:
    common: Json = {"type": kind, "addTooltip": True, "addLegend": True, "legendPosition": "right"}
    if kind == "table":
        return {"perPage": 10, "showPartialRows": False, "showTotal": False}
    if kind == "heatmap":
        axis = {"id": "ValueAxis-1", "show": False, "type": "value", "labels": {"show": False}}
        scale = {"type": "linear", "defaultYExtents": False}
        return {
            **common,
            "colorsNumber": 5,
            "colorSchema": "Greens",
            "enableHover": False,
            "valueAxes": [{**axis, "scale": scale}],
        }
    category = {"id": "CategoryAxis-1", "type": "category", "position": "bottom", "show": True}
    value = {"id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value", "position": "left", "show": True}
    series = {"show": True, "type": "histogram", "mode": "stacked", "valueAxis": "ValueAxis-1"}
    return {
        **common,
        "grid": {"categoryLines": False},
        "categoryAxes": [{**category, "scale": {"type": "linear"}, "labels": {"show": True}, "title": {}}],
        "valueAxes": [
            {
                **value,
                "scale": {"type": "linear", "mode": "normal"},
                "labels": {"show": True},
                "title": {"text": "Events"},
            }
        ],
        "seriesParams": [{**series, "data": {"label": "Events", "id": "1"}}],
        "times": [],
        "addTimeMarker": False,
    }


def _text(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


if __name__ == "__main__":
    sys.stdout.buffer.write(lines(*sys.argv[1:2]))
