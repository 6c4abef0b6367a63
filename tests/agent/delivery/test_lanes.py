"""Whatever the store answers: every document comes to one verdict, and none waits for another's."""

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from agent.delivery.backoff import Backoff
from agent.delivery.lanes import ROOM_BYTES_MIN
from tests.support import fake_store as wrong
from tests.support.delivering import LIMITS, OTHER, PARTITION, Delivering, documents
from tests.support.fake_store import FakeStore, fake_store


@pytest.fixture
def fake() -> Iterator[FakeStore]:
    with fake_store() as store:
        yield store


@pytest.fixture
def delivering(fake: FakeStore, tmp_path: Path) -> Iterator[Delivering]:
    with Delivering(fake.settings, tmp_path) as delivering:
        yield delivering


def test_what_is_stored_is_final(fake: FakeStore, delivering: Delivering) -> None:
    added, token = documents(0, 25)
    delivering.add(added)
    delivering.drain()
    assert token.open_count == 0
    assert len(fake.documents) == 25
    assert fake.partitions == [PARTITION]
    assert delivering.counts.line() == '{"read":25,"stored":25,"duplicate":0,"rejected":0,"expired":0}'


def test_a_batch_goes_when_it_is_full_and_not_before_its_time(
    fake: FakeStore, delivering: Delivering
) -> None:
    added, _ = documents(0, LIMITS.batch_count - 1)
    delivering.add(added)
    delivering.turn(after_secs=0.1)
    assert fake.requests == 0
    added, _ = documents(100, 1)
    delivering.add(added)
    delivering.turn(after_secs=0.1)
    assert fake.requests == 1


def test_a_batch_that_is_not_full_goes_at_once_if_nothing_else_is_on_its_way(
    fake: FakeStore, delivering: Delivering
) -> None:
    delivering.add(documents(0, 3)[0])
    delivering.lanes.hurry()
    delivering.turn(0.0)
    assert (len(fake.documents), fake.requests) == (3, 1)
    fake.whole = lambda _request: 503
    delivering.add(documents(3, 2)[0])
    delivering.lanes.hurry()
    delivering.turn(0.0)
    fake.whole = wrong.fine
    for number in range(5, 8):
        delivering.add(documents(number, 1)[0])
        delivering.lanes.hurry()
    delivering.drain()
    assert len(fake.documents) == 8
    assert fake.requests == 4, "what came while the store failed went as one batch"


def test_what_was_stored_before_is_a_duplicate_and_final(delivering: Delivering) -> None:
    for _ in range(2):
        added, token = documents(0, 5)
        delivering.add(added)
        delivering.drain()
        assert token.open_count == 0
    assert (delivering.counts.stored, delivering.counts.duplicate) == (5, 5)


@pytest.mark.parametrize(
    "fault",
    [429, 500, 503, wrong.DROP_BEFORE, wrong.DROP_AFTER, wrong.CUT, wrong.HTML, wrong.EMPTY,
     wrong.ONE_MISSING, wrong.ONE_MORE],
)  # fmt: skip
@pytest.mark.parametrize("count", [1, 7])
def test_44_46_47_49_50_an_answer_that_cannot_be_trusted_is_asked_again(
    fake: FakeStore, delivering: Delivering, fault: str | int, count: int
) -> None:
    fake.whole = lambda request: fault if request <= 3 else None
    added, token = documents(0, count)
    delivering.add(added)
    delivering.drain()
    assert token.open_count == 0
    assert len(fake.documents) == count
    assert delivering.counts.stored + delivering.counts.duplicate == count
    assert delivering.counts.retried == 3 * count


def test_45_one_answer_with_everything(fake: FakeStore, delivering: Delivering) -> None:
    statuses = {1: 429, 2: 400, 3: 403, 4: 404, 5: 500, 6: 503}

    def item(_partition: str, id_: str, attempt: int) -> int:
        return statuses.get(int(id_[-1]), 201) if attempt == 1 or id_.endswith("2") else 201

    fake.item = item
    fake.documents["id-00000007"] = b"before"
    added, token = documents(0, 8)
    delivering.add(added)
    delivering.drain()
    assert token.open_count == 0
    counts = delivering.counts
    assert (counts.stored, counts.duplicate, counts.rejected) == (6, 1, 1)
    assert fake.documents.keys() == {f"id-{number:08}" for number in range(8) if number != 2}
    [letter] = delivering.letters.read()
    assert letter.id == "id-00000002"
    assert "document_parsing_exception" in letter.cause
    assert letter.body == b'{"message":"x"}'


def test_48_413_is_halved_down_to_one_document(fake: FakeStore, delivering: Delivering) -> None:
    fake.max_body_bytes = 2_000
    small, token = documents(0, 9)
    giant, giant_token = documents(100, 1, body=b'{"message":"%s"}' % (b"x" * 3_000))
    delivering.add(small + giant)
    delivering.drain()
    assert token.open_count == giant_token.open_count == 0
    assert len(fake.documents) == 9
    assert [letter.id for letter in delivering.letters.read()] == ["id-00000100"]


