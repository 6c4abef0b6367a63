"""The description of the API (OpenAPI 3.1), made from the vocabularies that the API itself uses.

A test compares its paths with the routes, and asks the API what the description allows and what it does not.
"""

from __future__ import annotations

from typing import Any, Final

from indexer.event import ACTIONS, FIELDS, Category, Outcome
from indexer.query import MAX_TEXT_CHARS, MAX_VALUE_CHARS, MAX_VALUES_COUNT, TEXT_FIELDS
from webui import problems
from webui.alerts.alert import MAX_NOTE_CHARS, Verdict
from webui.alerts.alert import State as AlertState
from webui.alerts.service import SHOWN
from webui.api.alert_routes import TRIAGE
from webui.exports.job import Format, State
from webui.question import LABELS, PARAMETERS, PRESETS

Json = dict[str, Any]

_VOCABULARIES: Final = {
    "category": sorted(Category),
    "action": sorted(frozenset[str]().union(*ACTIONS.values())),
    "outcome": sorted(Outcome),
}
_TEXT: Final[Json] = {"type": "string"}
_TEXT_OR_NULL: Final[Json] = {"type": ["string", "null"]}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_FLAG: Final[Json] = {"type": "string", "enum": ["0", "1"]}
_EVENT: Final[Json] = {"$ref": "#/components/schemas/Event"}


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _several(name: str, label: str, words: str) -> Json:
    value: Json = {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_CHARS}
    schema: Json = {"type": "array", "items": value, "maxItems": MAX_VALUES_COUNT}
    if name.removeprefix("not_") in _VOCABULARIES:
        schema["items"] = {"type": "string", "enum": _VOCABULARIES[name.removeprefix("not_")]}
    return {**_query(name, schema, f"{label}: {words}"), "style": "form", "explode": True}


def _filters() -> list[Json]:
    found = []
    for name in PARAMETERS:
        found.append(_several(name, LABELS[name], "any of these"))
        found.append(_several(f"not_{name}", LABELS[name], "none of these"))
    presets = [name for name in PRESETS if name]
    time = "a date (that whole day) or a time, in the tenant's zone unless it names one"
    return [
        *found,
        _query("range", {"type": "string", "enum": presets}, "a range that ends now; wins over from and to"),
        _query("from", _TEXT, f"first moment: {time}"),
        _query("to", _TEXT, f"end: {time}"),
        _query("q", {"type": "string", "maxLength": MAX_TEXT_CHARS}, 'words, "words in order", begin*'),
        _query(
            "in", {"type": "string", "enum": list(TEXT_FIELDS)}, "where to look for the text; else everywhere"
        ),
        _query("bookkeeping", _FLAG, "1: also sessions being renewed and the like"),
        _query("tenant", _TEXT, "one tenant; a key of a tenant sees no other"),
    ]


_AT: Final = _query("at", _TEXT, "begin at that time instead of the newest; a cursor goes before it")
_CURSOR: Final = _query("cursor", _TEXT, "`older` or `newer` of an answer to the same question")
_FILTERS: Final = _filters()


def _path(name: str, description: str) -> Json:
    schema: Json = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _answer(description: str, schema: Json, media_type: str = "application/json") -> Json:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _problems(*codes: int) -> Json:
    words = {
        400: "Parameters or body say something impossible; `parameters` names them",
        401: "No key, or one that opens nothing",
        403: "The key's role does not allow it",
        404: "There is none, or it is not the key's to see",
        409: "It cannot be made; the detail says what to do instead",
        410: "It is not ready, failed, or has expired",
        415: "The body is not application/json",
        429: "Too often",
        503: "The event store or the trail is away",
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        str(code): _answer(words[code], schema, problems.MEDIA_TYPE) for code in (*codes, 401, 403, 429, 503)
    }


def _operation(name: str, summary: str, parameters: list[Json], answers: Json, **more: Any) -> Json:  # noqa: ANN401
    return {"operationId": name, "summary": summary, "parameters": parameters, "responses": answers, **more}


