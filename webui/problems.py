"""Errors for programs: application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import orjson
from flask import Response, g, request

API_PATH: Final = "/api/"
MEDIA_TYPE: Final = "application/problem+json"


def wanted() -> bool:
    """Whether a program is asking: then an error is no page."""
    return request.path.startswith(API_PATH)


def problem(
    code: int,
    detail: str,
    *,
    error_id: str = "",
    parameters: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Give the answer. `parameters`: a sentence for each that is at fault."""
    said: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(code).phrase,
        "status": code,
        "detail": detail,
        "instance": request.path,
        "request_id": g.request_id,
    }
    if error_id:
        said["error_id"] = error_id
    if parameters:
        said["parameters"] = dict(parameters)
    return Response(orjson.dumps(said), code, dict(headers or {}), content_type=MEDIA_TYPE)
