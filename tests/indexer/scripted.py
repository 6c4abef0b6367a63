"""A loopback HTTP server that gives the answers a real OpenSearch cannot be made to give."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# Self-signed for 127.0.0.1 until 2126; its key protects nothing.
CERTIFICATE = Path(__file__).with_name("loopback.pem")


@dataclass
class Script:
    """Answers in turn (the last one again and again) and what was asked, as (headers, body)."""

    answers: list[tuple[int, dict[str, str], bytes]]
    url: str = ""
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def next(self) -> tuple[int, dict[str, str], bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextlib.contextmanager
def scripted(*answers: tuple[int, dict[str, str], bytes], tls: bool = False) -> Iterator[Script]:
    """Serve these answers, with `tls` under the certificate of `CERTIFICATE`.

    A status of 0 hangs up without one; a header `cut` sends that many bytes less.
    """
    script = Script(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers, content = script.next()
            if not status:
                self.close_connection = True
                return
            cut = int(headers.get("cut", "0"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            # Who asked may have hung up meanwhile.
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content[: len(content) - cut])
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815  the names are http.server's

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