def test_44_retry_after_is_honoured(fake: FakeStore, delivering: Delivering) -> None:
    fake.headers["Retry-After"] = "20"
    fake.whole = lambda request: 429 if request == 1 else None
    added, _ = documents(0, 5)
    delivering.add(added)
    delivering.turn()
    delivering.turn(after_secs=19)
    assert fake.requests == 1
    delivering.turn(after_secs=2)
    assert fake.requests == 2


def test_51_a_store_that_refuses_us_is_asked_now_and_then_until_it_does_not(
    fake: FakeStore, delivering: Delivering
) -> None:
    fake.whole = lambda request: 401 if request <= 5 else None
    added, token = documents(0, 5)
    delivering.add(added)
    for _ in range(3):
        delivering.turn(after_secs=60)
    assert token.open_count == 5
    assert "401" in delivering.lanes.last_error
    delivering.drain()
    assert token.open_count == 0
    assert list(delivering.letters.read()) == []


def test_53_a_poison_document_in_every_batch_slows_nobody(fake: FakeStore, delivering: Delivering) -> None:
    fake.item = lambda _partition, id_, _attempt: 400 if id_.endswith("5") else 201
    added, token = documents(0, 100)
    delivering.add(added)
    delivering.drain()
    assert token.open_count == 0
    assert fake.requests == 10
    assert (delivering.counts.stored, delivering.counts.rejected) == (90, 10)


def test_53_a_document_that_is_never_taken_slows_nobody_of_its_partition(
    fake: FakeStore, delivering: Delivering
) -> None:
    fake.item = lambda _partition, id_, _attempt: 500 if id_ == "id-00000003" else 201
    poisoned, _ = documents(0, 10)
    delivering.add(poisoned)
    delivering.turn()
    later, token = documents(100, 50)
    delivering.add(later)
    delivering.turn(after_secs=0.0)
    assert token.open_count == 0


def test_55_a_blocked_partition_lets_the_others_flow(fake: FakeStore, delivering: Delivering) -> None:
    blocked = True
    fake.item = lambda partition, _id, _attempt: 403 if blocked and partition == PARTITION else 201
    for round_ in range(5):
        stuck, _ = documents(round_ * 10, 5)
        free, free_token = documents(1000 + round_ * 10, 5, OTHER)
        delivering.add(stuck + free)
        delivering.turn()
        assert free_token.open_count == 0
    assert set(delivering.lanes.waiting) == {PARTITION}
    blocked = False
    delivering.drain()
    assert delivering.counts.stored == 50
    assert delivering.lanes.waiting == {}


def test_69_a_dead_store_stops_the_intake(fake: FakeStore, tmp_path: Path) -> None:
    fake.whole = lambda _request: 503
    limits = LIMITS.model_copy(update={"batch_bytes": 1024 * 400})
    with Delivering(fake.settings, tmp_path, limits) as delivering:
        taken = 0
        while delivering.lanes.has_room:
            added, _ = documents(taken, 20, body=b'{"message":"%s"}' % (b"x" * 1000))
            delivering.add(added)
            delivering.turn()
            taken += 20
        assert taken * 1000 < limits.batch_bytes * (limits.in_flight + 3)
        fake.whole = wrong.fine
        delivering.drain()
        assert delivering.counts.stored == taken


def test_64_dead_letters_that_cannot_be_written_keep_the_position(
    fake: FakeStore, delivering: Delivering
) -> None:
    fake.item = lambda _partition, _id, _attempt: 400
    delivering.letters.path.mkdir()
    added, token = documents(0, 3)
    delivering.add(added)
    for _ in range(3):
        delivering.turn(after_secs=60)
    assert token.open_count == 3
    assert str(delivering.letters.path) in delivering.lanes.last_error
    delivering.letters.path.rmdir()
    delivering.drain()
    assert token.open_count == 0
    assert len(list(delivering.letters.read())) == 3


def test_55_a_partition_that_is_back_is_served_without_its_lane(
    fake: FakeStore, delivering: Delivering
) -> None:
    fake.item = lambda _partition, _id, attempt: 403 if attempt == 1 else 201
    stuck, _ = documents(0, 30)
    delivering.add(stuck)
    delivering.turn()
    assert set(delivering.lanes.waiting) == {PARTITION}
    fake.item = wrong.accept
    delivering.turn()
    later, token = documents(100, LIMITS.batch_count)
    delivering.add(later)
    delivering.turn(after_secs=0.0)
    assert token.open_count == 0
    delivering.drain()
    assert delivering.counts.stored == 40


