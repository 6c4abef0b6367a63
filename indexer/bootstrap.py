"""Bring a cluster to what this version needs: see what differs (`plan`), put it right (`apply`).

Looking and acting are apart: `plan` only reads and returns steps; `apply` takes them one by one. Some
differences are findings for a person, because putting them right would need to delete or rewrite events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any

from indexer import assets, cluster, indices, mappings, partitions, policies, tenants
from indexer.classes import DEFAULTS, Classes, ClassSettings, RetentionClass
from indexer.client import Client
from indexer.documents import Documents
from indexer.errors import MissingError, SettingsError
from indexer.policies import Policy
from indexer.seals import index as seals


@unique
class Action(Enum):
    """What `apply` does about a difference."""

    PUT_TEMPLATE = "put template"
    PREPARE_INDEX = "prepare index"
    PREPARE_SEALS = "prepare seals"
    RECORD_CLASSES = "record classes"
    ADD_FIELDS = "add fields"
    PUT_POLICY = "put policy"
    NONE = "none"  # a finding: only a person can decide


@dataclass(frozen=True, slots=True)
class Step:
    """One difference between the cluster and what this version needs, told in a sentence.

    `subject` is the template, kind, index or policy it is about; `classes` is set for `RECORD_CLASSES`,
    `policy` for `PUT_POLICY`.
    """

    action: Action
    subject: str
    sentence: str
    classes: Classes = DEFAULTS
    policy: Policy | None = None


def plan(client: Client, prefix: str, wanted: ClassSettings, warm_nodes: str = "") -> list[Step]:
    """Return what differs, in the order in which to put it right; nothing is changed.

    `warm_nodes` is where policies move what is closed, see `policies.PolicySettings`.
    `SettingsError` when a class shall have another period than its partitions have.
    """
    found = indices.look(client, partitions.pattern(prefix))
    recorded = tenants.recorded_classes(client, prefix)
    classes = wanted.over(recorded or DEFAULTS)
    _refuse_other_periods(found, classes)
    return [
        *_template_steps(client, prefix),
        *_index_steps(client, prefix),
        *_seal_steps(client, prefix),
        *_class_steps(recorded, classes),
        *_partition_steps(found, prefix),
        *_policy_steps(client, prefix, classes, warm_nodes),
    ]


def apply(client: Client, prefix: str, steps: list[Step]) -> None:
    """Take the steps of `plan`. May be interrupted and run again anywhere."""
    for step in steps:
        if step.action is Action.PUT_TEMPLATE:
            template = next(found for found in _templates(prefix) if found.name == step.subject)
            client.request("PUT", f"/_index_template/{template.name}", body=template.body)
        elif step.action is Action.PREPARE_INDEX:
            Documents(client, prefix, step.subject).prepare()
        elif step.action is Action.PREPARE_SEALS:
            seals.prepare(client, prefix)
        elif step.action is Action.RECORD_CLASSES:
            tenants.record_classes(client, prefix, step.classes)
        elif step.policy is not None:
            policies.put(client, prefix, step.policy)
        elif step.action is Action.ADD_FIELDS:
            indices.add_fields(client, step.subject, assets.event_template(prefix).mappings)


def _templates(prefix: str) -> list[assets.Template]:
    return [
        assets.event_template(prefix),
        assets.seal_template(prefix),
        *(assets.document_template(kind, prefix) for kind in assets.kinds()),
    ]


def _template_steps(client: Client, prefix: str) -> Iterator[Step]:
    for template in _templates(prefix):
        try:
            found = client.request("GET", f"/_index_template/{template.name}").json["index_templates"]
        except MissingError:
            yield Step(Action.PUT_TEMPLATE, template.name, f"index template {template.name} is missing")
            continue
        if not _same_template(found[0]["index_template"], template.body):
            sentence = f"index template {template.name} is not the one of this version"
            yield Step(Action.PUT_TEMPLATE, template.name, sentence)


def _same_template(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    have, want = live.get("template", {}), wanted["template"]
    return (
        live["index_patterns"] == wanted["index_patterns"]
        and live.get("priority") == wanted.get("priority")
        and have.get("aliases", {}) == want.get("aliases", {})
        and _flat(have.get("settings", {})) == _flat(want.get("settings", {}))
        and not mappings.compare(have.get("mappings", {}), want["mappings"])
        and not mappings.compare(want["mappings"], have.get("mappings", {}))
    )


def _flat(settings: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Write nested settings as OpenSearch gives them back: dotted below "index.", values as text."""
    flat: dict[str, str] = {}
    for name, value in settings.items():
        inner = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            flat |= _flat(value, inner)
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            flat[inner if inner.startswith("index.") else f"index.{inner}"] = text
    return flat


