"""Reports of agents in a store, by the way of a real one: as a line of its journal, normalised."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from agent.formats import format_named
from agent.health import SourceState, State
from agent.journal import FOLDER, Journal
from agent.normalise.normaliser import Normaliser
from agent.normalise.source import FileInfo, SourceFacts
from agent.reporting import Reporter
from agent.settings import AgentSettings
from indexer import partitions
from indexer.agent_report import OWN_SOURCE
from indexer.classes import DEFAULTS
from indexer.client import Client
from indexer.tenants import Tenants

RUNNING_FOR = timedelta(hours=8)


def source(
    name: str, lag_bytes: int = 0, lag_secs: float = 0.0, *, silent: bool = False, unreadable: int = 0
) -> SourceState:
    return SourceState(name, lag_bytes, lag_secs, 0, 0, silent=silent, stalled=False, unreadable=unreadable)


def state(*reasons: str, sources: Iterable[SourceState] = (), stored: int = 1_200) -> State:
    """The state of an agent, healthy unless there are reasons against it."""
    return State(
        taken_at=1000.0,
        counts={"read": stored, "stored": stored, "duplicate": 0, "rejected": 0, "expired": 0, "retried": 0},
        sources=tuple(sources) or (source("app"),),
        in_flight=0,
        open_bytes=0,
        held={},
        dead_letters_bytes=0,
        answer_age_secs=1.0,
        checkpoint_age_secs=1.0,
        reasons=reasons,
    )


def report(
    client: Client, prefix: str, host: str, at: datetime, how: State | None = None, every_secs: float = 300.0
) -> None:
    """Let the agent on `host` report at that time, and the report arrive."""
    with tempfile.TemporaryDirectory() as folder:
        settings = AgentSettings.model_validate(
            {
                "state_dir": folder,
                "host": host,
                "report_secs": every_secs,
                "sources": [{"name": "app", "paths": ["*.clef"], "format": "clef"}],
            }
        )
        reporter = Reporter(at - RUNNING_FOR, 1000.0 - every_secs)
        reporter.turn(settings, how or state(), Journal(Path(folder), lambda: at), 1000.0)
        [path] = (Path(folder) / FOLDER).iterdir()
        ship(client, prefix, host, at, path.read_bytes().rstrip(b"\n"))


def leave(client: Client, prefix: str, now: datetime) -> None:
    """Leave the reports of a few agents: of two that are well, one with troubles, and one that is silent."""
    logs = (source("app"), source("nginx"), source("trail"))
    report(client, prefix, "smartwms-1", now - timedelta(minutes=2), state(sources=logs, stored=1_204_318))
    report(client, prefix, "smartwms-2", now - timedelta(minutes=4), state(sources=logs[:2], stored=988_114))
    troubles = state(
        "smartwms-audit-business-2026.11.30 waits: 403, the index is blocked: the disk of the store is full",
        "the source nginx has fallen silent while its neighbours speak",
        sources=(source("app", 41_900_000, 812.0), source("nginx", silent=True)),
        stored=310_556,
    )
    report(client, prefix, "smartwms-3", now - timedelta(minutes=1), troubles)
    report(client, prefix, "returns-1", now - timedelta(hours=31), state(sources=logs[:1], stored=77_120))


def ship(client: Client, prefix: str, host: str, at: datetime, line: bytes) -> None:
    """Store a line of the journal as the agent's own source ships it."""
    form = format_named("trail")
    normaliser = Normaliser(
        SourceFacts(OWN_SOURCE, host, "smartwms", form.name, form.provenance, form.parse),
        tenants=Tenants({}, DEFAULTS, at),
        redaction_key=b"k" * 32,
        prefix=prefix,
        clock=lambda: at,
    )
    # Each line is the first of a file of its own.
    identity = hashlib.sha256(line).digest()[:5]
    [(partition, event_id, body, *_)] = normaliser.feed(
        FileInfo("agent.jsonl", identity), [(0, line)], {}, None
    )
    partitions.ensure(client, partition)
    head = orjson.dumps({"create": {"_index": partition, "_id": event_id}})
    answer = orjson.loads(client.bulk(head + b"\n" + body + b"\n").body)
    assert not answer["errors"], answer
    client.request("POST", f"/{partitions.alias(prefix)}/_refresh")
