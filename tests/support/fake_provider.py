"""A provider of single sign-on that lies as it is told: what the real one cannot be made to answer."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT = "smartwms-audit"
SECRET = "s" * 40


class FakeProvider:
    """What it answers, changed by a test before it is asked. `challenge`: what its next code is bound to."""

    def __init__(self, address: str) -> None:
        self.issuer = address
        self.metadata: dict[str, Any] = {
            "issuer": address,
            "authorization_endpoint": f"{address}/authorize",
            "token_endpoint": f"{address}/token",
            "jwks_uri": f"{address}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        self.key = RSAKey.generate_key(2048, parameters={"kid": "first"})
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}
        self.challenge = ""
        self.forms: list[dict[str, str]] = []
        self.userinfo: dict[str, Any] = {}

    def rotate(self) -> None:
        self.key = RSAKey.generate_key(2048, parameters={"kid": "second"})

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path == "/.well-known/openid-configuration":
            return 200, self.metadata
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False, alg="RS256")]}
        if path == "/userinfo":
            return 200, self.userinfo
        self.forms.append(form)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": self.token()}

    def token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "sub": "1"} | self.claims
        if self.algorithm == "none":
            head, body = (
                base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode()
                for each in ({"alg": "none"}, claims)
            )
            return f"{head}.{body}."
        if self.algorithm == "HS256":
            # With the secret that both know: anybody who has it could sign, so it is no signature.
            return jwt.encode({"alg": "HS256", "kid": self.key.kid}, claims, OctKey.import_key(SECRET))
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, claims, self.key)


@contextmanager
def lying_provider() -> Iterator[FakeProvider]:
    """A server on loopback, for one test."""
    made: list[FakeProvider] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._send({name: values[0] for name, values in parse_qs(body.decode()).items()})

        def _send(self, form: dict[str, str]) -> None:
            status, found = made[0].answer(self.path, form)
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.append(FakeProvider(f"http://127.0.0.1:{server.server_port}"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made[0]
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)
