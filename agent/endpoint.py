"""`/health` and `/metrics` on a loopback address, served from the state that the loop took last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.health import State, now_secs, verdict

_COUNTED = {
    "read": "Records that became events.",
    "stored": "Events the store took now.",
    "duplicate": "Events the store had before.",
    "rejected": "Events in the dead letters.",
    "expired": "Events older than their class keeps, or of an erased tenant.",
    "retried": "Events sent again.",
}
GetState = Callable[[], State | None]


class Endpoint:
    """The server; OSError when its address cannot be had. `stop` frees the address."""

    def __init__(self, address: tuple[str, int], get_state: GetState) -> None:
        registry = CollectorRegistry()
        registry.register(_Metrics(get_state))
        self._server = ThreadingHTTPServer(address, _handler(get_state, registry))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(get_state: GetState, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # Somebody who connects and says nothing must not keep a thread for ever.
        timeout = 10.0

        def do_GET(self) -> None:
            if self.path == "/health":
                reasons = verdict(get_state(), now_secs())
                self._say(503 if reasons else 200, "application/json", orjson.dumps(
                    {"healthy": not reasons, "reasons": reasons}
                ))  # fmt: skip
            elif self.path == "/metrics":
                self._say(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            else:
                self._say(404, "text/plain", b"/health or /metrics\n")

        def _say(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the log is the agent's."""

    return Handler


class _Metrics(Collector):
    def __init__(self, get_state: GetState) -> None:
        self._get_state = get_state

    def collect(self) -> Iterator[Metric]:
        state, now = self._get_state(), now_secs()
        yield _gauge("healthy", "1 when /health is 200.", float(not verdict(state, now)))
        if state is None:
            return
        for name, text in _COUNTED.items():
            yield CounterMetricFamily(f"smartwms_audit_{name}", text, value=state.counts[name])
        yield _gauge("in_flight", "Requests under way.", state.in_flight)
        yield _gauge("open_bytes", "Memory of events that are not final.", state.open_bytes)
        yield _gauge("held", "Partitions (or the store) that wait for a person.", len(state.held))
        yield _gauge("dead_letters_bytes", "Size of the dead letters.", state.dead_letters_bytes)
        since = now - state.taken_at
        if state.answer_age_secs is not None:
            age = state.answer_age_secs + since
            yield _gauge("last_answer_age_seconds", "Since the store last answered.", age)
        if state.checkpoint_age_secs is not None:
            age = state.checkpoint_age_secs + since
            yield _gauge("checkpoint_age_seconds", "Since positions were last saved.", age)
        yield from _of_sources(state)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"smartwms_audit_{name}", text, value=value)


def _of_sources(state: State) -> Iterator[Metric]:
    families: dict[str, Metric] = {}
    for name, text, of_name in (
        ("lag_bytes", "Bytes that are not final yet.", "lag_bytes"),
        ("lag_seconds", "Since the source was last at its end.", "lag_secs"),
        ("silent", "1: it fell silent while its neighbours speak.", "silent"),
        ("stalled", "1: its log has stopped at 1 GiB.", "stalled"),
        ("unreadable_files", "Files that cannot be read.", "unreadable"),
    ):
        family = GaugeMetricFamily(f"smartwms_audit_source_{name}", text, labels=["source"])
        for source in state.sources:
            family.add_metric([source.name], float(getattr(source, of_name)))
        families[name] = family
    for name, text in (
        ("lost_bytes", "Bytes gone before they could be read."),
        ("lost_files", "Files gone before their end was read."),
    ):
        counter = CounterMetricFamily(f"smartwms_audit_source_{name}", text, labels=["source"])
        for source in state.sources:
            counter.add_metric([source.name], float(getattr(source, name)))
        families[name] = counter
    yield from families.values()
