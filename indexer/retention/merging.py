"""Partitions whose period is over are merged to one segment, where no Index State Management does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from indexer import cluster, indices, partitions
from indexer.client import Client
from indexer.errors import FailingError, StoreError, UnreachableError
from indexer.retention import contents, tasks
from indexer.retention.alarms import AlarmError
from indexer.retention.replacement import Run

# Events come late for some hours after midnight; a partition that is merged still takes later ones.
SETTLED_AFTER: Final = timedelta(days=1)


def merge(run: Run, merged: list[str], alarm: Callable[[AlarmError], None]) -> None:
    """Merge what is closed and in more than one segment; names are added to `merged` one by one."""
    if cluster.has(run.client, cluster.ISM):
        return
    names = _closed(run)
    run.progress.begin("merging", len(names))
    for name in names:
        run.lease.renew(force=False)
        try:
            if _merge(run, name):
                merged.append(name)
        except (AlarmError, UnreachableError):
            raise
        except StoreError as error:
            alarm(AlarmError("not-merged", f"partition {name}: {error}"))
        run.progress.advance(1)


def _merge(run: Run, name: str) -> bool:
    """Merge a partition; False when it is in one segment already."""
    if _segments(run.client, name) <= 1:
        return False
    params = {"max_num_segments": 1, "wait_for_completion": False}
    task = run.client.request("POST", f"/{name}/_forcemerge", params=params).json["task"]
    answer = tasks.wait(run.client, task, lambda _: run.lease.renew(force=False))
    if answer["_shards"]["failed"]:
        raise FailingError(str(answer["_shards"]["failures"][0]))
    # Until readers have the merged segment, the ones it was made of are counted, too.
    contents.refresh(run.client, name)
    return True


def _closed(run: Run) -> list[str]:
    found = []
    for index in indices.look(run.client, partitions.pattern(run.prefix)):
        partition = partitions.parse(index.name)
        if partition is None or partition.class_name not in run.tenants.classes.by_name or index.is_closed:
            continue
        if partition.end <= run.now - SETTLED_AFTER:
            found.append(index.name)
    return found


def _segments(client: Client, name: str) -> int:
    answer = client.request("GET", f"/{name}/_stats/segments").json
    shards = answer["_shards"]["successful"] or 1
    count: int = answer["_all"]["primaries"]["segments"]["count"]
    # An index of several shards has one segment in each at best.
    return 1 if count <= shards else count
