"""docker-compose.yml keeps what it promises: pinned, closed, and by names that the product knows."""

import os
import re
import subprocess
import time
from pathlib import Path
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


@pytest.mark.parametrize("service", ["agent", "webui", "prepare", "retention"])
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


def test_every_account_is_made_with_its_own_role_and_password() -> None:
    used = {
        (environment["AUDIT_OPENSEARCH_USERNAME"], environment["AUDIT_OPENSEARCH_PASSWORD_FILE"])
        for service in SERVICES.values()
        if "AUDIT_OPENSEARCH_USERNAME" in (environment := service.get("environment", {}))
    } - {("admin", "/run/secrets/admin.password")}
    script = tracked_text("deploy/docker/make-accounts").popitem()[1]
    made = re.findall(r"^account (\w+) ([\w-]+)$", script, re.MULTILINE)
    assert {(role, f"/run/secrets/{name}.password") for name, role in made} == used
    assert re.findall(r"^role ([\w-]+) \| put roles/\1$", script, re.MULTILINE) == [role for _, role in made]
    assert {f"{name}.password" for name, _ in made} <= set(SERVICES["accounts"]["secrets"])
    secrets = tracked_text("deploy/docker/make-secrets").popitem()[1]
    names = re.search(r"^for name in (.+); do$", secrets, re.MULTILINE)
    assert names
    assert {"admin", *(name for name, _ in made)} == set(names[1].split())


def test_retention_runs_once_and_waits_and_ends_at_once_when_told(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = tmp_path / "audit-indexer"
    program.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    program.chmod(0o755)
    command = [part.replace("$$", "$") for part in SERVICES["retention"]["entrypoint"]]
    process = subprocess.Popen(command, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    try:
        deadline = time.monotonic() + 30
        while not told.exists() or not told.read_text().endswith("\n"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert process.poll() is None
        process.terminate()
        process.wait(10)
    finally:
        process.kill()
        process.wait()
    assert told.read_text() == "--timeout 600 retention run\n"


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
