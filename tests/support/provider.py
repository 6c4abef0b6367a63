"""A provider of single sign-on as a process of its own, and clients that are registered there."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from webui.settings import WebSettings

START_SECS = 60.0
BACK = "/sign-in/provider/back"


@dataclass(frozen=True)
class RunningProvider:
    """`oidc-provider-mock` at its issuer's address."""

    issuer: str

    def know(self, sub: str, **claims: object) -> None:
        """Make somebody known to it, or say something else of them."""
        requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=30).raise_for_status()

    def client(
        self, folder: Path, *addresses: str, **settings: object
    ) -> Callable[[WebSettings], WebSettings]:
        """Register an installation at these addresses; gives what changes its settings."""
        wanted = {"redirect_uris": [f"{address}{BACK}" for address in addresses]}
        answer = requests.post(f"{self.issuer}/oauth2/clients", json=wanted, timeout=30)
        answer.raise_for_status()
        registered = answer.json()
        secret = folder / f"{registered['client_id']}.secret"
        secret.write_text(f"{registered['client_secret']}\n", "utf-8")
        changes = {
            "oidc_issuer": self.issuer,
            "oidc_client_id": registered["client_id"],
            "oidc_client_secret_file": secret,
            "oidc_name": "Example ID",
            **settings,
        }
        return lambda each: each.model_copy(update=changes)

    def consent(self, address: str, sub: str) -> str:
        """Say yes as this person; the path and query of the page that the browser is sent back to."""
        answer = requests.post(address, data={"sub": sub}, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"


@contextmanager
def running_provider(*arguments: str) -> Iterator[RunningProvider]:
    """Start it; it insists on registered clients and on a nonce."""
    program = shutil.which("oidc-provider-mock", path=str(Path(sys.executable).parent))
    assert program, "the development requirements bring it along"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    issuer = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [program, "--port", str(port), "--require-registration", "--require-nonce", *arguments],
        env=os.environ | {"PYTHONWARNINGS": "ignore", "NO_COLOR": "1"},
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECS
        while not _answers(issuer):
            assert process.poll() is None, "the provider has ended by itself"
            assert time.monotonic() < deadline, "the provider does not answer"
            time.sleep(0.1)
        yield RunningProvider(issuer)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """One for a module."""
    with running_provider() as found:
        yield found


def query_of(address: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def _answers(issuer: str) -> bool:
    try:
        return requests.get(f"{issuer}/.well-known/openid-configuration", timeout=5).ok
    except requests.ConnectionError:
        return False