class TestBounds:
    """A partition in trouble takes its own share of memory, and never the others'."""

    @pytest.fixture
    def tight(self, fake: FakeStore, tmp_path: Path) -> Iterator[Delivering]:
        with Delivering(
            fake.settings, tmp_path, LIMITS.model_copy(update={"batch_bytes": 20_000})
        ) as delivering:
            yield delivering

    def test_55_a_blocked_partition_is_full_and_the_others_have_room(
        self, fake: FakeStore, tight: Delivering
    ) -> None:
        fake.item = lambda partition, _id, _attempt: 403 if partition == PARTITION else 201
        body = b'{"message":"%s"}' % (b"x" * 1000)
        number = 0
        while PARTITION not in tight.lanes.full:
            tight.add(documents(number, 10, body=body)[0])
            tight.turn()
            number += 10
            assert number < 1000
        assert tight.lanes.has_room
        for first in range(0, 500, 10):
            added, token = documents(10_000 + first, 10, OTHER, body)
            tight.add(added)
            tight.turn()
            assert token.open_count == 0
        fake.item = wrong.accept
        tight.drain()
        assert tight.lanes.full == frozenset()
        assert tight.counts.stored == number + 500

    def test_55_however_many_partitions_are_blocked_memory_is_bounded(
        self, fake: FakeStore, tight: Delivering
    ) -> None:
        fake.item = lambda partition, _id, _attempt: 403 if partition != OTHER else 201
        body = b'{"message":"%s"}' % (b"x" * 1000)
        number = 0
        for day in range(1, 16):
            partition = f"smartwms-audit-business-2026.10.{day:02}"
            for _ in range(10):
                if tight.lanes.has_room and partition not in tight.lanes.full:
                    tight.add(documents(number, 10, partition, body)[0])
                    tight.turn()
                    number += 10
        assert tight.lanes.bytes_open < 3 * ROOM_BYTES_MIN
        added, token = documents(10_000, 10, OTHER, body)
        tight.add(added)
        tight.turn()
        assert token.open_count == 0


class TestConcurrency:
    """A store that pushes back is asked by fewer requests at once."""

    def test_44_it_backs_off_on_429_and_comes_back_slowly(self, fake: FakeStore, tmp_path: Path) -> None:
        with Delivering(fake.settings, tmp_path, LIMITS.model_copy(update={"in_flight": 4})) as delivering:
            fake.item = lambda _partition, id_, attempt: 429 if attempt == 1 and id_ < "id-00000010" else 201
            assert delivering.lanes.places == 4
            delivering.add(documents(0, 10)[0])
            delivering.turn()
            assert delivering.lanes.places == 2
            grown = []
            for first in range(100, 300, 10):
                delivering.add(documents(first, 10, OTHER)[0])
                delivering.turn()
                grown.append(delivering.lanes.places)
            assert grown == sorted(grown)
            assert grown[0] == 2
            assert grown[-1] == 4

    def test_44_a_store_that_fails_is_asked_by_one_request_at_a_time(
        self, fake: FakeStore, delivering: Delivering
    ) -> None:
        fake.whole = lambda _request: 429
        delivering.add(documents(0, 30)[0])
        delivering.turn()
        requests = fake.requests
        delivering.turn(after_secs=60)
        assert fake.requests == requests + 1


def test_44_pauses_are_spread_and_grow_to_their_bound() -> None:
    ceilings = []
    for attempts in range(12):
        pauses = []
        for seed in range(200):
            backoff = Backoff(30.0, Random(seed))
            backoff.attempts = attempts
            backoff.failed(0.0)
            pauses.append(backoff.due)
        assert min(pauses) < max(pauses) / 10  # full jitter: from nothing to the ceiling
        ceilings.append(max(pauses))
    assert ceilings == sorted(ceilings) or max(ceilings) <= 30.0
    assert 29.0 < ceilings[-1] <= 30.0


def test_64_full_dead_letters_hold_what_finds_no_room_and_lose_nothing(
    fake: FakeStore, delivering: Delivering
) -> None:
    fake.item = lambda _partition, id_, _attempt: 400 if id_ < "id-00001000" else 201
    delivering.letters.bytes_max = 2_000
    rejected, token = documents(0, 30)
    delivering.add(rejected)
    for _ in range(5):
        delivering.turn(after_secs=60)
    buried = len(list(delivering.letters.read()))
    assert 0 < buried < 30
    assert token.open_count == 30 - buried
    assert "dead_letters_bytes" in delivering.lanes.letters_problem
    assert delivering.letters.bytes <= 2_000
    later, later_token = documents(1000, 10, OTHER)
    delivering.add(later)
    delivering.turn()
    assert later_token.open_count == 0
    delivering.letters.bytes_max = 200_000
    delivering.drain()
    assert token.open_count == 0
    assert delivering.lanes.letters_problem == ""
    assert {letter.id for letter in delivering.letters.read()} == {document[1] for document in rejected}


def test_49_a_store_that_hangs_is_asked_again_and_stores_once(fake: FakeStore, tmp_path: Path) -> None:
    released = threading.Event()

    def hang(request: int) -> None:
        if request == 1:
            released.wait(3.0)

    fake.whole = hang
    with Delivering(fake.settings, tmp_path, LIMITS.model_copy(update={"request_secs": 0.3})) as delivering:
        added, token = documents(0, 5)
        delivering.add(added)
        delivering.turn()
        assert token.open_count == 5
        assert "does not answer" in delivering.lanes.last_error
        released.set()
        delivering.drain()
    assert len(fake.documents) == 5
    assert delivering.counts.stored + delivering.counts.duplicate == 5
