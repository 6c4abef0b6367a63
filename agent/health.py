"""How the agent is, at one moment: taken by the loop, told by `/health` and `/metrics`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from agent.pipeline import Feed, Pipeline
from agent.plans import TenantsCopy

# The store is asked every 15 s if nothing else is sent; a request may take its time.
ANSWER_SECS = 45.0
# The loop turns five times a second; a pass over a slow disk or a long context may take longer.
LOOP_SECS = 20.0


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source: what is not final of it, and since when it was never at its end."""

    name: str
    lag_bytes: int
    lag_secs: float
    lost_bytes: int
    lost_files: int
    silent: bool
    stalled: bool
    unreadable: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything at `taken_at` (monotonic, seconds). Ages are None for what never happened."""

    taken_at: float
    counts: dict[str, int]
    sources: tuple[SourceState, ...]
    in_flight: int
    open_bytes: int
    held: dict[str, str]
    dead_letters_bytes: int
    answer_age_secs: float | None
    checkpoint_age_secs: float | None
    reasons: tuple[str, ...]


class Taker:
    """Takes the state now and then; it remembers when each source was last at its end."""

    def __init__(self) -> None:
        self._caught_up: dict[str, float] = {}

    def take(self, pipeline: Pipeline, tenants: TenantsCopy, now: float) -> State:
        lanes = pipeline.lanes
        sources = tuple(self._source(pipeline, feed, now) for feed in pipeline.feeds)
        answers = [at for at in (lanes.last_answer_at, tenants.answered_at) if at is not None]
        answer_age = now - max(answers) if answers else None
        return State(
            taken_at=now,
            counts=asdict(pipeline.counts),
            sources=sources,
            in_flight=lanes.in_flight,
            open_bytes=lanes.bytes_open,
            held=lanes.held,
            dead_letters_bytes=lanes.letters_bytes,
            answer_age_secs=answer_age,
            checkpoint_age_secs=None if pipeline.saved_at is None else now - pipeline.saved_at,
            reasons=tuple(_reasons(pipeline, tenants, answer_age)),
        )

    def _source(self, pipeline: Pipeline, feed: Feed, now: float) -> SourceState:
        tail, seen = feed.tail, pipeline.observation
        lag_bytes = sum(stream.lag_bytes for stream in tail.streams)
        if not lag_bytes:
            self._caught_up[tail.name] = now
        return SourceState(
            name=tail.name,
            lag_bytes=lag_bytes,
            lag_secs=now - self._caught_up.setdefault(tail.name, now),
            lost_bytes=tail.troubles.lost_bytes,
            lost_files=tail.troubles.lost_files,
            silent=tail.name in seen.silent,
            stalled=tail.name in seen.stalled,
            unreadable=len(tail.troubles.unreadable),
        )


def _reasons(pipeline: Pipeline, tenants: TenantsCopy, answer_age_secs: float | None) -> Iterator[str]:
    """What speaks against "healthy", one sentence each; none: it is."""
    lanes = pipeline.lanes
    if answer_age_secs is None or answer_age_secs > ANSWER_SECS:
        yield "the store has not answered lately"
    if lanes.store_fails:
        yield f"the store gives no usable answer: {lanes.last_error}"
    if tenants.problem is not None:
        yield f"the tenants cannot be read: {tenants.problem}"
    elif tenants.is_stale:
        yield "the copy of the tenants is too old to place events by"
    yield from (f"{partition} waits: {reason}" for partition, reason in lanes.waiting.items())
    for problem in (lanes.letters_problem, pipeline.checkpoint_problem, pipeline.journal.problem):
        if problem:
            yield problem
    yield from pipeline.seals.problems
    yield from _reasons_of_sources(pipeline)


def _reasons_of_sources(pipeline: Pipeline) -> Iterator[str]:
    for feed in pipeline.feeds:
        for path, reason in feed.tail.troubles.unreadable.items():
            yield f"{path} cannot be read: {reason}"
        if feed.is_full:
            yield f"the source {feed.tail.name} is not read on: too many records are ahead of the clock"
        if feed.fault:
            yield f"the source {feed.tail.name} is not read on: this machine fails ({feed.fault})"
    for name, path in pipeline.observation.stalled.items():
        yield f"the source {name} has stalled: {path} has reached 1 GiB"
    for name in pipeline.observation.silent:
        yield f"the source {name} has fallen silent while its neighbours speak"


def verdict(state: State | None, now: float) -> list[str]:
    """The reasons why the agent is not healthy, the age of the state itself among them."""
    if state is None:
        return ["the agent has not begun to read: it waits for the store"]
    if now - state.taken_at > LOOP_SECS:
        return [f"the agent's loop has not turned for {now - state.taken_at:.0f} s", *state.reasons]
    return list(state.reasons)


def now_secs() -> float:
    """The clock of `State`."""
    return time.monotonic()
