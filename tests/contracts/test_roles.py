"""The roles of deploy/opensearch name what OpenSearch documents, and grant no more than is said of them."""

import os
import subprocess
from typing import Any

import orjson
import pytest
import yaml

from tests.support.checkout import ROOT
from tests.support.privileges import CALLS, CLUSTER, DOCUMENTED, ROLES, Need, allows

MAPPING = yaml.safe_load((ROOT / "deploy" / "opensearch" / "roles_mapping.yml").read_text(encoding="utf-8"))
EVENTS, SEALS = "smartwms-audit-business-2026.11.23", "smartwms-seals"
# What each role must not be able to do.
DENIED = {
    "audit-agent": [
        Need("indices:data/read/search", EVENTS), Need("indices:admin/delete", EVENTS),
        Need("indices:data/read/search", SEALS), Need("indices:admin/delete", SEALS),
        Need("indices:admin/create", SEALS), Need("indices:admin/settings/update", EVENTS),
        Need("indices:data/write/index", "smartwms-app-tenants"),
        Need("indices:data/read/get", "smartwms-app-accounts"),
    ],
    "audit-webui": [
        Need("indices:data/write/index", EVENTS), Need("indices:admin/delete", EVENTS),
        Need("indices:admin/aliases", EVENTS), Need("indices:data/write/index", SEALS),
        Need("indices:data/read/search", SEALS), Need("indices:admin/delete", "smartwms-app-accounts"),
        Need("indices:data/write/index", "smartwms-app-certificates"),
        Need("indices:data/write/delete", "smartwms-app-certificates"),
        Need("indices:data/write/index", "smartwms-app-verifications"),
    ],
    "audit-retention": [
        Need("indices:data/write/index", SEALS), Need("indices:admin/delete", SEALS),
        Need("indices:admin/aliases", SEALS), Need("indices:admin/delete", "smartwms-app-certificates"),
        Need("indices:data/write/index", "smartwms-app-accounts"),
        Need("indices:data/read/get", "smartwms-app-accounts"),
        Need("indices:data/write/delete", "smartwms-app-holds"),
    ],
    "audit-verify": [
        Need("indices:data/write/index", EVENTS), Need("indices:data/write/index", SEALS),
        Need("indices:data/read/get", "smartwms-app-accounts"),
        Need("indices:data/write/index", "smartwms-app-verifications"),
    ],
    "audit-dashboards-tenant": [
        Need("indices:data/write/index", EVENTS), Need("indices:data/read/search", "smartwms-app-accounts"),
        Need("indices:data/read/search", SEALS),
    ],
}  # fmt: skip


def granted(role: dict[str, Any]) -> set[str]:
    parts = [part["allowed_actions"] for part in role["index_permissions"]]
    return {*role["cluster_permissions"], *(action for actions in parts for action in actions)}


@pytest.mark.parametrize("name", ROLES)
def test_every_privilege_is_one_that_opensearch_documents(name: str) -> None:
    assert granted(ROLES[name]) <= DOCUMENTED


def test_every_action_of_the_table_is_one_too() -> None:
    needed = {action for _, _, on_cluster, on_index in CALLS for action in (*on_cluster, *on_index)}
    assert {action.removesuffix("[s]") for action in needed} <= DOCUMENTED


@pytest.mark.parametrize("name", ROLES)
def test_no_role_grants_what_it_must_not(name: str) -> None:
    assert [need for need in DENIED[name] if allows(ROLES[name], need)] == []


@pytest.mark.parametrize("name", ROLES)
def test_every_role_is_described_in_the_document_of_security(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_role_is_mapped_and_no_other() -> None:
    assert MAPPING.keys() - {"_meta"} == ROLES.keys()


def test_no_role_reaches_beyond_our_indices() -> None:
    patterns = {
        pattern
        for role in ROLES.values()
        for part in role["index_permissions"]
        for pattern in part["index_patterns"]
    }
    assert {pattern for pattern in patterns if not pattern.startswith("smartwms-")} == set()
    assert not allows(ROLES["audit-agent"], Need("indices:admin/create", "other"))
    assert allows(ROLES["audit-agent"], Need("indices:data/write/bulk", CLUSTER))


def test_the_web_ui_reads_every_kind_of_document_and_writes_all_but_those_that_prove_something() -> None:
    kinds = {path.stem for path in (ROOT / "index_templates").glob("smartwms-app-*.json")}
    role = ROLES["audit-webui"]
    assert {kind for kind in kinds if not allows(role, Need("indices:data/read/get", kind))} == set()
    assert {kind for kind in kinds if not allows(role, Need("indices:data/write/index", kind))} == {
        "smartwms-app-certificates", "smartwms-app-retention", "smartwms-app-verifications",
    }  # fmt: skip


def test_dashboards_see_one_tenant() -> None:
    [part] = ROLES["audit-dashboards-tenant"]["index_permissions"]
    assert orjson.loads(part["dls"]) == {"term": {"tenant.id": "${attr.internal.tenant_id}"}}


@pytest.mark.parametrize("name", ["audit-agent", "audit-webui", "audit-retention"])
def test_the_composition_cuts_out_the_very_roles(name: str) -> None:
    script = (ROOT / "deploy" / "docker" / "make-accounts").read_text(encoding="utf-8")
    function = script[script.index("role() {") : script.index("account() {")]
    environment = {**os.environ, "ROLES": str(ROOT / "deploy" / "opensearch" / "roles.yml")}
    done = subprocess.run(
        ["bash", "-c", f"{function}\nrole {name}"], env=environment, capture_output=True, check=True
    )
    assert orjson.loads(done.stdout) == ROLES[name]
