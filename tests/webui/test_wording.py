"""Events in words, and on their page."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from indexer.cursors import Position
from indexer.event import ACTIONS, Flag, Provenance
from indexer.search import StoredEvent
from tests.support import events
from webui.search import wording
from webui.search.detail import detail
from webui.search.rows import days, row

STOCKHOLM = ZoneInfo("Europe/Stockholm")
PATH = "/api/v1/tenant/e9006ab8-257f-4021-b60a-cbba785bad46/products/13390e88-b61a-4abc-b21a-4243a1b98bc6"


def event(number: int = 0, **fields: object) -> StoredEvent:
    made = events.document(number, {name.replace("__", "."): value for name, value in fields.items()})
    nanos = int((events.MORNING.timestamp() + 60 * number) * 1_000_000) * 1000
    return StoredEvent(made, Position(nanos, made["event"]["id"]))


@pytest.mark.parametrize("action", sorted(set().union(*ACTIONS.values()) - ACTIONS["system"] | {"failed"}))
def test_every_action_has_a_verb(action: str) -> None:
    assert action in wording._VERBS


@pytest.mark.parametrize("flag", Flag)
def test_every_flag_is_explained(flag: Flag) -> None:
    assert wording.FLAGS[flag].endswith(".")


@pytest.mark.parametrize("provenance", Provenance)
def test_every_provenance_is_explained(provenance: Provenance) -> None:
    assert wording.PROVENANCE[provenance][1].endswith(".")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "sofia User changed product SKU-058981"),
        (
            {"event__outcome": "failure", "event__action": "deleted"},
            "sofia User tried to delete product SKU-058981",
        ),
        ({"user": None}, "Somebody changed product SKU-058981"),
        ({"entity": {"type": "IdentityRoleClaim`1", "id": "7"}}, "sofia User changed permission of a role 7"),
        (
            {"entity": {"type": "Product", "id": "e00c682b-4579-4ef1-aebe-fa8873bce6de"}},
            "sofia User changed product e00c682b…",
        ),
        (
            {
                "event": {
                    "category": "authentication",
                    "action": "login_failed",
                    "outcome": "failure",
                    "id": "x",
                },
                "entity": None,
                "user": None,
            },
            "Somebody failed to sign in",
        ),
        (
            {
                "event": {"category": "api", "action": "refused", "outcome": "failure", "id": "x"},
                "entity": None,
                "url__path": PATH,
                "http": {"request": {"method": "PUT"}, "response": {"status_code": 404}},
            },
            "sofia User was refused PUT /products/13390e88… (404)",
        ),
        (
            {
                "event": {"category": "system", "action": "started", "outcome": "unknown", "id": "x"},
                "message": "Up",
            },
            "Up",
        ),
    ],
)
def test_a_row_reads_as_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    assert row(event(**fields), STOCKHOLM).text == sentence


def test_a_row_shows_what_somebody_meant_to_change() -> None:
    change = {
        "fields": ["Name", "UpdatedAt"],
        "before": {"Name": None, "A": 1, "B": 2.0, "C": True, "UpdatedAt": "x"},
        "after": {"Name": "x" * 50, "A": -8, "B": 3.5, "C": False, "UpdatedAt": "y"},
    }
    shown = row(event(change=change), STOCKHOLM)
    assert [(each.name, each.before, each.after) for each in shown.changes] == [
        ("Name", "", "x" * 39 + "…"),
        ("A", "1", "-8"),
        ("B", "2", "3.5"),
    ]
    assert shown.more_changes == 1


def test_rows_are_grouped_by_the_days_of_their_zone() -> None:
    late = event(number=16 * 60 + 33)
    assert [day.name for day in days([late], STOCKHOLM)] == ["Monday 23 November 2026"]
    assert [day.name for day in days([late], ZoneInfo("Asia/Tokyo"))] == ["Tuesday 24 November 2026"]


class TestDetail:
    """The page of one event."""

    def test_tells_what_changed_and_what_did_not(self) -> None:
        change = {"before": {"A": 1, "B": 2, "UpdatedAt": "x"}, "after": {"A": 1, "B": -3, "UpdatedAt": "y"}}
        shown = detail(event(change=change), STOCKHOLM)
        assert [(line.name, line.before, line.after, line.kind) for line in shown.differences] == [
            ("A", "1", "1", "same"),
            ("B", "2", "-3", "changed"),
            ("UpdatedAt", "x", "y", "changed"),
        ]
        assert [line.housekeeping for line in shown.differences] == [False, False, True]

    @pytest.mark.parametrize(("side", "kind"), [("before", "removed"), ("after", "added")])
    def test_a_record_that_came_or_went_has_one_side(self, side: str, kind: str) -> None:
        shown = detail(event(change={side: {"A": 1, "Empty": None}}), STOCKHOLM)
        assert [line.kind for line in shown.differences] == [kind, "same"]
        assert (shown.had_before, shown.had_after) == (side == "before", side == "after")

    def test_a_change_that_never_happened_is_called_so(self) -> None:
        assert detail(event(change={"before": {"A": 1}}, event__outcome="failure"), STOCKHOLM).never_happened

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
        gaps = detail(event(**fields), STOCKHOLM).gaps
        assert len(gaps) == len(words)
        assert all(gap.startswith(word) for gap, word in zip(gaps, words, strict=True))

    def test_every_field_of_the_event_is_on_it(self) -> None:
        made = event(local={"hour": 7, "weekday": 1, "zone": "Europe/Stockholm"}, labels={"A": {"B": "deep"}})
        shown = detail(made, STOCKHOLM)
        values = {field.name: field.value for group in shown.groups for field in group.fields}
        assert values["labels.A.B"] == "deep"
        assert values["local.hour"] == "Monday, 07:00 to 07:59, Europe/Stockholm"
        for name in ("event.hash", "log.file", "user_agent.original", "tenant.class", "request.id"):
            assert values[name] == made.text(name)
