"""A fake OpenSearch on loopback, for answers that the real one cannot be made to give.

It stores what it accepts (create, append-only) and says what it is told: an answer for each item by item
and attempt, or something wrong with the whole answer by the number of the request.
"""

import contextlib
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson

from indexer import assets
from indexer.classes import DEFAULTS
from indexer.settings import StoreSettings

# What can be wrong with a whole answer, besides a status.
DROP_BEFORE, DROP_AFTER, CUT, HTML, EMPTY, ONE_MISSING, ONE_MORE = (
    "drop before", "drop after", "cut", "html", "empty", "one missing", "one more",
)  # fmt: skip

SEALS = "smartwms-seals"
ERRORS = {
    400: "document_parsing_exception",
    403: "cluster_block_exception",
    404: "index_not_found_exception",
    409: "version_conflict_engine_exception",
    429: "es_rejected_execution_exception",
    500: "internal_error",
    503: "unavailable_shards_exception",
}


def accept(_partition: str, _id: str, _attempt: int) -> int:
    return 201


def fine(_request: int) -> str | int | None:
    return None


@dataclass
class FakeStore:
    """What it has, how it was asked, and the two functions that decide its answers."""

    item: Callable[[str, str, int], int] = accept
    """Partition, id and attempt (from 1) to a status; 201 stores, or answers 409 when the id is there."""
    whole: Callable[[int], str | int | None] = fine
    """The number of a bulk request (from 1) to what is wrong with its answer, or None."""
    reading: int = 0
    """What a GET is answered with instead of the tenants."""
    authorization: str = ""
    """What a request must bring to be let in; 401 otherwise."""
    headers: dict[str, str] = field(default_factory=dict)
    max_body_bytes: int = 100 * 1024**2
    documents: dict[str, bytes] = field(default_factory=dict)
    partitions: list[str] = field(default_factory=list)
    seals: list[str] = field(default_factory=list)
    requests: int = 0
    attempts: Counter[str] = field(default_factory=Counter)
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def settings(self) -> StoreSettings:
        return StoreSettings(opensearch_url=self.url)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and answer to a GET: the tenants' directory (of no tenants), the seals, the store."""
        if path.partition("?")[0] == f"/{SEALS}":
            template = assets.seal_template("smartwms")
            settings = {"index.append_only.enabled": "true"}
            index = {"settings": settings, "mappings": template.mappings, "aliases": {}}
            return 200, orjson.dumps({SEALS: index})
        if self.reading:
            return self.reading, orjson.dumps({"error": {"type": "", "reason": "as told"}})
        if path.endswith("-app-tenants/_doc/directory"):
            directory = {"classes": DEFAULTS.to_source(), "revisions": {}}
            return 200, orjson.dumps({"_source": directory, "_seq_no": 0, "_primary_term": 1})
        root = {"version": {"number": "3.8.0", "distribution": "opensearch"}}
        return 200, orjson.dumps({**root, "cluster_name": "fake", "cluster_uuid": "fake"})

    def put(self, path: str) -> None:
        """Take a partition, or a seal."""
        if path.startswith(f"/{SEALS}/"):
            self.seals.append(path.rpartition("/")[2])
        else:
            self.partitions.append(path[1:])

    def bulk(self, body: bytes) -> tuple[str | int | None, bytes]:
        """What is wrong with the whole answer, and the answer as it would be."""
        with self._lock:
            self.requests += 1
            if len(body) > self.max_body_bytes:
                return 413, b""
            wrong = self.whole(self.requests)
            if isinstance(wrong, int) or wrong == DROP_BEFORE:
                return wrong, b""
            lines = body.split(b"\n")[:-1]
            items = [
                self._create(orjson.loads(action), lines[at + 1])
                for at, action in list(enumerate(lines))[::2]
            ]
        if wrong == ONE_MISSING:
            items.pop()
        if wrong == ONE_MORE:
            items.append(items[-1])
        errors = any("error" in item["create"] for item in items)
        return wrong, orjson.dumps({"errors": errors, "items": items})

    def _create(self, action: dict[str, dict[str, str]], document: bytes) -> dict[str, dict[str, object]]:
        id_, partition = action["create"]["_id"], action["create"]["_index"]
        self.attempts[id_] += 1
        status = self.item(partition, id_, self.attempts[id_])
        if status == 201 and id_ in self.documents:
            status = 409
        if status == 201:
            self.documents[id_] = document
            return {"create": {"_id": id_, "status": status}}
        error = {"type": ERRORS[status], "reason": f"as told, attempt {self.attempts[id_]}"}
        return {"create": {"_id": id_, "status": status, "error": error}}


def _encrypt(server: ThreadingHTTPServer, certificate: Path) -> str:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return "https"


@contextlib.contextmanager
def fake_store(certificate: Path | None = None) -> Iterator[FakeStore]:
    """Serve a fake store for as long as the block lasts, with TLS if it has a certificate (with its key)."""
    store = FakeStore()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.say(*(store.get(self.path) if self.is_let_in() else (401, b"")))

        def is_let_in(self) -> bool:
            return store.authorization in {"", self.headers.get("Authorization")}

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            store.put(self.path)
            self.say(200, b'{"acknowledged":true}')

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            wrong, answer = store.bulk(body) if self.is_let_in() else (401, b"")
            if isinstance(wrong, int):
                self.say(wrong, orjson.dumps({"error": {"type": ERRORS.get(wrong, ""), "reason": "as told"}}))
            elif wrong in {DROP_BEFORE, DROP_AFTER}:
                self.close_connection = True
            else:
                spoilt = {CUT: answer[: len(answer) // 2], HTML: b"<html>Bad gateway</html>", EMPTY: b""}
                self.say(200, spoilt.get(wrong or "", answer))

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            for name, value in store.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scheme = "http" if certificate is None else _encrypt(server, certificate)
    store.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
