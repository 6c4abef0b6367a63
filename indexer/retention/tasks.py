"""Long work that the store does by itself: begun, watched, and ended where its beginner was killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from indexer.client import Client
from indexer.errors import FailingError, MissingError

_POLL_SECS: Final = 0.2
_POLL_SECS_MAX: Final = 2.0
READERS_SECS_MAX: Final = 30.0
REINDEX: Final = "indices:data/write/reindex"


def wait(client: Client, task: str, watch: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    """Wait for a task and return its answer; `watch` is given its numbers each time they are looked at."""
    pause = _POLL_SECS
    while True:
        found = client.request("GET", f"/_tasks/{task}").json
        watch(found["task"].get("status", {}))
        if found["completed"]:
            break
        time.sleep(pause)
        pause = min(_POLL_SECS_MAX, pause * 1.5)
    if "error" in found:
        raise FailingError(f"a task of the store failed: {found['error'].get('reason', found['error'])}")
    answer: dict[str, Any] = found["response"]
    return answer


def end_reindexing(client: Client, index: str) -> None:
    """End every copying out of an index that a killed run has left behind, and wait until it has ended."""
    params: dict[str, str | bool] = {"actions": REINDEX, "detailed": True}
    nodes = client.request("GET", "/_tasks", params=params).json.get("nodes", {})
    for node in nodes.values():
        for name, about in node["tasks"].items():
            if f"[{index}]" in about.get("description", ""):
                _end(client, name)


def let_readers_end(client: Client, alias: str, settle_secs: float) -> None:
    """Wait until searches that had begun before have ended, as long as a page waits for one at most."""
    began_ms = time.time() * 1000
    deadline = time.monotonic() + READERS_SECS_MAX
    time.sleep(settle_secs)
    params: dict[str, str | bool] = {"actions": "indices:data/read/search", "detailed": True}
    while time.monotonic() < deadline:
        nodes = client.request("GET", "/_tasks", params=params).json.get("nodes", {})
        running = [task for node in nodes.values() for task in node["tasks"].values()]
        if not any(
            alias in t.get("description", "") and t["start_time_in_millis"] < began_ms for t in running
        ):
            return
        time.sleep(_POLL_SECS)


def _end(client: Client, task: str) -> None:
    try:
        client.request("POST", f"/_tasks/{task}/_cancel", params={"wait_for_completion": True})
    except MissingError:
        return  # it has ended by itself
