"""docker-compose.yml keeps what it promises: pinned, closed, and by names that the product knows."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from indexer.settings import known_names
from tests.support.checkout import ROOT, tracked_text
from webui.notification.settings import VARIABLES as NOTIFICATION
from webui.settings import WebSettings

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_nothing_listens_beyond_this_host() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8080:8080"]


def test_the_store_is_the_version_that_is_tested() -> None:
    images = {service["image"] for service in SERVICES.values() if "image" in service}
    version = re.search(
        r'^VERSION = "(.+)"$', tracked_text("indexer/distribution.py").popitem()[1], re.MULTILINE
    )
    assert version
    assert images == {f"opensearchproject/opensearch:{version[1]}"}


@pytest.mark.parametrize("service", ["agent", "webui", "prepare"])
def test_our_services_run_closed(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in SERVICES[service]["security_opt"]


def test_each_secret_used_is_declared_made_and_kept_out_of_git() -> None:
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for service in SERVICES.values()
        for secret in service.get("secrets", [])
    }
    assert used == set(COMPOSE["secrets"])
    files = [secret["file"] for secret in COMPOSE["secrets"].values()]
    ignored = subprocess.run(
        ["git", "check-ignore", *files], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert ignored == files


def test_no_secret_is_in_a_variable() -> None:
    variables = [name for service in SERVICES.values() for name in service.get("environment", {})]
    assert [
        name for name in variables if re.search("PASSWORD|SECRET|KEY", name) and not name.endswith("_FILE")
    ] == []


def test_every_setting_is_one_the_product_reads() -> None:
    known = {
        *known_names(),
        *NOTIFICATION,
        *(f"AUDIT_WEBUI_{name}".upper() for name in WebSettings.model_fields),
    }
    named = {
        name
        for service in SERVICES.values()
        for name in service.get("environment", {})
        if name.startswith("AUDIT_")
    }
    assert named
    assert named <= known