_PAGE: Final = {
    "zone": _TEXT,
    "events": {"type": "array", "items": _EVENT},
    "newer": _TEXT_OR_NULL,
    "older": _TEXT_OR_NULL,
}
_EXPORT_ID: Final = _path("export_id", "as given when it was asked for")
_WANTED: Final[Json] = {
    "type": "object",
    "properties": {"format": {"type": "string", "enum": list(Format)}, "bom": {"type": "boolean"}},
    "required": ["format"],
    "additionalProperties": False,
}
_EXPORT: Final[Json] = _object(
    id=_TEXT,
    format={"type": "string", "enum": list(Format)},
    state={"type": "string", "enum": list(State)},
    sentence=_TEXT,
    zone=_TEXT,
    created=_TEXT,
    finished=_TEXT_OR_NULL,
    expires=_TEXT_OR_NULL,
    row_count=_COUNT,
    total_count=_COUNT,
    size_bytes=_COUNT,
    sha256=_TEXT_OR_NULL,
    problem=_TEXT_OR_NULL,
)
_ONE_EXPORT: Final[Json] = {"$ref": "#/components/schemas/Export"}
_FILES: Final[Json] = {kind.media_type.partition(";")[0]: {"schema": {}} for kind in Format}

_PATHS: Final[Json] = {
    "/api/v1/openapi.json": {
        "get": _operation(
            "description",
            "This description",
            [],
            {"200": _answer("OpenAPI 3.1", {"type": "object"})},
            security=[],
        )
    },
    "/api/v1/events": {
        "get": _operation(
            "events",
            "Events, newest first, a page at a time",
            [*_FILTERS, _AT, _CURSOR],
            {"200": _answer("A page", _object(sentence=_TEXT, **_PAGE)), **_problems(400, 404)},
        )
    },
    "/api/v1/events/{event_id}": {
        "get": _operation(
            "event",
            "One event with all its fields, and the others of its request, oldest first",
            [_path("event_id", "`event.id`")],
            {
                "200": _answer("It", _object(event=_EVENT, same_request={"type": "array", "items": _EVENT})),
                **_problems(404),
            },
        )
    },
    "/api/v1/history/{kind}/{key}": {
        "get": _operation(
            "history",
            "What happened to one entity, newest first, a page at a time",
            [
                _path("kind", "`entity.type`, such as SalesOrder"),
                _path("key", "`entity.id` or `entity.number`"),
                _query("requests", _FLAG, "1: also requests that only read it"),
                _query("bookkeeping", _FLAG, "1: also sessions being renewed and the like"),
                _CURSOR,
            ],
            {
                "200": _answer(
                    "A page", _object(entity=_object(type=_TEXT, id=_TEXT, number=_TEXT), **_PAGE)
                ),
                **_problems(400, 404),
            },
        )
    },
    "/api/v1/exports": {
        "get": _operation(
            "exports",
            "The exports asked for with this key, newest first",
            [],
            {
                "200": _answer("They", _object(exports={"type": "array", "items": _ONE_EXPORT})),
                **_problems(),
            },
        ),
        "post": _operation(
            "ask",
            "Ask for a file of what the filters find",
            _FILTERS,
            {"202": _answer("It waits for a worker", _ONE_EXPORT), **_problems(400, 404, 409, 415)},
            requestBody={"required": True, "content": {"application/json": {"schema": _WANTED}}},
        ),
    },
    "/api/v1/exports/{export_id}": {
        "get": _operation(
            "export",
            "How far an export is",
            [_EXPORT_ID],
            {"200": _answer("It", _ONE_EXPORT), **_problems(404)},
        )
    },
    "/api/v1/exports/{export_id}/file": {
        "get": _operation(
            "export_file",
            "The file",
            [_EXPORT_ID],
            {"200": {"description": "It", "content": _FILES}, **_problems(404, 410)},
        )
    },
    "/api/v1/exports/{export_id}/manifest": {
        "get": _operation(
            "export_manifest",
            "Its manifest: rows, SHA-256, filter, who and when, complete or why not",
            [_EXPORT_ID],
            {"200": _answer("It", {"type": "object"}), **_problems(404, 410)},
        )
    },
}

