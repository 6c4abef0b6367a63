"""What docs/notifications.md promises to receivers, on its own example."""

import re
from collections.abc import Callable

import orjson

from tests.support.checkout import ROOT
from webui.notification import webhook
from webui.notification.delivery import PAUSES
from webui.notification.message import from_document
from webui.notification.secret import signature

DOCUMENT = (ROOT / "docs" / "notifications.md").read_text("utf-8")


def found(pattern: str) -> str:
    match = re.search(pattern, DOCUMENT, re.DOTALL)
    assert match, pattern
    return match[1]


SECRET = found(r"With the secret `(whsec_[\w-]{43})`")
BODY = found(r"```json\n(.*?)\n```").encode()
SIGNATURE = found(r"X-SmartWMS-Signature: ([0-9a-f]{64})\n")


def test_the_example_is_what_is_sent() -> None:
    told = orjson.loads(BODY)
    data = told["data"]
    link = data.pop("link")
    told |= {name: data.pop(name) if name in data else "" for name in ("tenant", "title", "text")}
    message = from_document(
        {**told, "link": link.removeprefix("https://audit.example.com"), "attachments": []}
    )
    assert webhook.body(message, "https://audit.example.com") == BODY
    assert signature(SECRET, BODY) == SIGNATURE


def test_the_receivers_program_accepts_the_example_and_nothing_else() -> None:
    scope: dict[str, Callable[[str, bytes, str], bool]] = {}
    exec(compile(found(r"```python\n(.*?)\n```"), "notifications.md", "exec"), scope)  # noqa: S102
    is_genuine = scope["is_genuine"]
    assert is_genuine(SECRET, BODY, SIGNATURE)
    assert not is_genuine(SECRET, BODY + b" ", SIGNATURE)
    assert not is_genuine(SECRET + "x", BODY, SIGNATURE)


def test_the_pauses_and_limits_are_the_ones_it_says() -> None:
    assert [pause.total_seconds() / 60 for pause in PAUSES] == [1, 5, 30, 120]
    assert "1 minute, 5 minutes, 30 minutes and 2 hours" in DOCUMENT
    assert f"within {webhook.LIMIT_SECS:.0f} seconds" in DOCUMENT
