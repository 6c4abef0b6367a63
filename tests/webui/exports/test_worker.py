"""Files are made of exactly what was asked for, whatever happens to their worker."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from pypdf import PdfReader

from indexer.query import OPERATOR, Scope
from indexer.search import EventSearch, StoredEvent
from tests.support import events
from tests.support.events import NORD, TEST
from tests.webui.exports.conftest import ANNA, Desk
from webui.exports import manifest, worker
from webui.exports.job import Format, State
from webui.exports.queue import LEASE, MAX_DEATHS_COUNT, LostError
from webui.exports.service import GoneError
from webui.question import read
from webui.tenancy import NotHereError, Reader

SAMPLE_COUNT = 9
"""Of the ten events of a tenant, one is bookkeeping."""


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


class TestAFile:
    def test_holds_what_the_page_shows_and_no_other_tenants_events(self, desk: Desk) -> None:
        job, data = desk.made("outcome=failure")
        rows = rows_of(data)
        assert [row["event.action"] for row in rows] == ["deleted", "login_failed"]
        assert {row["tenant.id"] for row in rows} == {TEST}
        assert (job.state, job.row_count, job.percent) == (State.DONE, 2, 100)

    def test_is_the_newest_first_in_the_tenants_zone(self, desk: Desk) -> None:
        _, data = desk.made()
        times = [row["time (Europe/Stockholm)"] for row in rows_of(data)]
        assert len(times) == SAMPLE_COUNT
        assert times == sorted(times, reverse=True)
        assert times[-1] == "2026-11-23 07:26:46.688+01:00"

    def test_ndjson_holds_the_stored_documents(self, desk: Desk) -> None:
        _, data = desk.made("entity=SO-20261123-0121", Format.NDJSON)
        lines = [orjson.loads(line) for line in data.splitlines()]
        number = "SO-20261123-0121"
        stored = [each for each in events.sample() if each.get("entity", {}).get("number") == number]
        assert lines == stored[::-1]

    def test_a_pdf_says_what_it_is_and_numbers_its_pages(self, desk: Desk) -> None:
        job, data = desk.made("outcome=failure", Format.PDF)
        pages = PdfReader(io.BytesIO(data)).pages
        text = " ".join(pages[0].extract_text().split())
        for said in (
            *("All activity with outcome failure", "Test Warehouse", "Asked for by auditor"),
            *("(Europe/Stockholm)", "SKU-505856", "Page 1 of 1", job.id),
        ):
            assert said in text, said

    def test_nothing_found_is_a_file_too(self, desk: Desk) -> None:
        job, data = desk.made("user=nobody-of-this-name")
        assert (job.row_count, data.count(b"\r\n")) == (0, 1)
        _, data = desk.made("user=nobody-of-this-name", Format.PDF)
        assert "Nothing was found" in " ".join(PdfReader(io.BytesIO(data)).pages[0].extract_text().split())

    def test_does_not_hold_what_arrives_with_a_later_time(self, own_desk: Desk) -> None:
        job = own_desk.ask()
        late = own_desk.site.clock() + timedelta(minutes=1)
        added = events.document(500, {"@timestamp": f"{late:%Y-%m-%dT%H:%M:%S.%f}0Z"})
        events.load(own_desk.site.client, own_desk.site.store.prefix, [added])
        own_desk.worker().work()
        assert own_desk.now(job).row_count == SAMPLE_COUNT

    def test_stands_beside_a_manifest_that_fits(self, desk: Desk) -> None:
        job, _ = desk.made("category=orders")
        _, path = desk.exports.file(ANNA, job.id)
        said = manifest.read(manifest.beside(path))
        assert manifest.findings(path, said, b"k" * 32) == []
        assert said["complete"] is True
        assert said["row_count"] == 3
        assert said["sha256"] == job.sha256
        assert said["filter"] == {"category": ["orders"], "bookkeeping": False}
        assert said["tenant"] == {"id": TEST, "name": "Test Warehouse"}
        assert (said["requested_by"], said["zone"]) == ("auditor", "Europe/Stockholm")
        assert said["range"]["from"] is None
        assert said["sentence"].startswith("All activity in orders, until ")

    def test_leaves_no_temporary_file(self, desk: Desk) -> None:
        desk.made()
        assert list(desk.site.settings.export_dir.glob(".*")) == []


class TestAnOperator:
    def test_gets_all_tenants_in_utc(self, desk: Desk) -> None:
        operator = Reader("operator", OPERATOR)
        offer = desk.exports.offer(operator, read([]))
        job = desk.exports.ask(operator, offer, Format.CSV, bom=False, record=lambda _: None)
        desk.worker().work()
        _, path = desk.exports.file(operator, job.id)
        rows = rows_of(path.read_bytes())
        assert {row["tenant.id"] for row in rows} == {TEST, NORD}
        assert "time (UTC)" in rows[0]


class TestOthers:
    @pytest.mark.parametrize(
        "reader",
        [Reader("somebody", Scope(TEST)), Reader("auditor", Scope(NORD))],
        ids=["a colleague", "the same account, moved to another tenant"],
    )
    def test_do_not_get_it(self, desk: Desk, reader: Reader) -> None:
        job, _ = desk.made()
        assert job.id not in {each.id for each in desk.exports.all(reader)}
        with pytest.raises(NotHereError):
            desk.exports.file(reader, job.id)

    def test_cannot_ask_for_it(self, desk: Desk) -> None:
        with pytest.raises(NotHereError):
            desk.exports.offer(Reader("stranger", Scope(NORD)), read([("tenant", TEST)]))


class TestAWorker:
    def test_that_died_is_replaced_and_the_file_is_whole(self, own_desk: Desk) -> None:
        job = own_desk.ask()
        dead = own_desk.queue.take("dead", own_desk.site.clock())
        assert dead
        worker = own_desk.worker()
        assert not worker.work()
        own_desk.site.clock.ahead += LEASE + timedelta(seconds=1)
        assert worker.work()
        done = own_desk.now(job)
        assert (done.state, done.attempt, done.row_count) == (State.DONE, 2, SAMPLE_COUNT)

    def test_that_only_seemed_dead_stops_and_spoils_nothing(
        self, own_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = own_desk.ask()
        walk = EventSearch.walk

        def slow(search: EventSearch, query: object) -> Iterator[StoredEvent]:
            monkeypatch.setattr(EventSearch, "walk", walk)
            yield from walk(search, query)  # type: ignore[arg-type]
            another = own_desk.worker()
            assert not another.work()
            own_desk.site.clock.ahead += LEASE + timedelta(seconds=1)
            assert another.work(), "another worker takes the job"

        monkeypatch.setattr(EventSearch, "walk", slow)
        assert own_desk.worker().work()
        done, path = own_desk.exports.file(ANNA, job.id)
        assert done.attempt == 2
        assert manifest.findings(path, manifest.read(manifest.beside(path)), b"k" * 32) == []
        assert len(list(own_desk.site.settings.export_dir.iterdir())) == 2

    def test_that_is_stopped_gives_the_job_back(self, own_desk: Desk) -> None:
        job = own_desk.ask()
        own_desk.stopping.set()
        own_desk.worker().work()
        assert own_desk.now(job).state is State.WAITING
        own_desk.stopping.clear()
        own_desk.worker().work()
        assert own_desk.now(job).state is State.DONE

    def test_gives_up_a_job_that_kills_every_worker(self, own_desk: Desk) -> None:
        job = own_desk.ask()
        for _ in range(MAX_DEATHS_COUNT):
            assert own_desk.queue.take("dead", own_desk.site.clock())
            assert own_desk.queue.take("next", own_desk.site.clock()) is None
            own_desk.site.clock.ahead += LEASE + timedelta(seconds=1)
        assert own_desk.queue.take("next", own_desk.site.clock()) is None
        assert own_desk.now(job).state is State.FAILED
        assert "given up" in own_desk.now(job).problem

    def test_says_how_far_it_is(self, own_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker, "RENEWAL", timedelta(0))
        job = own_desk.ask(kind=Format.NDJSON)
        seen = []
        walk = EventSearch.walk

        def watched(search: EventSearch, query: object) -> Iterator[StoredEvent]:
            for event in walk(search, query):  # type: ignore[arg-type]
                seen.append(own_desk.now(job))
                yield event

        monkeypatch.setattr(EventSearch, "walk", watched)
        own_desk.worker().work()
        assert [each.row_count for each in seen] == list(range(SAMPLE_COUNT))
        assert {each.total_count for each in seen} == {SAMPLE_COUNT}
        assert seen[-1].percent == 88

    def test_says_so_when_events_vanish_meanwhile(
        self, own_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = own_desk.ask()
        monkeypatch.setattr(worker, "count", lambda _search, _selection: SAMPLE_COUNT + 3)
        own_desk.worker().work()
        _, path = own_desk.exports.file(ANNA, job.id)
        said = manifest.read(manifest.beside(path))
        assert said["complete"] is False
        assert said["why_incomplete"].startswith("3 of 12 events were deleted")
        assert manifest.findings(path, said, None) == [
            f"the export is not complete: {said['why_incomplete']}"
        ]

    def test_refuses_a_pdf_that_has_grown_too_long(
        self, own_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = own_desk.ask(kind=Format.PDF)
        monkeypatch.setattr(worker, "PDF_LIMIT_COUNT", 3)
        own_desk.worker().work()
        assert own_desk.now(job).state is State.FAILED
        assert "choose CSV" in own_desk.now(job).problem
        with pytest.raises(GoneError):
            own_desk.exports.file(ANNA, job.id)

    def test_that_cannot_write_says_why(self, own_desk: Desk, tmp_path: Path) -> None:
        job = own_desk.ask()
        (tmp_path / "exports").write_text("no folder", encoding="utf-8")
        own_desk.worker().work()
        assert own_desk.now(job).problem.startswith("Its file cannot be written: ")

    def test_that_has_lost_the_job_cannot_renew_it(self, own_desk: Desk) -> None:
        own_desk.ask()
        first = own_desk.queue.take("first", own_desk.site.clock())
        assert first
        ahead = own_desk.site.clock() + timedelta(minutes=30)
        assert own_desk.queue.take("second, whose clock is ahead", ahead) is None
        own_desk.site.clock.ahead += LEASE + timedelta(seconds=1)
        assert own_desk.queue.take("second", own_desk.site.clock())
        with pytest.raises(LostError):
            own_desk.queue.renew(first, own_desk.site.clock(), row_count=1, total_count=2)


class TestExpiry:
    def test_deletes_the_file_and_says_so(self, own_desk: Desk) -> None:
        job, _ = own_desk.made()
        own_desk.site.clock.ahead += timedelta(days=7, seconds=1)
        with pytest.raises(GoneError, match="expired"):
            own_desk.exports.file(ANNA, job.id)
        own_desk.worker().sweep()
        assert list(own_desk.site.settings.export_dir.iterdir()) == []
        assert own_desk.now(job).state is State.EXPIRED
        own_desk.site.clock.ahead += timedelta(days=90)
        own_desk.worker().sweep()
        assert own_desk.exports.all(ANNA) == []
