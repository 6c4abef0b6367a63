"""`make demo`: a local node, the sample day shipped into it, and the UI on 127.0.0.1:8080, from nothing.

Everything it makes lies in `.cache/demo` of the checkout and is kept; a second run finds the events already
there. It calls the product's own commands, so what it does can be done by hand. With --once it asks the page,
prints the counts and stops what it started.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import click

from indexer.node import usable_folder

ROOT: Final = Path(__file__).resolve().parent.parent
SAMPLES: Final = ROOT / "examples" / "smartwms"
HOME: Final = ROOT / ".cache" / "demo"
HOST, PORT = "127.0.0.1", 8080
ACCOUNT: Final = "demo"
DAYS: Final = "3650"
"""Enterprise and ten years, for every class that the sample needs: so that the demo never empties."""
DAY: Final = "2026-11-23"
ALERTS: Final = "/alerts"
TENANTS: Final = {
    "e9006ab8-257f-4021-b60a-cbba785bad46": "Test Warehouse",
    "1d0b6c1e-52a7-4c1b-9a53-6a1f0e8f2a02": "Nord Logistik",
    "7c3f9a10-0c55-4f6e-8d7a-3b2c4d5e6f03": "Acme Storage",
}
START_SECS: Final = 60.0

AGENT_FILE: Final = """\
state_dir = "agent"
host = "smartwms-1"

[[sources]]
name = "app"
paths = ["logs/smartwms-*.clef"]
format = "clef"
changes_logged = true

[[sources]]
name = "nginx"
paths = ["logs/access.json.log"]
format = "nginx-json"

