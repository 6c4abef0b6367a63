"""The event contract and the mapping of the partitions say the same."""

import json
from importlib import resources
from typing import Any

import pytest

from indexer import event
from indexer.event import (
    ACTIONS,
    COLUMNS_ONLY,
    FIELDS,
    KEYWORD_LIMIT,
    SEARCHED,
    TERMS_ONLY,
    Category,
    Kind,
)


def mapping() -> dict[str, Any]:
    text = resources.files("index_templates").joinpath("smartwms-audit.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["template"]["mappings"]
    return found


def leaves(properties: dict[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, field in properties.items():
        if "properties" in field:
            found |= leaves(field["properties"], f"{prefix}{name}.")
        else:
            found[prefix + name] = field
    return found


class TestMapping:
    def test_it_has_exactly_the_fields_of_the_contract(self) -> None:
        assert set(leaves(mapping()["properties"])) == set(FIELDS)

    def test_it_lets_no_other_field_in(self) -> None:
        assert mapping()["dynamic"] == "strict"

    @pytest.mark.parametrize("name", FIELDS)
    def test_a_field_is_indexed_as_the_contract_says(self, name: str) -> None:
        field = leaves(mapping()["properties"])[name]
        kind = FIELDS[name]
        assert field["type"] == ("keyword" if kind is Kind.STORED else kind.value)
        kept = (field.get("index", True), field.get("doc_values", True))
        assert kept == (
            kind is not Kind.STORED and name not in COLUMNS_ONLY,
            kind is not Kind.STORED and name not in TERMS_ONLY,
        )
        if kind is Kind.KEYWORD:
            assert field["ignore_above"] == KEYWORD_LIMIT

    def test_what_is_searched_as_text_is_copied_to_the_field_for_it(self) -> None:
        copied = {
            name
            for name, field in leaves(mapping()["properties"]).items()
            if field.get("copy_to") == "search"
        }
        assert copied == set(SEARCHED)


class TestVocabularies:
    def test_every_category_has_its_actions(self) -> None:
        assert set(ACTIONS) == {category.value for category in Category}


class TestIdentity:
    def test_an_id_has_24_characters_that_a_url_can_hold(self) -> None:
        whole = event.id_prefix("app-1", "app", b"\xff" * 5) + event.id_suffix(2**48 - 1, b"line")
        assert len(whole) == 24
        assert set(whole) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    def test_two_identical_lines_at_different_positions_are_two_events(self) -> None:
        assert event.id_suffix(0, b"line") != event.id_suffix(5, b"line")

    @pytest.mark.parametrize("record", [b"line", b"line\r", b"line\n  at X", b"line\r\n  at X\r\n  at Y"])
    def test_only_the_first_line_counts_and_not_how_it_ends(self, record: bytes) -> None:
        assert event.id_suffix(7, record) == event.id_suffix(7, b"line")

    @pytest.mark.parametrize(
        "other",
        [("app-2", "app", b"12345"), ("app-1", "nginx", b"12345"), ("app-1", "app", b"12346")],
        ids=["host", "source", "file"],
    )
    def test_host_source_and_file_are_part_of_it(self, other: tuple[str, str, bytes]) -> None:
        assert event.id_prefix("app-1", "app", b"12345") != event.id_prefix(*other)


class TestCanonicalForm:
    DOCUMENT = {  # noqa: RUF012 -- read only
        "event": {"id": "x", "hash": "h", "ingested": "now", "action": "read"},
        "agent": {"version": "1"},
        "labels": {"b": 1, "a": {"d": 2, "c": 3}},
    }

    def test_it_sorts_keys_at_every_depth_and_leaves_handling_out(self) -> None:
        assert (
            event.canonical(self.DOCUMENT)
            == b'{"event":{"action":"read","id":"x"},"labels":{"a":{"c":3,"d":2},"b":1}}'
        )

    def test_a_changed_value_changes_the_hash(self) -> None:
        other = {**self.DOCUMENT, "labels": {"b": 2}}
        assert event.event_hash(other) != event.event_hash(self.DOCUMENT)
