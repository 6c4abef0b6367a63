"""Id and partition of an event are functions of record, place and plans: a resend changes neither."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from agent.formats import format_named
from agent.normalise import encoder
from agent.normalise.normaliser import Document
from indexer.event import id_prefix, id_suffix
from indexer.tenants import Tenants
from tests.agent.normalise.feeding import (
    CORPUS,
    FILE,
    NOW,
    OTHER_TENANT,
    TENANT,
    Clock,
    Feeding,
    log,
    request,
    sample_documents,
    tenant,
    tenants,
)

DAY = "enriched/smartwms-20261123.clef"
SINCE_EVER = datetime(2000, 1, 1, tzinfo=UTC)


@cache
def first_time() -> dict[int, tuple[str, str]]:
    return places(sample_documents(DAY, "clef", known=one_plan()))


def one_plan() -> Tenants:
    return tenants(tenant(plans=[("business", SINCE_EVER)]))


def places(documents: Iterable[Document]) -> dict[int, tuple[str, str]]:
    """Index and id by position: the id's last 12 characters hold it."""
    return {
        int(body.split(b'"position":')[1].split(b",")[0]): (index, name)
        for index, name, body, *_ in documents
    }


def prefix_of_file() -> str:
    return id_prefix("app-1", "app", FILE.identity)


class TestAResend:
    def test_with_another_redaction_key_stores_nothing_new(self) -> None:
        again = sample_documents(DAY, "clef", known=one_plan(), key=b"another key of the installation!")
        assert places(again) == first_time()

    def test_without_the_context_of_the_requests_stores_nothing_new(self) -> None:
        lines = (CORPUS / DAY).read_bytes().split(b"\n")[:-1]
        found, position = [], 0
        for number, raw in enumerate(lines):
            if number % 7 == 0:
                feeding = Feeding(known=one_plan())
                found += feeding.normaliser.feed(FILE, [(position, raw)], {}, 1) + feeding.normaliser.flush()
            position += len(raw) + 1
        assert places(found).items() <= first_time().items()
        assert len(found) == 490

    def test_by_another_version_of_the_agent_stores_nothing_new(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(encoder, "_AGENT", b',"agent":{"version":"99.0"}')
        assert places(sample_documents(DAY, "clef", known=one_plan())) == first_time()

    def test_on_another_day_stores_nothing_new(self) -> None:
        later = Clock(now=NOW + timedelta(days=20))
        known = tenants(tenant(plans=[("business", SINCE_EVER)]), loaded_at=later.now)
        assert places(sample_documents(DAY, "clef", known=known, clock=later)) == first_time()

    def test_after_a_change_of_plan_stores_nothing_new(self) -> None:
        changed = tenant(plans=[("business", SINCE_EVER), ("starter", NOW + timedelta(hours=2))])
        assert places(sample_documents(DAY, "clef", known=tenants(changed))) == first_time()

    def test_with_changes_not_logged_changes_no_id(self) -> None:
        again = sample_documents(DAY, "clef", known=one_plan(), changes_logged=False)
        assert places(again) == first_time()


class TestAnId:
    @pytest.mark.parametrize("raw", [b'{"a":1}', b"no JSON", b"two\nlines", b"two\r\nlines", b"\xff\xfe"])
    def test_is_what_the_contract_says_of_file_position_and_first_line(self, raw: bytes) -> None:
        feeding = Feeding()
        first, second = feeding.documents(b"x" * 1000, raw)
        assert first[1] == prefix_of_file() + id_suffix(0, b"x" * 1000)
        assert second[1] == prefix_of_file() + id_suffix(1001, re.split(rb"\r?\n", raw)[0])

    def test_is_the_same_whether_or_not_the_lines_that_follow_came_in_time(self) -> None:
        head = b'2026-11-23 07:26:35.363 +01:00 [ERR] Broken {"SourceContext":"X"}'
        ((_, alone, *_),) = Feeding("serilog-text").documents(head)
        ((_, whole, *_),) = Feeding("serilog-text").documents(head + b"\r\nSystem.Exception: a")
        assert alone == whole

    def test_differs_for_two_identical_lines(self) -> None:
        one, other = Feeding().documents(log(), log())
        assert one[1] != other[1]

    def test_differs_for_another_line_at_the_same_position(self) -> None:
        ((_, one, *_),) = Feeding().documents(log("One"))
        ((_, other, *_),) = Feeding().documents(log("Two"))
        assert one != other

    def test_depends_on_the_first_line_of_a_text_record_only(self) -> None:
        head = b'2026-11-23 07:26:35.363 +01:00 [ERR] Broken {"SourceContext":"X"}'
        ((_, one, *_),) = Feeding("serilog-text").documents(head + b"\nSystem.Exception: a")
        ((_, other, *_),) = Feeding("serilog-text").documents(head + b"\nSystem.Exception: b")
        assert one == other


class TestAPartition:
    def test_is_that_of_the_class_of_the_tenant_at_the_time_of_the_event(self) -> None:
        turn = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
        feeding = Feeding(known=tenants(tenant(plans=[("starter", SINCE_EVER), ("business", turn)])))
        times = ("2026-11-23T06:59:59.9999999Z", "2026-11-23T07:00:00.0000000Z")
        before, after = feeding.documents(*({**request(), "@t": time} for time in times))
        assert before[0] == "smartwms-audit-starter-2026.11.23"
        assert after[0] == "smartwms-audit-business-2026.11.23"

    def test_of_a_tenant_nobody_told_us_about_is_the_longest_classs(self) -> None:
        ((index, *_),) = Feeding().documents(request())
        assert index == "smartwms-audit-enterprise-2026.11"

    def test_is_not_moved_by_what_another_line_of_the_request_tells(self) -> None:
        known = tenants(tenant(plans=[("starter", SINCE_EVER)]), tenant(OTHER_TENANT))
        feeding = Feeding(known=known)
        warning, _ = feeding.documents(log(RequestId="0HNQ95ATOEJFE:00000001"), request())
        assert warning[0] == "smartwms-audit-enterprise-2026.11"
        assert TENANT.encode() in warning[2]


@pytest.mark.parametrize("format_name", ["clef", "serilog-text"])
def test_a_record_is_placed_alike_whichever_format_told_it(format_name: str) -> None:
    ending = {"clef": "clef", "serilog-text": "log"}[format_name]
    assert format_named(format_name).name == format_name
    found = sample_documents(f"enriched/smartwms-20261123.{ending}", format_name, known=one_plan())
    expected = sorted(index for index, _ in first_time().values())
    assert sorted(document[0] for document in found) == expected