[[sources]]
name = "trail"
paths = ["trail.log"]
format = "trail"
"""


class DemoError(click.ClickException):
    """What keeps the demo from running, and the way out."""

    exit_code = 2


class Demo:
    """The processes of one run, and the environment they share."""

    def __init__(self) -> None:
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("AUDIT_")
        } | {
            "AUDIT_ENTERPRISE_DAYS": DAYS,
            "AUDIT_WEBUI_SECRET_KEY_FILE": str(HOME / "webui.key"),
            "AUDIT_WEBUI_TRAIL_FILE": str(HOME / "trail.log"),
            "AUDIT_WEBUI_EXPORT_DIR": str(HOME / "exports"),
        }
        if cache := os.environ.get("AUDIT_CACHE_DIR"):
            self.environment["AUDIT_CACHE_DIR"] = cache
        self.started: list[subprocess.Popen[bytes]] = []
        # Root's node runs as somebody else, to whom a checkout below /root is closed.
        self.node_folder = str(usable_folder(HOME / "node"))
        self.has_node = False

    # -- steps

    def start_node(self) -> None:
        """A node of our own on a free port; one that still runs from before is used again."""
        answer = self.run("audit-indexer", "node", "status", "--data", self.node_folder, check=False)
        found = re.search(r"http://127\.0\.0\.1:\d+", answer.stdout)
        if answer.returncode or found is None:
            answer = self.run("audit-indexer", "node", "start", "--data", self.node_folder, "--port", "0")
            self.has_node = True
            found = re.search(r"http://127\.0\.0\.1:\d+", answer.stdout)
        if found is None:
            raise DemoError(f"the node started but did not say where: {answer.stdout!r}")
        self.environment["AUDIT_OPENSEARCH_URL"] = found[0]
        say("OpenSearch", found[0])

    def prepare(self) -> None:
        """Templates, and the tenants of the sample."""
        self.run("audit-indexer", "--timeout", "60", "apply")
        listed = self.run("audit-indexer", "tenants", "list").stdout
        for tenant, name in TENANTS.items():
            if tenant not in listed:
                self.run(
                    *(
                        "audit-indexer",
                        "tenants",
                        "set",
                        tenant,
                        "--name",
                        name,
                        "--plan",
                        "enterprise",
                        "--from",
                    ),
                    *("1970-01-01", "--days", DAYS, "--zone", "Europe/Stockholm", "--hours", "07:00-18:00"),
                )
        say("tenants", ", ".join(TENANTS.values()))

    def ship(self) -> dict[str, int]:
        """Ship the sample day; what is there already is counted as duplicate, not stored again."""
        logs = HOME / "logs"
        logs.mkdir(exist_ok=True)
        for sample in SAMPLES.iterdir():
            if not (logs / sample.name).exists():
                shutil.copyfile(sample, logs / sample.name)
        (HOME / "agent.toml").write_text(AGENT_FILE, encoding="utf-8")
        (HOME / "trail.log").touch(mode=0o600)
        answer = self.run("audit-agent", "run", "--config", str(HOME / "agent.toml"), "--once")
        counts: dict[str, int] = json.loads(answer.stdout)
        say("events shipped", ", ".join(f"{name} {count:,}" for name, count in counts.items()))
        return counts

    def make_account(self) -> str:
        """An account that sees all tenants; its password is kept beside the demo's data."""
        file = HOME / "password"
        listed = self.run("audit-webui", "accounts", "list").stdout
        if ACCOUNT in listed.split() and file.exists():
            return file.read_text(encoding="utf-8").strip()
        if ACCOUNT in listed.split():
            answer = self.run("audit-webui", "accounts", "passwd", ACCOUNT)
        else:
            answer = self.run(
                "audit-webui", "accounts", "add", ACCOUNT, "--role", "operator", "--tenant", "*"
            )
        password = answer.stdout.split()[-1]
        file.touch(mode=0o600)
        file.write_text(password + "\n", encoding="utf-8")
        return password

    def serve(self) -> None:
        """The UI, until it answers."""
        webui = self.start("webui.log", "audit-webui", "run", "--host", HOST, "--port", str(PORT))
        deadline = time.monotonic() + START_SECS
        while not answers():
            if webui.poll() is not None or time.monotonic() > deadline:
                raise DemoError(f"the UI did not start; the end of its log:\n{tail(HOME / 'webui.log')}")
            time.sleep(0.2)

    def watch(self, visitor: Visitor) -> None:
        """The usual monitors, made as a person makes them, before there is anything to be seen.

        What happened more than 30 days before it arrives raises no alert (docs/alerts.md): from then on the
        sample day fills the inbox no more.
        """
        visitor.post("/monitors/usual", "/monitors")
        # From here on whatever arrives is looked at, whenever it happened.
        self.run("audit-webui", "alerts", "run", "--once")

    def follow(self) -> None:
        """The agent, the evaluator of the monitors, and what makes exports: until the demo ends."""
        self.start("agent.log", "audit-agent", "run", "--config", str(HOME / "agent.toml"))
        self.start("alerts.log", "audit-webui", "alerts", "run")
        self.start("jobs.log", "audit-webui", "jobs", "run")

    def stop(self) -> None:
        """End what this run started, the node last."""
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        if self.has_node:
            self.run("audit-indexer", "node", "stop", "--data", self.node_folder, check=False)

    # -- processes

    def run(self, command: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of the product's commands to its end."""
        done = subprocess.run(
            [str(ROOT / ".venv" / "bin" / command), *arguments],
            env=self.environment, cwd=HOME, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if check and done.returncode:
            asked = f"{command} {' '.join(arguments[:2])}"
            raise DemoError(f"{asked} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def start(self, log: str, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one of the product's commands; what it prints goes to a file."""
        with (HOME / log).open("wb") as output:
            process = subprocess.Popen(
                [str(ROOT / ".venv" / "bin" / command), *arguments],
                env=self.environment, cwd=HOME, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.started.append(process)
        return process


def say(what: str, result: str) -> None:
    """One line of progress."""
    click.echo(f"{what:>16}  {result}")


def tail(file: Path) -> str:
    """The last lines of a log."""
    return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


def answers() -> bool:
    """Whether the UI answers."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{PORT}/sign-in", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 -- OK
    except OSError:
        return False


def port_is_free() -> bool:
    """Whether the UI can have its port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, PORT))
        except OSError:
            return False
    return True


class Visitor:
    """Somebody who is signed in, and uses pages and forms like a person would."""

    def __init__(self, password: str) -> None:
        jar = http.cookiejar.CookieJar()
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.post("/sign-in", "/sign-in", name=ACCOUNT, password=password)

    def get(self, path: str, form: dict[str, str] | None = None) -> str:
        """A page."""
        base = f"http://{HOST}:{PORT}"
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(base + path, data, {"Referer": base})  # noqa: S310
        with self._browser.open(request, timeout=60) as answer:
            return str(answer.read().decode())

    def post(self, path: str, page: str, **fields: str) -> str:
        """Send a form of a page; what is shown then."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(page))
        if found is None:
            raise DemoError(f"the page {page} has no form")
        return self.get(path, {"csrf_token": found[1], **fields})

    def count(self, path: str, pattern: str) -> int:
        """How many different things of a pattern a page shows."""
        return len(set(re.findall(pattern, self.get(path))))


def day_path() -> str:
    """The activity page on the day of the sample."""
    return f"/activity?from={DAY}T00:00&to={DAY}T23:59"


def totals(demo: Demo, counts: dict[str, int], visitor: Visitor) -> dict[str, Any]:
    """What --once prints, one JSON line: what was shipped, and what the pages show of it."""
    rows = visitor.count(day_path(), r'href="/activity/([\w-]{16,})')
    if not rows:
        raise DemoError(f"the page {day_path()} shows no events of the sample day")
    demo.run("audit-webui", "alerts", "run", "--once")
    return {**counts, "rows_on_page": rows, "alerts": visitor.count(ALERTS, r'href="/alerts/([\w-]+)"')}


@click.command()
@click.option("--once", is_flag=True, help="Check that the page answers, print the counts, stop.")
def main(*, once: bool) -> None:
    """Run the whole product on the sample day."""
    if not port_is_free():
        raise DemoError(f"{HOST}:{PORT} is taken; stop what listens there (another demo?) and try again")
    HOME.mkdir(parents=True, exist_ok=True)
    demo = Demo()
    signal.signal(signal.SIGTERM, interrupted)
    try:
        demo.start_node()
        demo.prepare()
        password = demo.make_account()
        demo.serve()
        visitor = Visitor(password)
        demo.watch(visitor)
        counts = demo.ship()
        if once:
            click.echo(json.dumps(totals(demo, counts, visitor)))
            return
        demo.follow()
        say("page", f"http://{HOST}:{PORT}{day_path()}")
        say("alerts", f"http://{HOST}:{PORT}{ALERTS}")
        say("login", f"{ACCOUNT} / {password}")
        click.echo("Press Ctrl-C to stop.")
        for process in demo.started:
            process.wait()
    except KeyboardInterrupt:
        click.echo("stopping")
    finally:
        demo.stop()


def interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    """End like Ctrl-C does."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
