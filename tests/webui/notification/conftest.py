"""What tests of notification tell, and who they tell it to."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.support import certificates
from tests.support.events import TEST
from tests.support.receiver import Receiver, receiving
from tests.support.web import KEY
from webui.notification.channel import Channel, Kind
from webui.notification.message import Message
from webui.notification.secret import fingerprint, secret

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE = (ipaddress.ip_network("127.0.0.1/32"),)
ADDRESS = "https://audit.example.com"
TOLD = Message(
    id="alert:4711:1",
    type="alert.opened",
    tenant=TEST,
    timestamp=NOW,
    title="5 failed logins from 192.0.2.10",
    text="In 5 minutes, by 2 users.\n\nThe first was at 11:58.",
    link="/alerts/4711",
    data={"alert": "4711", "count": 5},
)


def webhook(url: str, *, channel_id: str = "hook", key: bytes = KEY) -> Channel:
    return Channel(
        id=channel_id,
        tenant=TEST,
        name="On call",
        kind=Kind.WEBHOOK,
        url=url,
        created=NOW,
        secret_print=fingerprint(secret(key, channel_id, 1)),
    )


def mailing(*recipients: str, channel_id: str = "mail") -> Channel:
    return Channel(
        id=channel_id, tenant=TEST, name="Security", kind=Kind.EMAIL, recipients=recipients, created=NOW
    )


@pytest.fixture
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("receiver")) as running:
        yield running


__all__ = ["ADDRESS", "HERE", "NOW", "TOLD", "certificates", "mailing", "receiver", "webhook"]
