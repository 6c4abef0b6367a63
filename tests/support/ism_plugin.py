"""A store that seems to have Index State Management: the real one, behind the plugin's documented answers.

The plugin cannot be installed on the local node. Everything but the plugin's own addresses is passed on.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import requests

from indexer.settings import StoreSettings
from tests.support.store import ANSWER_SECS, Store

COMPONENT = "opensearch-index-management"
STATE_FIELDS = {"name", "actions", "transitions"}
POLICY_FIELDS = {"description", "default_state", "states", "ism_template", "error_notification"}


@dataclass
class Plugin:
    """The policies it has been given, by id with their version, and what was done to indices."""

    store: Store
    url: str = ""
    policies: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)

    @property
    def settings(self) -> StoreSettings:
        return StoreSettings(opensearch_url=self.url, index_prefix=self.store.prefix)

    @property
    def environment(self) -> dict[str, str]:
        return {**self.store.environment, "AUDIT_OPENSEARCH_URL": self.url}

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, object]:
        """Answer as the plugin does (observed on 3.8.0)."""
        parts = urlsplit(target)
        if parts.path == "/_cat/plugins":
            return 200, [{"component": COMPONENT}]
        _, _, verb, name = parts.path.removeprefix("/").split("/", 3)
        if verb != "policies":
            self.done.append((verb, name))
            return 200, {"updated_indices": 1, "failures": False, "failed_indices": []}
        if method == "GET":
            return self._get(name)
        return self._put(name, parse_qs(parts.query), orjson.loads(body))

    def _get(self, name: str) -> tuple[int, object]:
        if name not in self.policies:
            return 404, {"error": {"type": "status_exception", "reason": "Policy not found"}}
        number, policy = self.policies[name]
        shown = {**policy, "policy_id": name, "schema_version": 21, "last_updated_time": 1795415195363}
        return 200, {"_id": name, "_version": 1, "_seq_no": number, "_primary_term": 1, "policy": shown}

    def _put(self, name: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, object]:
        policy = body["policy"]
        fault = fault_of(policy)
        if fault:
            return 400, {"error": {"type": "illegal_argument_exception", "reason": fault}}
        number, _ = self.policies.get(name, (-1, {}))
        if name in self.policies and query.get("if_seq_no") != [str(number)]:
            return 409, {"error": {"type": "version_conflict_engine_exception", "reason": "exists"}}
        self.policies[name] = (number + 1, policy)
        return 201, {"_id": name, "_seq_no": number + 1, "_primary_term": 1, "policy": body}


def fault_of(policy: dict[str, Any]) -> str:
    """What the plugin refuses."""
    if not policy.get("description"):
        return "Missing description"
    if set(policy) - POLICY_FIELDS:
        return f"Invalid field: {sorted(set(policy) - POLICY_FIELDS)}"
    names = {state["name"] for state in policy["states"]}
    for state in policy["states"]:
        if set(state) != STATE_FIELDS:
            return f"Invalid field in state: {sorted(state)}"
        for transition in state["transitions"]:
            if len(transition["conditions"]) != 1 or transition["state_name"] not in names:
                return "Cannot provide more than one Transition condition"
    return "" if policy["default_state"] in names else "Policy must have a valid default state"


@contextlib.contextmanager
def with_plugin(store: Store) -> Iterator[Plugin]:
    """Serve a store with the plugin for as long as the block lasts."""
    plugin = Plugin(store)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.startswith(("/_plugins/_ism/", "/_cat/plugins")):
                status, found = plugin.answer(self.command, self.path, body)
                self.say(status, orjson.dumps(found))
                return
            real = requests.request(
                self.command,
                store.url + self.path,
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=ANSWER_SECS,
            )
            self.say(real.status_code, real.content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = pass_on  # noqa: N815  the names are http.server's

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    plugin.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield plugin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
