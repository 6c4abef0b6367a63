"""What is signed is the same bytes for everybody, and a chain of them tells what was taken out."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson

from webui.question import Question
from webui.reviews.plan import Reviewer
from webui.reviews.record import Record, Signature, chain_holds, signed_note, signed_review
from webui.reviews.review import Item, ItemState, Review

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SIGNATURE = Signature("anna", "auditor", AT, "password")
REVIEW = Review(
    id="2026-w48-0123456789ab",
    tenant="e9006ab8-257f-4021-b60a-cbba785bad46",
    tenant_name="Göteborg 货架",
    title="Weekly review",
    plan="p",
    week="2026-W48",
    start=datetime(2026, 11, 22, 23, tzinfo=UTC),
    end=datetime(2026, 11, 29, 23, tzinfo=UTC),
    zone=ZoneInfo("Europe/Stockholm"),
    hours="07:00-18:00",
    scope=Question(),
    reviewers=(Reviewer("anna", ("Anna Berg",)),),
    opened=AT,
    opened_by="schedule",
    due=AT,
    counted=AT,
    items=(Item(key="exports", count=2, sentence="All.", path="/activity", state=ItemState.LOOKED_AT),),
)


def chain() -> tuple[Record, ...]:
    first = signed_review(REVIEW, SIGNATURE)
    second = signed_note(REVIEW, first, "It was explained.", SIGNATURE)
    return (first, second, signed_note(REVIEW, second, "And fixed.", SIGNATURE))


def test_is_hashed_over_canonical_json() -> None:
    record = signed_review(REVIEW, SIGNATURE)
    said = orjson.loads(record.text)
    assert record.text.encode() == orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    assert hashlib.sha256(record.text.encode()).hexdigest() == record.sha256
    assert said["items"][0]["count"] == 2
    assert said["signed"]["by"] == "anna"
    assert said["tenant"]["name"] == "Göteborg 货架"


def test_says_the_same_of_the_same() -> None:
    assert signed_review(REVIEW, SIGNATURE) == signed_review(replace(REVIEW), SIGNATURE)
    assert signed_review(replace(REVIEW, hours="08:00-18:00"), SIGNATURE).sha256 != chain()[0].sha256


class TestAChain:
    def test_holds(self) -> None:
        assert chain_holds(chain())

    def test_tells_of_a_note_that_was_taken_out(self) -> None:
        first, _, third = chain()
        assert not chain_holds((first, third))
        assert not chain_holds((first, replace(third, number=1)))

    def test_tells_of_another_text(self) -> None:
        first, second, third = chain()
        changed = replace(first, text=first.text.replace('"count":2', '"count":1'))
        assert changed != first
        assert not chain_holds((changed, second, third))

    def test_tells_of_another_review_with_a_hash_that_fits_it(self) -> None:
        _, second, third = chain()
        other = signed_review(replace(REVIEW, hours="08:00-18:00"), SIGNATURE)
        assert chain_holds((other,))
        assert not chain_holds((other, second, third))
