"""What the store's answer means for each event: the table of architecture.md, section 3, row by row."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.verdict import DUPLICATE, STORED, Kind, Verdict, judge, judge_items


@pytest.mark.parametrize(
    ("status", "error_type", "kind"),
    [
        (201, None, Kind.STORED),
        (409, "version_conflict_engine_exception", Kind.DUPLICATE),
        (409, "something_else", Kind.RETRY),
        (400, "strict_dynamic_mapping_exception", Kind.REJECTED),
        (400, "mapper_parsing_exception", Kind.REJECTED),
        (400, "illegal_argument_exception", Kind.REJECTED),
        (400, "index_closed_exception", Kind.HOLD),
        (400, "validation_exception", Kind.HOLD),
        (401, "security_exception", Kind.HOLD),
        (403, "security_exception", Kind.HOLD),
        (403, "cluster_block_exception", Kind.RETRY),
        (404, "index_not_found_exception", Kind.MISSING),
        (404, "something_else", Kind.RETRY),
        (429, "rejected_execution_exception", Kind.RETRY),
        (429, "cluster_block_exception", Kind.RETRY),
        (500, "null_pointer_exception", Kind.RETRY),
        (503, "unavailable_shards_exception", Kind.RETRY),
        (504, None, Kind.RETRY),
        (200, None, Kind.RETRY),
        (0, None, Kind.RETRY),
    ],
)
def test_each_status_has_its_verdict(status: int, error_type: str | None, kind: Kind) -> None:
    error = None if error_type is None else {"type": error_type, "reason": "because"}
    verdict = judge(status, error)
    assert verdict.kind is kind
    assert verdict.final == (kind in {Kind.STORED, Kind.DUPLICATE, Kind.REJECTED})
    if kind not in {Kind.STORED, Kind.DUPLICATE}:
        assert verdict.cause.startswith(str(status))
        assert (error_type or "no reason given") in verdict.cause


def test_a_cause_tells_the_innermost_reason_once() -> None:
    inner = {
        "type": "json_parse",
        "reason": "bad token",
        "caused_by": {"type": "stream", "reason": "bad token"},
    }
    verdict = judge(400, {"type": "mapper_parsing", "reason": "failed to parse", "caused_by": inner})
    assert verdict.cause == "400 mapper_parsing: failed to parse; json_parse: bad token"


def item(document_id: str, status: int) -> dict[str, object]:
    error = {} if status == 201 else {"error": {"type": "t", "reason": "r"}}
    if status == 409:
        error = {"error": {"type": "version_conflict_engine_exception", "reason": "r"}}
    return {"create": {"_id": document_id, "status": status, **error}}


def answer(*items: dict[str, object]) -> bytes:
    failed = any("error" in about["create"] for about in items)  # type: ignore[operator]
    return orjson.dumps({"errors": failed, "items": items})


class TestAnAnswer:
    def test_that_all_are_stored_is_told_by_its_bytes(self) -> None:
        assert judge_items(answer(item("a", 201), item("b", 201)), ["a", "b"]) == [STORED, STORED]

    def test_is_read_item_by_item(self) -> None:
        found = judge_items(answer(item("a", 201), item("b", 409), item("c", 400)), ["a", "b", "c"])
        assert found == [STORED, DUPLICATE, Verdict(Kind.REJECTED, "400 t: r")]

    @pytest.mark.parametrize(
        "body",
        [
            answer(item("a", 201)),
            answer(item("a", 201), item("b", 201), item("c", 201)),
            answer(item("b", 201), item("a", 201)),
            answer(item("a", 201), item("a", 201)),
            answer(item("a", 201), item("x", 201)),
            answer(item("a", 201), item("b", 201))[:-4],
            orjson.dumps({"errors": False, "items": [{"index": {"_id": "a", "status": 201}}] * 2}),
            orjson.dumps({"errors": False, "items": [{"create": {"_id": "a"}}, {"create": {"_id": "b"}}]}),
            b'{"errors":false}',
            b"[]",
            b"null",
            b"",
            b"<html>200 OK</html>",
        ],
        ids=[
            "too few",
            "too many",
            "another order",
            "one twice",
            "another id",
            "cut",
            "another operation",
            "no status",
            "no items",
            "a list",
            "null",
            "empty",
            "html",
        ],
    )
    def test_that_is_not_about_what_was_sent_is_not_trusted(self, body: bytes) -> None:
        assert judge_items(body, ["a", "b"]) is None

    @given(st.lists(st.sampled_from([201, 400, 403, 409, 429, 500]), min_size=1), st.integers(0, 400))
    def test_cut_anywhere_is_not_trusted(self, statuses: list[int], cut: int) -> None:
        ids = [f"id{number}" for number in range(len(statuses))]
        body = answer(*map(item, ids, statuses))
        whole = judge_items(body, ids)
        assert whole is not None
        assert [verdict is STORED for verdict in whole] == [status == 201 for status in statuses]
        if cut < len(body):
            assert judge_items(body[:cut], ids) is None
