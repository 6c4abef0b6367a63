"""What a cluster is and has: version, health, plugins, partitions. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from indexer import indices, partitions, tenants
from indexer.classes import DEFAULTS, Classes, RetentionClass
from indexer.client import Client, ClusterInfo
from indexer.errors import DeniedError
from indexer.indices import Index

ISM: Final = "Index State Management"
# The plugins we can use, by the name of their component; none is needed.
PLUGINS: Final[Mapping[str, str]] = {
    "opensearch-security": "Security",
    "opensearch-index-management": ISM,
    "opensearch-alerting": "Alerting",
    "opensearch-notifications": "Notifications",
}


@dataclass(frozen=True, slots=True)
class ClassContents:
    """The partitions of one class: how many, from the first day to the last, with how much in them."""

    retention: RetentionClass
    partition_count: int
    first: str
    last: str
    event_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as found; `plugins` is None when we may not ask."""

    info: ClusterInfo
    health: str
    node_count: int
    plugins: Mapping[str, bool] | None
    classes_recorded: bool
    contents: tuple[ClassContents, ...]


def describe(client: Client, prefix: str) -> Cluster:
    """Look at the cluster and at everything of this prefix."""
    info = client.info()
    health = client.request("GET", "/_cluster/health").json
    recorded = tenants.recorded_classes(client, prefix)
    return Cluster(
        info,
        str(health["status"]),
        int(health["number_of_nodes"]),
        plugins(client),
        recorded is not None,
        _contents(client, prefix, recorded or DEFAULTS),
    )


def plugins(client: Client) -> Mapping[str, bool] | None:
    """Say of each plugin that we can use whether a node has it; None when we may not ask."""
    try:
        rows = client.request("GET", "/_cat/plugins", params={"format": "json"}).json
    except DeniedError:
        return None
    present = {row["component"] for row in rows}
    return {name: component in present for component, name in PLUGINS.items()}


def has(client: Client, plugin: str) -> bool:
    """Say whether the cluster has a plugin; where we may not ask, it has none for us."""
    found = plugins(client)
    return found is not None and found[plugin]


def _contents(client: Client, prefix: str, classes: Classes) -> tuple[ClassContents, ...]:
    pattern = partitions.pattern(prefix)
    sizes = client.request("GET", f"/{pattern}/_stats/docs,store").json["indices"]
    by_class: dict[str, list[Index]] = {}
    for index in indices.look(client, pattern):
        partition = partitions.parse(index.name)
        if partition is not None:
            by_class.setdefault(partition.class_name, []).append(index)
    return tuple(_sum_up(found, by_class.get(found.name, []), sizes) for found in classes)


def _sum_up(retention: RetentionClass, found: list[Index], sizes: Mapping[str, Any]) -> ClassContents:
    # A closed partition has no numbers.
    primaries = [sizes[index.name]["primaries"] for index in found if index.name in sizes]
    named = filter(None, (partitions.parse(index.name) for index in found))
    names = sorted(each.address.rpartition("-")[2] for each in named)
    return ClassContents(
        retention,
        len(found),
        names[0] if names else "",
        names[-1] if names else "",
        sum(about["docs"]["count"] for about in primaries),
        sum(about["store"]["size_in_bytes"] for about in primaries),
    )
