"""The samples are an oracle (event.md, section 4): two logs of one day tell the same events."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import orjson
import pytest

from indexer.event import ACTIONS, FIELDS, event_hash
from tests.agent.normalise.feeding import CORPUS, DAYS, Event, by_position, events, sample_documents

ENRICHED = "enriched/smartwms-20261123"
SECRETS = {"RefreshToken", "PasswordHash", "SecurityStamp", "ConcurrencyStamp"}
LOGS = [
    *((f"{day}.clef", "clef") for day in DAYS),
    *((f"{day}.log", "serilog-text") for day in DAYS),
    ("enriched/access.json.log", "nginx-json"),
    ("enriched/access.log", "nginx-combined"),
]


@cache
def told(path: str, format_name: str) -> tuple[Event, ...]:
    return tuple(by_position(sample_documents(path, format_name, changes_logged="enriched" in path)))


def enriched() -> tuple[Event, ...]:
    return told(f"{ENRICHED}.clef", "clef")


def with_action(action: str, outcome: str = "success") -> list[Event]:
    return [
        event
        for event in enriched()
        if event["event"]["action"] == action and event["event"]["outcome"] == outcome
    ]


def agreed(event: Event) -> dict[str, Any]:
    """What section 4 says both formats tell alike."""
    kept = {
        name: event.get(name) for name in ("user", "entity", "change", "tenant", "request", "url", "source")
    }
    names = ("category", "action", "outcome")
    return {
        **kept,
        **{name: event["event"][name] for name in names},
        "flags": [flag for flag in event["event"].get("flags", ()) if flag != "forged_suspect"],
        "time": event["@timestamp"][:23],
        "message": event["message"].replace('"', ""),  # text quotes strings, CLEF leaves that to its reader
        "local": event["local"],
    }


class TestTextAndClef:
    @pytest.mark.parametrize(("day", "count"), DAYS.items())
    def test_of_a_day_tell_the_same_events(self, day: str, count: int) -> None:
        compact, text = told(f"{day}.clef", "clef"), told(f"{day}.log", "serilog-text")
        assert (len(compact), len(text)) == (count, count)
        for one, other in zip(compact, text, strict=True):
            assert agreed(one) == agreed(other)


class TestTheTwoFilesOfNginx:
    def test_tell_the_same_requests(self) -> None:
        structured = told("enriched/access.json.log", "nginx-json")
        combined = told("enriched/access.log", "nginx-combined")
        assert (len(structured), len(combined)) == (1846, 1846)
        for one, other in zip(structured, combined, strict=True):
            assert {**agreed(one), "time": "", "request": ""} == {**agreed(other), "time": "", "request": ""}


class TestTheEnrichedDay:
    def test_has_49_logins_each_with_its_user(self) -> None:
        logins = with_action("login")
        assert len(logins) == 49
        assert all(event["user"]["id"] for event in logins)

    @pytest.mark.parametrize(
        ("action", "outcome", "count"),
        [("login_failed", "failure", 174), ("logout", "success", 38)],
    )
    def test_has_as_many_events_of_an_action(self, action: str, outcome: str, count: int) -> None:
        assert len(with_action(action, outcome)) == count

    def test_has_16_product_deletes_of_which_8_never_happened(self) -> None:
        deletes = Counter(
            event["event"]["outcome"]
            for event in enriched()
            if (event["event"]["category"], event["event"]["action"]) == ("products", "deleted")
        )
        assert deletes == {"success": 8, "failure": 8}

    @pytest.mark.parametrize(("kind", "count"), [("SalesOrder", 32), ("PurchaseOrder", 8)])
    def test_has_as_many_changes_of_status(self, kind: str, count: int) -> None:
        changed = with_action("status_changed")
        assert sum(event["entity"]["type"] == kind for event in changed) == count


@pytest.mark.parametrize(("path", "format_name"), LOGS)
class TestEveryEventOfASample:
    def test_has_a_category_and_action_of_the_vocabulary(self, path: str, format_name: str) -> None:
        for event in told(path, format_name):
            assert event["event"]["action"] in ACTIONS[event["event"]["category"]]

    def test_has_the_hash_of_its_canonical_form(self, path: str, format_name: str) -> None:
        for event in told(path, format_name):
            assert event["event"]["hash"] == event_hash(event)

    def test_has_only_fields_of_the_contract(self, path: str, format_name: str) -> None:
        for event in told(path, format_name):
            assert set(leaves(event)) <= set(FIELDS)

    def test_is_told_alike_whatever_the_steps_of_reading(self, path: str, format_name: str) -> None:
        stepped = by_position(sample_documents(path, format_name, step=7, changes_logged="enriched" in path))
        assert tuple(stepped) == told(path, format_name)


class TestNoSecret:
    def test_of_the_samples_is_in_any_document(self) -> None:
        secrets = set()
        for raw in (CORPUS / f"{ENRICHED}.clef").read_bytes().splitlines():
            record = orjson.loads(raw)
            for side in ("OldValues", "NewValues"):
                values = record.get(side) or {}
                secrets |= {values[name] for name in SECRETS & set(values) if values[name]}
        assert len(secrets) > 100
        for ending, name in (("clef", "clef"), ("log", "serilog-text")):
            printed = orjson.dumps(told(f"{ENRICHED}.{ending}", name)).decode()
            assert [secret for secret in secrets if secret in printed] == []


def leaves(node: Event, prefix: str = "") -> list[str]:
    found = []
    for name, value in node.items():
        known = prefix + name in FIELDS
        found += (
            [prefix + name] if known or not isinstance(value, dict) else leaves(value, f"{prefix}{name}.")
        )
    return found


def test_a_document_is_given_out_once_for_every_record() -> None:
    documents = sample_documents(f"{ENRICHED}.clef", "clef", changes_logged=True)
    assert len({document[1] for document in documents}) == len(events(documents)) == 3427


def test_what_a_seal_says_of_a_document_stands_in_it() -> None:
    documents = sample_documents(f"{ENRICHED}.clef", "clef", changes_logged=True)
    said = [(id_, tenant, hash_.hex()) for _, id_, _, _, tenant, hash_ in documents]
    assert said == [
        (event["event"]["id"], event["tenant"]["id"], event["event"]["hash"]) for event in events(documents)
    ]
    assert len({tenant for _, tenant, _ in said}) > 1
