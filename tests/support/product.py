"""The product as it runs: agent, UI and evaluator, each a process, on a store of the test's."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import requests

from indexer import tenants
from indexer.classes import DEFAULTS
from indexer.client import connect
from indexer.documents import Documents
from tests.support.events import TEST
from tests.support.store import Store
from tests.support.web import HASHER, PASSWORD
from webui.access import Role
from webui.app import make_accounts
from webui.settings import WebSettings

START_SECS = 100
ANSWER_SECS = 10
PEOPLE = {"anna": Role.ADMIN, "berit": Role.ADMIN, "vera": Role.AUDITOR}
"""Of the test tenant; their password is PASSWORD."""
NEEDED = ("tenants", "accounts", "views", "channels", "deliveries", "monitors")
REVIEWING = ("reviewplans", "reviews", "reviewrecords")
"""Kinds that the pages read; the evaluator makes its own. `audit-indexer apply` makes all, and takes long."""
# One tenant: failed logins name none, and are the tenant's all the same.
AGENT = """\
state_dir = "state"
host = "app-1"

[[sources]]
name = "app"
paths = ["logs/*.clef"]
format = "clef"
tenant = "{tenant}"

[[sources]]
name = "trail"
paths = ["trail.log"]
format = "trail"
"""


@dataclass
class Product:
    """Everything that was started."""

    folder: Path
    environment: dict[str, str]
    address: str
    log: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, program: str, *arguments: str) -> None:
        """Start a command; what it says is in `<folder>/<program>-<first argument>.txt`."""
        with (self.folder / f"{program}-{arguments[0]}.txt").open("wb") as output:
            self.processes.append(
                subprocess.Popen(
                    [str(Path(sys.executable).with_name(program)), *arguments],
                    env=self.environment,
                    cwd=self.folder,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )

    def said(self) -> str:
        """What the processes said, for the message of a test that failed."""
        return "\n".join(f"{each.name}:\n{each.read_text()[-2000:]}" for each in self.folder.glob("*.txt"))

    def until(self, what: Callable[[], object], secs: float) -> float:
        """Wait for something, and give the seconds that it took."""
        since = time.monotonic()
        while not what():
            assert all(each.poll() is None for each in self.processes), self.said()
            assert time.monotonic() - since < secs, self.said()
            time.sleep(0.1)
        return time.monotonic() - since

    def answers(self) -> bool:
        """Whether the UI answers."""
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.address}/sign-in", timeout=ANSWER_SECS).ok
        return False


@contextlib.contextmanager
def running(store: Store, folder: Path, **more: str) -> Iterator[Product]:
    """Run the product for as long as the block lasts; `more` is added to its environment."""
    client = connect(store.settings)
    for kind in (*NEEDED, *REVIEWING):
        Documents(client, store.prefix, kind).prepare()
    tenants.record_classes(client, store.prefix, DEFAULTS)
    tenants.put(
        client, store.prefix, TEST,
        name="Test Warehouse", zone="Europe/Stockholm", hours="07:00-18:00", plan="enterprise",
        start=None, days=None, now=datetime.now(UTC),
    )  # fmt: skip
    accounts = make_accounts(WebSettings(), client, store.prefix, hasher=HASHER)
    for name, role in PEOPLE.items():
        accounts.add(name, role, TEST, PASSWORD)
    client.close()
    (folder / "logs").mkdir()
    (folder / "trail.log").touch()
    (folder / "agent.toml").write_text(AGENT.format(tenant=TEST), "utf-8")
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUDIT_")},
        **store.environment,
        "AUDIT_WEBUI_SECRET_KEY_FILE": str(folder / "secret.key"),
        "AUDIT_WEBUI_TRAIL_FILE": str(folder / "trail.log"),
        "AUDIT_WEBUI_EXPORT_DIR": str(folder / "exports"),
        "AUDIT_WEBUI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        **more,
    }
    product = Product(
        folder, environment, f"http://127.0.0.1:{port}", folder / "logs" / "smartwms-20261123.clef"
    )
    try:
        product.start("audit-webui", "run", "--port", str(port))
        product.start("audit-webui", "alerts", "run")
        product.start("audit-agent", "run", "--config", "agent.toml")
        product.until(product.answers, START_SECS)
        yield product
    finally:
        for process in product.processes:
            process.terminate()
        for process in product.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
