"""Policies for Index State Management, where a cluster has that plugin; nothing of ours needs it.

The files of `ilm_policies/` are in ISM's own format, with the numbers of the default classes; what is put has
those of the classes in force. ISM counts an index's age from its creation, which is at the beginning of its
period or later, so that it never deletes before retention does; it does so a margin later, and never in
`hold`, where retention alone decides. A policy merges and opens again: ISM makes an index read-only to merge
it, and late events are still to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import orjson
from pydantic import Field

from indexer import indices, partitions
from indexer.assets import SHIPPED_PREFIX
from indexer.classes import Classes, RetentionClass
from indexer.client import Client
from indexer.errors import MissingError
from indexer.partitions import MONTH
from indexer.settings import Variables

PERIOD_DAYS: Final = {partitions.DAY: 1, MONTH: 31}
# After its period, a partition waits for late events before it is merged.
SETTLED_DAYS: Final = 2
# How much later than retention ISM deletes: time enough to notice that retention does not run.
MARGIN_DAYS: Final = 30
_PATH: Final = "/_plugins/_ism"


class PolicySettings(Variables):
    """Where closed partitions move to."""

    warm_nodes: str = Field("", pattern=r"^([\w.-]+:[\w.-]+)?$")
    """An attribute of nodes and its value, such as `temp:warm`; empty: they stay where they are."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as ISM takes it, for the indices of one class."""

    id: str
    class_name: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Live:
    """A policy as it is, with the version that a replacement must name."""

    body: Mapping[str, Any]
    seq_no: int
    primary_term: int


def wanted(prefix: str, classes: Classes, warm_nodes: str = "") -> list[Policy]:
    """Return the policies for these classes."""
    return [_policy(prefix, retention, warm_nodes) for retention in classes]


def closed_days(retention: RetentionClass) -> int:
    """Return the age in days at which an index of the class is merged."""
    return PERIOD_DAYS[retention.period] + SETTLED_DAYS


def overdue_days(retention: RetentionClass) -> int | None:
    """Return the age in days at which ISM deletes an index of the class; None: never."""
    return None if retention.days is None else PERIOD_DAYS[retention.period] + retention.days + MARGIN_DAYS


def live(client: Client, policy_id: str) -> Live | None:
    """Return a policy as the cluster has it; None where it has none."""
    try:
        found = client.request("GET", f"{_PATH}/policies/{policy_id}").json
    except MissingError:
        return None
    return Live(found["policy"], found["_seq_no"], found["_primary_term"])


def is_same(found: Live, policy: Policy) -> bool:
    """Say whether a live policy says what it should; what ISM adds by itself does not count."""
    return _within(policy.body["policy"], found.body)


def put(client: Client, prefix: str, policy: Policy) -> None:
    """Make or replace a policy, and let the indices that are there already follow it."""
    found = live(client, policy.id)
    params: dict[str, str | int | bool] = {}
    if found is not None:
        params = {"if_seq_no": found.seq_no, "if_primary_term": found.primary_term}
    client.request("PUT", f"{_PATH}/policies/{policy.id}", params=params, body=policy.body)
    pattern = f"{partitions.alias(prefix)}-{policy.class_name}-*"
    if indices.look(client, pattern):
        verb = "add" if found is None else "change_policy"
        client.request("POST", f"{_PATH}/{verb}/{pattern}", body={"policy_id": policy.id})


def detach(client: Client, names: Iterable[str]) -> None:
    """Take indices out of ISM's hands: what is on legal hold is not for it to delete."""
    # An index that it does not manage is answered 200 with a failure in it, and is what it shall be.
    for name in names:
        client.request("POST", f"{_PATH}/remove/{name}")


def _policy(prefix: str, retention: RetentionClass, warm_nodes: str) -> Policy:
    file = resources.files("ilm_policies") / f"{retention.name}.json"
    body: dict[str, Any] = orjson.loads(file.read_bytes())
    policy = body["policy"]
    for template in policy["ism_template"]:
        template["index_patterns"] = [
            prefix + pattern.removeprefix(SHIPPED_PREFIX) for pattern in template["index_patterns"]
        ]
    ages = {"closed": closed_days(retention), "overdue": overdue_days(retention)}
    for state in policy["states"]:
        for transition in state["transitions"]:
            transition["conditions"] = {"min_index_age": f"{ages[transition['state_name']]}d"}
        if state["name"] == "closed" and warm_nodes:
            attribute, _, value = warm_nodes.partition(":")
            state["actions"].append({"allocation": {"require": {attribute: value}, "wait_for": False}})
    return Policy(f"{partitions.alias(prefix)}-{retention.name}", retention.name, body)


def _within(small: object, large: object) -> bool:
    if isinstance(small, Mapping):
        return isinstance(large, Mapping) and all(
            name in large and _within(value, large[name]) for name, value in small.items()
        )
    if isinstance(small, list):
        return isinstance(large, list) and len(small) == len(large) and all(map(_within, small, large))
    return small == large
