"""A receiver of webhooks in a process of its own: `python -m tests.support.receiver FOLDER [--cert FILE]`.

It says its port on the first line, and writes each request down as a line of JSON in FOLDER/requests.jsonl
before it answers. How it answers is in the path: `/ok`, `/status/503`, `/lead/307?http://...`, `/drip`,
`/wait`, `/stall`, `/leadstall/307?...`; while FOLDER/answer exists, it holds the status of all.
"""

import argparse
import contextlib
import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.checkout import ROOT

WAIT_SECS = 60
_writing = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    folder: Path
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = {
            "path": self.path,
            "headers": dict(self.headers),
            "body": body.decode(),
            "address": str(self.server.server_address),
        }
        with _writing, (self.folder / "requests.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(seen) + "\n")
        self._answer()

    def _answer(self) -> None:
        what, _, query = self.path.lstrip("/").partition("?")
        word, _, number = what.partition("/")
        status = int(number or 200)
        with contextlib.suppress(FileNotFoundError):
            status = int((self.folder / "answer").read_text("utf-8"))
        if word == "wait":
            time.sleep(2)
        if word == "drip":
            # A byte in a while: no time-out of a socket ever ends it.
            with contextlib.suppress(OSError):
                for _ in range(WAIT_SECS * 5):
                    self.wfile.write(b"a")
                    time.sleep(0.2)
            return
        self.send_response(status)
        if word.startswith("lead"):
            self.send_header("Location", query)
        content = b"" if word.endswith("stall") else b"Thank you."
        self.send_header("Content-Length", str(len(content) or 1000))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)
            if not content:
                time.sleep(WAIT_SECS)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as in http.server
        """Standard error is for what goes wrong."""


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert", type=Path)
    asked = parser.parse_args()
    _Handler.folder = asked.folder
    server = ThreadingHTTPServer((asked.host, asked.port), _Handler)
    if asked.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.cert)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


@dataclass
class Receiver:
    """A receiver that runs."""

    folder: Path
    port: int
    process: subprocess.Popen[str]
    host: str = "127.0.0.1"

    def url(self, path: str = "/ok", host: str = "", scheme: str = "http") -> str:
        return f"{scheme}://{host or self.host}:{self.port}{path}"

    def requests(self) -> list[dict[str, Any]]:
        """Everything that arrived, in that order."""
        try:
            lines = (self.folder / "requests.jsonl").read_text("utf-8").split("\n")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line]

    def ids(self) -> list[str]:
        """The ids of the messages that arrived."""
        return [json.loads(each["body"])["id"] for each in self.requests()]

    def answer(self, status: int | None) -> None:
        """Answer everything with that status from now on; None: as the path says."""
        if status is None:
            (self.folder / "answer").unlink(missing_ok=True)
        else:
            (self.folder / "answer").write_text(str(status), "utf-8")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WAIT_SECS)


@contextlib.contextmanager
def receiving(
    folder: Path, *, host: str = "127.0.0.1", port: int = 0, cert: Path | None = None
) -> Iterator[Receiver]:
    """A receiver for as long as the block lasts."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.support.receiver", str(folder), "--host", host]
    command += ["--port", str(port), *(["--cert", str(cert)] if cert else [])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Receiver(folder, int(process.stdout.readline()), process, host)
        finally:
            process.kill()


if __name__ == "__main__":
    _main()
