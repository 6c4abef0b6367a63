"""What a message may be."""

from datetime import UTC, datetime
from typing import Any

import pytest

from webui.notification.message import Attachment, Message, from_document

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "id": "alert:1", "type": "alert.opened", "tenant": "t", "timestamp": NOW, "title": "One", "text": "Two",
}  # fmt: skip


def test_it_is_stored_and_read_back_whole() -> None:
    attached = Attachment("1.1.pdf", "report.pdf", "application/pdf", "00")
    message = Message(**GOOD, link="/alerts/1?a=b", data={"count": 5}, attachments=(attached,))
    assert from_document(message.document()) == message


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": "a b"},
        {"id": "x" * 201},
        {"type": "Opened"},
        {"link": "https://elsewhere.example/"},
        {"link": "//elsewhere.example/"},
        {"link": "/\\elsewhere.example/"},
    ],
    ids=str,
)
def test_what_it_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a message's"):
        Message(**{**GOOD, **change})


@pytest.mark.parametrize("name", ["../secret.key", "/etc/passwd", ".hidden", "a/b", ""])
def test_an_attachment_is_a_name_and_no_path(name: str) -> None:
    with pytest.raises(ValueError, match="attachment"):
        Attachment(name, "report.pdf", "application/pdf", "00")
