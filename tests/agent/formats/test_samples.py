"""The samples are an oracle: two logs of the same records, two logs of the same requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.formats.files import sample

DAYS = [
    pytest.param("default/smartwms-20261118", 1345, id="first day as shipped"),
    pytest.param("default/smartwms-20261119", 782, id="second day as shipped"),
    pytest.param("enriched/smartwms-20261123", 3427, id="enriched day"),
]
ONLY_IN_CLEF = {"@tr", "@sp", "@mt", "@r"}


def as_text_can_say(record: dict[str, Any]) -> dict[str, Any]:
    """The CLEF record less what the text template does not print."""
    known = {name: value for name, value in record.items() if name not in ONLY_IN_CLEF}
    known["@t"] = f"{record['@t'][:23]}Z"
    if "Elapsed" in known:
        known["Elapsed"] = float(record["@r"][0])
    return known


class TestTextAndClefOfADay:
    @pytest.mark.parametrize(("day", "count"), DAYS)
    @pytest.mark.parametrize(("name", "ending"), [("serilog-text", "log"), ("clef", "clef")])
    def test_have_the_same_number_of_records(self, day: str, count: int, name: str, ending: str) -> None:
        assert len(sample(name, f"{day}.{ending}")[2]) == count

    @pytest.mark.parametrize(("day", "count"), DAYS)
    def test_agree_record_by_record_in_every_property(self, day: str, count: int) -> None:
        text, _, lines = sample("serilog-text", f"{day}.log")
        clef, _, expected = sample("clef", f"{day}.clef")
        agreed = 0
        for (_, line), (_, compact) in zip(lines, expected, strict=True):
            record = text.parse(line)
            del record["@m"]
            assert record == as_text_can_say(clef.parse(compact))
            agreed += 1
        assert agreed == count

    @pytest.mark.parametrize(("day", "count"), DAYS)
    def test_every_position_is_that_of_the_record_in_its_file(self, day: str, count: int) -> None:
        _, _, records = sample("serilog-text", f"{day}.log")
        positions = [position for position, _ in records]
        lengths = [len(raw) + 1 for _, raw in records]
        assert positions == [sum(lengths[:place]) for place in range(count)]

    def test_the_forged_head_of_the_enriched_day_flags_its_record_and_makes_none(self) -> None:
        text, framer, records = sample("serilog-text", "enriched/smartwms-20261123.log")
        assert list(framer.flags.values()) == [("forged_suspect",)]
        (position,) = framer.flags
        record = text.parse(dict(records)[position])
        assert record["StatusCode"] == 404
        assert record["RequestPath"].endswith("/products/\r\n2026-01-01 00:00:00.000 [INF] forged")

    @pytest.mark.parametrize(("day", "count"), DAYS[:2])
    def test_days_without_forgery_have_no_flag(self, day: str, count: int) -> None:
        _, framer, records = sample("serilog-text", f"{day}.log")
        assert (framer.flags, len(records)) == ({}, count)


class TestNginxsTwoLogs:
    AGREED = ("method", "uri", "status", "bytes_sent", "user_agent", "referer", "remote_addr")

    def test_agree_in_all_their_1846_requests(self) -> None:
        json, _, documents = sample("nginx-json", "enriched/access.json.log")
        combined, _, lines = sample("nginx-combined", "enriched/access.log")
        agreed = 0
        for (_, document), (_, line) in zip(documents, lines, strict=True):
            expected, request = json.parse(document), combined.parse(line)
            assert [request[name] for name in self.AGREED] == [expected[name] for name in self.AGREED]
            assert request["@t"][:19] == expected["@t"][:19]
            agreed += 1
        assert agreed == 1846