def _index_steps(client: Client, prefix: str) -> Iterator[Step]:
    for kind in assets.kinds():
        name = f"{prefix}-app-{kind}"
        try:
            found = indices.look(client, name)[0]
        except MissingError:
            yield Step(Action.PREPARE_INDEX, kind, f"index {name} is missing")
            continue
        difference = mappings.compare(found.mappings, assets.document_template(kind, prefix).mappings)
        if difference.otherwise:
            told = "; ".join(difference.otherwise)
            yield Step(Action.NONE, name, f"index {name} is mapped otherwise: {told}; reindex it by hand")
        elif difference.missing:
            lacks = ", ".join(difference.missing)
            yield Step(Action.PREPARE_INDEX, kind, f"index {name} lacks the fields {lacks}")


def _seal_steps(client: Client, prefix: str) -> Iterator[Step]:
    try:
        fault = seals.fault_of(client, prefix)
    except MissingError:
        yield Step(Action.PREPARE_SEALS, assets.SEALS, f"index {seals.name(prefix)} is missing")
        return
    if fault:
        yield Step(Action.NONE, seals.name(prefix), fault)


def _class_steps(recorded: Classes | None, classes: Classes) -> Iterator[Step]:
    for found in classes:
        before = None if recorded is None else recorded[found.name]
        if before != found:
            sentence = f"class {found.name} is {_told(before)} in the store instead of {_told(found)}"
            yield Step(Action.RECORD_CLASSES, tenants.DIRECTORY, sentence, classes)


def _told(retention: RetentionClass | None) -> str:
    if retention is None:
        return "not recorded"
    kept = "until released" if retention.days is None else f"{retention.days} days"
    return f"kept {kept} by {retention.period}"


def _partition_steps(found: list[indices.Index], prefix: str) -> Iterator[Step]:
    template = assets.event_template(prefix)
    for index in found:
        if partitions.parse(index.name) is None:
            yield Step(Action.NONE, index.name, f"index {index.name} lies among the partitions but is none")
            continue
        fault = partitions.fault_of(index, partitions.alias(prefix))
        if fault:
            yield Step(Action.NONE, index.name, fault)
            continue
        missing = mappings.compare(index.mappings, template.mappings).missing
        if missing:
            sentence = f"partition {index.name} lacks the fields {', '.join(missing)}"
            yield Step(Action.ADD_FIELDS, index.name, sentence)


def _policy_steps(client: Client, prefix: str, classes: Classes, warm_nodes: str) -> Iterator[Step]:
    if not cluster.has(client, cluster.ISM):
        return
    for policy in policies.wanted(prefix, classes, warm_nodes):
        found = policies.live(client, policy.id)
        if found is None:
            yield Step(Action.PUT_POLICY, policy.id, f"policy {policy.id} is missing", policy=policy)
        elif not policies.is_same(found, policy):
            sentence = f"policy {policy.id} is not the one of these classes"
            yield Step(Action.PUT_POLICY, policy.id, sentence, policy=policy)


def _refuse_other_periods(found: list[indices.Index], classes: Classes) -> None:
    for index in found:
        partition = partitions.parse(index.name)
        if partition is None or partition.is_copy or partition.class_name not in classes.by_name:
            continue
        wanted = classes[partition.class_name].period
        if partition.period != wanted:
            raise SettingsError(
                f"AUDIT_{partition.class_name.upper()}_PERIOD is {wanted!r}, but partition {index.name} is "
                f"of one {partition.period}, and events sent again would be stored twice; "
                f"set it to {partition.period!r}"
            )