_ALERT_ID: Final = _path("alert_id", "as the list gives it")
_ALERT: Final[Json] = {"$ref": "#/components/schemas/Alert"}
_ANY_OR_NULL: Final[Json] = {"type": ["object", "null"]}
_STATES: Final[Json] = {"type": "string", "enum": list(SHOWN)}
_VERDICTS: Final = [verdict.value for verdict in Verdict if verdict]
_TRIAGE: Final[Json] = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": list(TRIAGE)},
        "verdict": {"type": "string", "enum": _VERDICTS, "description": "only to close, and then needed"},
        "note": {"type": "string", "maxLength": MAX_NOTE_CHARS},
        "assignee": {"type": "string", "description": "to assign: an account, or empty for nobody"},
    },
    "required": ["action"],
    "additionalProperties": False,
}
_PATHS["/api/v1/alerts"] = {
    "get": _operation(
        "list_alerts",
        "Alerts, last opened first, a page at a time",
        [
            _query("state", _STATES, "`open` (new or acknowledged) unless said otherwise"),
            _query("monitor", _TEXT, "the id of a monitor"),
            _query("tenant", _TEXT, "whose events they are about"),
            _query("assignee", _TEXT, "the account that looks after them"),
            _query("cursor", _TEXT, "`older` of the page before"),
        ],
        {
            "200": _answer("A page", _object(alerts={"type": "array", "items": _ALERT}, older=_TEXT_OR_NULL)),
            **_problems(400),
        },
    )
}
_PATHS["/api/v1/alerts/{alert_id}"] = {
    "get": _operation("alert", "One alert", [_ALERT_ID], {"200": _answer("It", _ALERT), **_problems(404)}),
    "post": _operation(
        "triage",
        "Acknowledge, close with a verdict, re-open, assign, or note",
        [_ALERT_ID],
        {"200": _answer("It, as it is now", _ALERT), **_problems(400, 404, 409, 415)},
        requestBody={"required": True, "content": {"application/json": {"schema": _TRIAGE}}},
    ),
}

DESCRIPTION: Final[Json] = {
    "openapi": "3.1.0",
    "info": {
        "title": "SmartWMS Audit",
        "version": "1",
        "description": "Who did what, when, to which order. A key sees what its tenant and its role allow.",
    },
    "security": [{"key": []}],
    "paths": _PATHS,
    "components": {
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer", "description": "audit-webui keys add"}
        },
        "schemas": {
            "Event": {
                "type": "object",
                "description": "Nested JSON of the fields in docs/events.md; lists leave out event.original, "
                "error.stack_trace and labels.",
                "properties": {name.partition(".")[0]: {} for name in FIELDS if name != "search"},
                "required": ["@timestamp", "event", "tenant"],
                "additionalProperties": False,
            },
            "Export": _EXPORT,
            "Alert": _object(
                id=_TEXT,
                number={"type": "integer", "minimum": 1, "description": "which occurrence of its key"},
                tenant=_TEXT,
                source=_TEXT,
                monitor=_ANY_OR_NULL,
                template=_TEXT_OR_NULL,
                group=_ANY_OR_NULL,
                title=_TEXT,
                text=_TEXT,
                state={"type": "string", "enum": list(AlertState)},
                verdict={"type": ["string", "null"], "enum": [*_VERDICTS, None]},
                assignee=_TEXT_OR_NULL,
                opened=_TEXT,
                opens_count=_COUNT,
                first=_TEXT,
                last=_TEXT,
                closed=_TEXT_OR_NULL,
                count=_COUNT,
                actors={"type": "array", "items": _TEXT},
                evidence=_TEXT_OR_NULL,
                steps={"type": "array", "items": {"type": "object"}},
            ),
            "Problem": {
                "type": "object",
                "properties": {
                    "type": _TEXT,
                    "title": _TEXT,
                    "status": {"type": "integer"},
                    "detail": _TEXT,
                    "instance": _TEXT,
                    "request_id": _TEXT,
                    "error_id": _TEXT,
                    "parameters": {"type": "object", "additionalProperties": _TEXT},
                },
                "required": ["type", "title", "status", "detail", "instance", "request_id"],
            },
        },
    },
}
