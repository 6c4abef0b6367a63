"""Two mappings are compared field by field."""

from typing import Any

import pytest

from indexer.mappings import Difference, compare

KEYWORD = {"type": "keyword"}


@pytest.mark.parametrize(
    ("live", "wanted", "difference"),
    [
        ({"properties": {"a": KEYWORD}}, {"properties": {"a": KEYWORD}}, Difference((), ())),
        ({"properties": {"a": KEYWORD, "b": KEYWORD}}, {"properties": {"a": KEYWORD}}, Difference((), ())),
        ({}, {"properties": {"a": {"properties": {"b": KEYWORD}}}}, Difference(("a", "a.b"), ())),
        (
            {"properties": {"a": {"type": "keyword", "index": "false", "copy_to": ["s"]}}},
            {"properties": {"a": {"type": "keyword", "index": False, "copy_to": "s"}}},
            Difference((), ()),
        ),
        (
            {"properties": {"a": {"properties": {"b": KEYWORD}}}},
            {"properties": {"a": {"type": "object", "properties": {"b": KEYWORD}}}},
            Difference((), ()),
        ),
        (
            {"properties": {"a": {"type": "text"}}},
            {"properties": {"a": KEYWORD}},
            Difference((), ("a is type=text instead of type=keyword",)),
        ),
        (
            {"dynamic": "true"},
            {"dynamic": "strict"},
            Difference((), ("the mapping is dynamic=true instead of dynamic=strict",)),
        ),
        (
            {"properties": {"a": {"type": "text"}}},
            {"properties": {"a": {"type": "text", "fields": {"raw": KEYWORD}}}},
            Difference(("a.raw",), ()),
        ),
    ],
    ids=["same", "newer", "missing", "spelling", "object", "type", "dynamic", "multi-field"],
)
def test_a_difference_is_told_by_its_path(
    live: dict[str, Any], wanted: dict[str, Any], difference: Difference
) -> None:
    assert compare(live, wanted) == difference
    assert bool(compare(live, wanted)) == bool(difference.missing or difference.otherwise)
