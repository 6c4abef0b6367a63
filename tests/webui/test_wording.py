"""Events in words, and on their page."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from indexer.cursors import Position
from indexer.event import Flag, Provenance
from indexer.search import StoredEvent
from tests.support import events
from webui import wording
from webui.rows import days, row
from webui.search.detail import detail

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def event(number: int = 0, **fields: object) -> StoredEvent:
    made = events.document(number, {name.replace("__", "."): value for name, value in fields.items()})
    nanos = int((events.MORNING.timestamp() + 60 * number) * 1_000_000) * 1000
    return StoredEvent(made, Position(nanos, made["event"]["id"]))


@pytest.mark.parametrize("flag", Flag)
def test_every_flag_is_explained(flag: Flag) -> None:
    assert wording.FLAGS[flag].endswith(".")


@pytest.mark.parametrize("provenance", Provenance)
def test_every_provenance_is_explained(provenance: Provenance) -> None:
    assert wording.PROVENANCE[provenance][1].endswith(".")


GUID = "e00c682b-4579-4ef1-aebe-fa8873bce6de"


@pytest.mark.parametrize(
    ("message", "fields", "parts"),
    [
        (
            "sofia User changed product SKU-058981: Name, ReorderPoint",
            {},
            [("sofia User", "user"), ("changed", "action"), ("product", "type"), ("SKU-058981", "entity")],
        ),
        (
            "sofia User deleted product SKU-058981, but it failed: nothing was changed",
            {},
            [
                ("sofia User", "user"),
                ("deleted", "action"),
                ("product", "type"),
                ("SKU-058981", "entity"),
                (", but it failed: nothing was changed", ""),
            ],
        ),
        (
            f"An unknown user read products/{GUID}",
            {"user": None, "entity": {"type": "Product", "id": GUID}},
            [("An unknown user read products/", "action"), ("e00c682b…e6de", "entity")],
        ),
        (
            f"sofia User took a role from user {GUID}",
            {"entity": {"type": "ApplicationUser", "id": GUID}},
            [
                ("sofia User", "user"),
                ("took a role from", "action"),
                ("user", "type"),
                ("e00c682b…e6de", "entity"),
            ],
        ),
        ("A sign-in failed", {"user": None, "entity": None}, [("A sign-in failed", "action")]),
        ("", {}, [("updated", "action")]),
    ],
    ids=["change", "failed change", "request", "role", "nobody", "no sentence"],
)
def test_the_sentence_of_a_row_links_what_it_names(
    message: str, fields: dict[str, Any], parts: list[tuple[str, str]]
) -> None:
    shown = row(event(message=message, **fields), STOCKHOLM, {})
    assert [(part.text, part.parameter) for part in shown.sentence if part.text.strip()] == parts
    assert "  " not in shown.text


@pytest.mark.parametrize(("side", "shown"), [("after", (None, "-8")), ("before", ("-8", None))])
def test_a_row_shows_the_facts_of_what_came_or_went(side: str, shown: tuple[str | None, str | None]) -> None:
    change = {side: {"Id": "x", "TotalQuantityChange": -8, "Notes": "long", "Status": None}}
    assert [
        (each.name, each.before, each.after) for each in row(event(change=change), STOCKHOLM, {}).changes
    ] == [("Total quantity change", *shown)]


def test_a_row_calls_ids_by_the_names_that_the_trail_knows() -> None:
    role = "01a206ff-6e6c-7ef4-a193-2d9f806be96e"
    given = event(
        message=f"sofia User gave a role to user {GUID}",
        entity={"type": "ApplicationUser", "id": GUID},
        change={"after": {"UserId": GUID, "RoleId": role}},
    )
    shown = row(given, STOCKHOLM, {GUID: "temp@test001.example", role: "Picker"})
    assert shown.text == "sofia User gave a role to user temp@test001.example"
    assert [(each.name, each.before, each.after) for each in shown.changes] == [("Role", None, "Picker")]
    (whom,) = [part for part in shown.sentence if part.parameter == "entity"]
    assert (whom.value, whom.title) == (GUID, f"Everything about {GUID}")
    unknown = row(given, STOCKHOLM, {})
    assert unknown.text == "sofia User gave a role to user e00c682b…e6de"
    assert [(each.name, each.after) for each in unknown.changes] == [("Role id", "01a206ff…e96e")]


def test_a_row_cuts_a_sentence_that_is_a_page_long() -> None:
    assert len(row(event(message="at System.Text.Json " * 200, user=None), STOCKHOLM, {}).text) <= 240


def test_a_row_does_not_say_twice_what_changed() -> None:
    said = "sofia User changed the status of sales order SO-1 from Draft to Pending"
    change = {"before": {"Status": "Draft"}, "after": {"Status": "Pending"}}
    assert row(event(message=said, change=change), STOCKHOLM, {}).changes == ()


def test_a_row_shows_what_somebody_meant_to_change() -> None:
    change = {
        "fields": ["Name", "UpdatedAt"],
        "before": {"Name": None, "A": 1, "B": 2.0, "C": True, "UpdatedAt": "x"},
        "after": {"Name": "x" * 50, "A": -8, "B": 3.5, "C": False, "UpdatedAt": "y"},
    }
    shown = row(event(change=change), STOCKHOLM, {})
    assert [(each.name, each.before, each.after) for each in shown.changes] == [
        ("Name", "", "x" * 39 + "…"),
        ("A", "1", "-8"),
        ("B", "2", "3.5"),
    ]
    assert shown.more_changes == 1


def test_rows_are_grouped_by_the_days_of_their_zone() -> None:
    late = event(number=16 * 60 + 33)
    assert [day.name for day in days([late], STOCKHOLM, {})] == ["Monday 23 November 2026"]
    assert [day.name for day in days([late], ZoneInfo("Asia/Tokyo"), {})] == ["Tuesday 24 November 2026"]


class TestDetail:
    """The page of one event."""

    def test_tells_what_changed_and_what_did_not(self) -> None:
        change = {"before": {"A": 1, "B": 2, "UpdatedAt": "x"}, "after": {"A": 1, "B": -3, "UpdatedAt": "y"}}
        shown = detail(event(change=change), STOCKHOLM, {})
        assert [(line.name, line.before, line.after, line.kind) for line in shown.differences] == [
            ("A", "1", "1", "same"),
            ("B", "2", "-3", "changed"),
            ("UpdatedAt", "x", "y", "changed"),
        ]
        assert [line.housekeeping for line in shown.differences] == [False, False, True]

    @pytest.mark.parametrize(("side", "kind"), [("before", "removed"), ("after", "added")])
    def test_a_record_that_came_or_went_has_one_side(self, side: str, kind: str) -> None:
        shown = detail(event(change={side: {"A": 1, "Empty": None}}), STOCKHOLM, {})
        assert [line.kind for line in shown.differences] == [kind, "same"]
        assert (shown.had_before, shown.had_after) == (side == "before", side == "after")

    def test_a_change_that_never_happened_is_called_so(self) -> None:
        deleted = event(change={"before": {"A": 1}}, event__outcome="failure")
        assert detail(deleted, STOCKHOLM, {}).never_happened

    def test_ids_stand_beside_their_names(self) -> None:
        shown = detail(event(change={"after": {"RoleId": GUID, "UserId": "x"}}), STOCKHOLM, {GUID: "Picker"})
        assert [line.after for line in shown.differences] == [f"Picker ({GUID})", "x"]

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({}, []),
            ({"user": None}, ["No user: SmartWMS as shipped"]),
            ({"user": None, "event__provenance": "proxy"}, ["No user: the web server"]),
            ({"user": None, "event__action": "login_failed"}, ["No user: SmartWMS logs a failed sign-in"]),
            ({"source": None}, ["No address"]),
            ({"user": None, "source": None, "event__category": "system"}, []),
        ],
    )
    def test_a_gap_is_explained(self, fields: dict[str, Any], words: list[str]) -> None:
        gaps = detail(event(**fields), STOCKHOLM, {}).gaps
        assert len(gaps) == len(words)
        assert all(gap.startswith(word) for gap, word in zip(gaps, words, strict=True))

    def test_every_field_of_the_event_is_on_it(self) -> None:
        made = event(local={"hour": 7, "weekday": 1, "zone": "Europe/Stockholm"}, labels={"A": {"B": "deep"}})
        shown = detail(made, STOCKHOLM, {})
        values = {field.name: field.value for group in shown.groups for field in group.fields}
        assert values["labels.A.B"] == "deep"
        assert values["local.hour"] == "Monday, 07:00 to 07:59, Europe/Stockholm"
        for name in ("event.hash", "log.file", "user_agent.original", "tenant.class", "request.id"):
            assert values[name] == made.text(name)
