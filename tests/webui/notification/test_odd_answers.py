"""Answers that no honest server gives: none of them is success, none of them is an error of ours."""

import socket

import pytest
import requests
import responses
from urllib3.exceptions import ProtocolError

from tests.support.web import KEY
from tests.webui.notification.conftest import ADDRESS, TOLD, webhook
from webui.notification.guard import Guard
from webui.notification.sending import Outcome
from webui.notification.settings import WebhookSettings
from webui.notification.webhook import Webhooks

URL = "https://hooks.example/audit"


def sent() -> Outcome:
    return Webhooks(WebhookSettings(), KEY, ADDRESS, Guard()).send(webhook(URL), TOLD)


@responses.activate
@pytest.mark.parametrize("status", [100, 101, 199, 300, 305, 418, 451, 599, 700, 999])
def test_a_status_that_is_no_success(status: int) -> None:
    responses.post(URL, status=status)
    assert sent() == Outcome(status, "", f"The receiver answered {status}.")


@responses.activate
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"\xff\xfe\x00 not text", "�� not text"),
        (b"two\r\n\r\nlines\x1b[31m", "two lines [31m"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        (b"a" * 10_000_000, "a" * 200),
        (b"", ""),
    ],
    ids=["no text", "control characters", "a page", "ten megabytes", "nothing"],
)
def test_an_answer_is_cut_to_one_line(body: bytes, shown: str) -> None:
    responses.post(URL, status=500, body=body)
    assert sent() == Outcome(500, shown, "The receiver answered 500.")


@responses.activate
def test_an_answer_that_says_it_is_compressed_is_not_unpacked() -> None:
    responses.post(URL, status=200, body=b"\x1f\x8bno gzip", headers={"Content-Encoding": "gzip"})
    assert sent().problem == ""


@responses.activate
@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (requests.ConnectTimeout(), "The receiver did not answer within 20 seconds."),
        (requests.ReadTimeout(), "The receiver did not answer within 20 seconds."),
        (requests.exceptions.SSLError(), "The receiver's certificate is not valid"),
        (requests.exceptions.ChunkedEncodingError(), "The connection ended before an answer."),
        (requests.exceptions.ContentDecodingError(), "The connection ended before an answer."),
        (requests.ConnectionError(ProtocolError("cut")), "The connection ended before an answer."),
        (requests.exceptions.InvalidHeader("what"), "The connection ended before an answer."),
        (ConnectionResetError(), "The connection ended before an answer."),
        (socket.gaierror(), "The connection ended before an answer."),
    ],
    ids=lambda each: type(each).__name__,
)
def test_no_answer_is_said_in_a_sentence(error: Exception, problem: str) -> None:
    responses.post(URL, body=error)
    assert sent().problem.startswith(problem)


@responses.activate
@pytest.mark.parametrize(
    "where", ["", "https://u:p@elsewhere.example/", "https://[::1/", "http://h.example/", "a b"]
)
def test_a_redirect_to_nowhere_is_not_followed(where: str) -> None:
    responses.post(URL, status=307, headers={"Location": where})
    assert sent().problem
    assert len(responses.calls) == 1
