"""The oracle of the soak finds what is lost, twice or garbled; its writer loses nothing itself."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from bench import __main__ as everything
from bench.numbered import Account, Run, Writer, account

RIGHT = Account(written=6, stored=6, duplicate=0, rejected=0, lost=0, garbled=0)


@pytest.fixture
def run() -> Run:
    return Run.new()


@pytest.fixture
def lines(run: Run) -> list[bytes]:
    return [run.line(number) for number in range(6)]


class TestTheAccount:
    def test_is_right_when_all_is_there_once_in_any_order(self, run: Run, lines: list[bytes]) -> None:
        found = account(run, 6, reversed(lines), [])
        assert found == RIGHT
        assert found.is_right

    def test_counts_what_is_lost(self, run: Run, lines: list[bytes]) -> None:
        found = account(run, 6, lines[1:], [])
        assert found == replace(RIGHT, stored=5, lost=1)
        assert not found.is_right

    def test_counts_what_is_twice(self, run: Run, lines: list[bytes]) -> None:
        found = account(run, 6, [*lines, lines[3]], [])
        assert found == replace(RIGHT, duplicate=1)
        assert not found.is_right

    def test_counts_what_is_not_what_was_written(self, run: Run, lines: list[bytes]) -> None:
        found = account(run, 6, [*lines[:5], lines[5].replace(b"Hash", b"Hush")], [])
        assert found == replace(RIGHT, stored=5, garbled=1, lost=1)
        assert not found.is_right

    def test_a_rejected_line_is_not_lost(self, run: Run, lines: list[bytes]) -> None:
        found = account(run, 6, lines[:5], [lines[5]])
        assert found == replace(RIGHT, stored=5, rejected=1)
        assert found.is_right


def test_the_writer_writes_each_line_once_through_all_its_rolls(tmp_path: Path, run: Run) -> None:
    writer = Writer(tmp_path, run, 1000, roll_secs=60)
    for _ in range(9):
        writer.append(20)
        writer.roll()
    contents = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in tmp_path.iterdir()
    ]
    written = b"".join(contents).split(b"\n")[:-1]
    assert writer.rolls == 9
    assert account(run, writer.written, written, []).is_right


@pytest.mark.parametrize("name", everything.RUNS)
def test_every_benchmark_of_make_bench_exists(name: str) -> None:
    assert (Path(everything.__file__).parent / f"{name}.py").exists()
