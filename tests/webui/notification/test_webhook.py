"""Webhooks to a real receiver: what arrives, and where it does not arrive."""

import hashlib
import hmac
import ipaddress
import time
from pathlib import Path

import orjson
import pytest

from tests.support import certificates
from tests.support.receiver import Receiver, receiving
from tests.support.web import KEY
from tests.webui.notification.conftest import ADDRESS, HERE, TOLD, webhook
from webui.notification import webhook as module
from webui.notification.guard import Guard, Resolve
from webui.notification.secret import secret
from webui.notification.sending import Outcome
from webui.notification.settings import WebhookSettings
from webui.notification.webhook import UrlError, Webhooks, checked_url


def sender(*networks: str, resolve: Resolve | None = None, ca_file: Path | None = None) -> Webhooks:
    allowed = [ipaddress.ip_network(each) for each in networks or map(str, HERE)]
    return Webhooks(WebhookSettings(ca_file=ca_file), KEY, ADDRESS, Guard(allowed, resolve))


class TestContract:
    def test_the_body_the_header_and_the_signature_are_as_promised(self, receiver: Receiver) -> None:
        assert sender().send(webhook(receiver.url("/ok")), TOLD) == Outcome(200, "Thank you.")
        [request] = receiver.requests()
        body = orjson.loads(request["body"])
        assert list(body) == ["id", "type", "timestamp", "data"]
        assert body == {
            "id": "alert:4711:1",
            "type": "alert.opened",
            "timestamp": "2026-11-23T12:00:00.000000Z",
            "data": {
                "tenant": TOLD.tenant,
                "title": TOLD.title,
                "text": TOLD.text,
                "link": "https://audit.example.com/alerts/4711",
                "alert": "4711",
                "count": 5,
            },
        }
        key = secret(KEY, "hook", 1).encode()
        signed = hmac.new(key, request["body"].encode(), hashlib.sha256).hexdigest()
        assert request["headers"]["X-SmartWMS-Signature"] == signed
        assert request["headers"]["Content-Type"] == "application/json"

    @pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
    def test_2xx_is_success(self, receiver: Receiver, status: int) -> None:
        assert sender().send(webhook(receiver.url(f"/status/{status}")), TOLD).problem == ""

    @pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503, 304, 303])
    def test_nothing_else_is(self, receiver: Receiver, status: int) -> None:
        found = sender().send(webhook(receiver.url(f"/status/{status}")), TOLD)
        assert (found.status, found.problem) == (status, f"The receiver answered {status}.")

    def test_a_secret_that_is_lost_is_said_and_nothing_is_sent(self, receiver: Receiver) -> None:
        found = sender().send(webhook(receiver.url(), key=b"another key, of before" * 2), TOLD)
        assert "give it a new secret" in found.problem
        assert receiver.requests() == []


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_they_are_followed_with_the_same_body(self, receiver: Receiver, status: int) -> None:
        url = receiver.url(f"/lead/{status}?/ok")
        assert sender().send(webhook(url), TOLD).problem == ""
        first, second = receiver.requests()
        assert second["path"] == "/ok"
        for what in ("body", "headers"):
            assert first[what] == second[what]

    def test_not_for_ever(self, receiver: Receiver) -> None:
        found = sender().send(webhook(receiver.url("/lead/307?/lead/307?/lead/307?/lead/307?/ok")), TOLD)
        assert found.problem == "The receiver leads on more than 3 times."
        assert len(receiver.requests()) == 4

    def test_not_to_another_scheme(self, receiver: Receiver) -> None:
        found = sender().send(webhook(receiver.url("/lead/307?https://127.0.0.1/ok")), TOLD)
        assert "from https: to http:" in found.problem

    def test_not_into_a_network_that_is_closed(self, receiver: Receiver, tmp_path: Path) -> None:
        with receiving(tmp_path / "inside", host="127.0.0.2") as inside:
            found = sender().send(webhook(receiver.url(f"/lead/307?{inside.url()}")), TOLD)
            assert "AUDIT_WEBHOOK_NETWORKS" in found.problem
            assert len(receiver.requests()) == 1
            assert inside.requests() == []

    @pytest.mark.parametrize("where", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"])
    def test_not_to_something_else(self, receiver: Receiver, where: str) -> None:
        assert sender().send(webhook(receiver.url(f"/lead/307?{where}")), TOLD).problem
        assert len(receiver.requests()) == 1


class TestNames:
    def test_a_name_is_resolved_once_and_the_judged_address_is_connected_to(self, receiver: Receiver) -> None:
        asked = []

        def resolve(host: str, _port: int) -> list[str]:
            asked.append(host)
            # Whoever asks a second time is led inside.
            return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

        url = receiver.url(host="hooks.example")
        assert sender(resolve=resolve).send(webhook(url), TOLD).problem == ""
        [request] = receiver.requests()
        assert asked == ["hooks.example"]
        assert request["headers"]["Host"] == f"hooks.example:{receiver.port}"

    def test_a_name_that_changes_between_redirects_is_judged_again(
        self, receiver: Receiver, tmp_path: Path
    ) -> None:
        answers = iter(["127.0.0.1", "127.0.0.2"])
        with receiving(tmp_path / "inside", host="127.0.0.2", port=receiver.port) as inside:
            url = receiver.url("/lead/307?/ok", host="hooks.example")
            found = sender(resolve=lambda *_: [next(answers)]).send(webhook(url), TOLD)
            assert "not public" in found.problem or "encryption" in found.problem
            assert inside.requests() == []

    def test_the_next_address_of_a_name_is_tried(self, receiver: Receiver) -> None:
        guarded = sender("127.0.0.0/8", resolve=lambda *_: ["127.0.0.9", "127.0.0.1"])
        assert guarded.send(webhook(receiver.url(host="hooks.example")), TOLD).problem == ""

    def test_a_name_that_is_not_there_is_said(self) -> None:
        found = sender().send(webhook("https://nosuch.invalid/"), TOLD)
        assert found.problem == "The name of the receiver was not found."

    def test_proxies_of_the_environment_are_not_asked(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
        assert sender().send(webhook(receiver.url()), TOLD).problem == ""


class TestEncryption:
    def test_the_certificate_is_compared_with_the_name_not_with_the_address(self, tmp_path: Path) -> None:
        ca_file, cert = certificates.make(tmp_path, "hooks.example")
        with receiving(tmp_path / "tls", cert=cert) as encrypted:
            here = sender(resolve=lambda *_: ["127.0.0.1"], ca_file=ca_file)
            good = webhook(encrypted.url(host="hooks.example", scheme="https"))
            assert here.send(good, TOLD) == Outcome(200, "Thank you.")
            wrong = webhook(encrypted.url(host="other.example", scheme="https"))
            assert "certificate is not valid" in here.send(wrong, TOLD).problem
            stranger = sender(resolve=lambda *_: ["127.0.0.1"])
            assert "certificate is not valid" in stranger.send(good, TOLD).problem
            assert len(encrypted.requests()) == 1


class TestSlow:
    @pytest.fixture(autouse=True)
    def _hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "LIMIT_SECS", 1.5)

    def test_an_answer_that_drips_ends_with_the_attempt(self, receiver: Receiver) -> None:
        since = time.monotonic()
        found = sender().send(webhook(receiver.url("/drip")), TOLD)
        assert "did not answer within" in found.problem
        assert time.monotonic() - since < 15

    def test_a_status_stands_though_the_rest_never_comes(self, receiver: Receiver) -> None:
        assert sender().send(webhook(receiver.url("/stall")), TOLD) == Outcome(200, "")


def test_a_redirect_is_followed_before_its_answer_is_there(receiver: Receiver) -> None:
    since = time.monotonic()
    assert sender().send(webhook(receiver.url("/leadstall/307?/ok")), TOLD).problem == ""
    assert time.monotonic() - since < module.LIMIT_SECS / 2


def test_a_receiver_that_is_down_is_said(receiver: Receiver) -> None:
    receiver.kill()
    assert sender().send(webhook(receiver.url()), TOLD).problem == "The receiver does not listen there."


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks", "ftp://h.example/", "https://", "https://u:p@h.example/", "https://h.example/#a",
        "https://h.example/a b", "https://h.example:99999/", "https://h.exämple/", "https://h/" + "a" * 2000,
        "https://h.example:0/", "https://[::1/",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(UrlError):
        checked_url(url)
