"""Puts the parts of notification together, for the pages, the features and the workers."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event

from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.settings import StoreSettings, load
from webui.notification import channels as channels_module
from webui.notification import deliveries as deliveries_module
from webui.notification.channel import Channel, Kind
from webui.notification.channels import Channels
from webui.notification.courier import Alarm, Courier
from webui.notification.deliveries import Deliveries
from webui.notification.guard import Guard
from webui.notification.mail import Mails
from webui.notification.message import Message
from webui.notification.sending import Sender
from webui.notification.service import Notifications
from webui.notification.settings import SmtpSettings, WebhookSettings
from webui.notification.webhook import Webhooks
from webui.settings import WebSettings, secret_key
from webui.tenancy import Tenancy

SWITCHED_OFF = "channel.switched_off"


def make_deliveries(
    client: Client, index_prefix: str, clock: Callable[[], float] = time.monotonic
) -> Deliveries:
    """Make what features tell their messages to; `clock`: seconds that never go back."""
    return Deliveries(Documents(client, index_prefix, deliveries_module.KIND), clock)


def make_channels(client: Client, index_prefix: str) -> Channels:
    """Make what features choose channels from."""
    return Channels(Documents(client, index_prefix, channels_module.KIND))


def make_notifications(
    client: Client,
    index_prefix: str,
    tenancy: Tenancy,
    key: bytes,
    now: Callable[[], datetime],
) -> Notifications:
    """Make what the pages ask; where webhooks may lead, and whether there is mail, from the environment."""
    return Notifications(
        make_channels(client, index_prefix),
        make_deliveries(client, index_prefix),
        tenancy,
        Guard(load(WebhookSettings).networks),
        key,
        now,
        has_mail=bool(load(SmtpSettings).host),
    )


def make_senders(
    settings: WebSettings, webhooks: WebhookSettings, smtp: SmtpSettings, key: bytes
) -> dict[Kind, Sender]:
    """Make what sends, for each kind of channel."""
    address = settings.public_url
    return {
        Kind.WEBHOOK: Webhooks(webhooks, key, address, Guard(webhooks.networks)),
        Kind.EMAIL: Mails(smtp, settings.export_dir, address),
    }


def make_courier(
    client: Client,
    index_prefix: str,
    senders: dict[Kind, Sender],
    stopping: Event,
    *,
    raise_alert: Alarm | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock: Callable[[], float] = time.monotonic,
) -> Courier:
    """Make one worker; its name says where it runs. `raise_alert`: besides telling the other channels."""
    deliveries, channels = make_deliveries(client, index_prefix, clock), make_channels(client, index_prefix)

    def alarm(channel: Channel, now: datetime) -> None:
        if raise_alert is not None:
            raise_alert(channel, now)
        tell_the_others(deliveries, channels, channel, now)

    name = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
    return Courier(name, deliveries, channels, senders, alarm, now, stopping)


def chores(stopping: Event, raise_alert: Alarm | None = None) -> Sequence[Callable[[], bool]]:
    """Give what `audit-webui jobs run` and `alerts run` both do; settings from the environment."""
    settings, store = load(WebSettings), load(StoreSettings)
    webhooks, smtp = load(WebhookSettings), load(SmtpSettings)
    client = connect(store)
    senders = make_senders(settings, webhooks, smtp, secret_key(settings.secret_key_file))
    make_deliveries(client, store.index_prefix).prepare()
    make_channels(client, store.index_prefix).prepare()
    return [make_courier(client, store.index_prefix, senders, stopping, raise_alert=raise_alert).work]


def tell_the_others(deliveries: Deliveries, channels: Channels, off: Channel, now: datetime) -> None:
    """Tell a tenant's other channels that one of them was switched off."""
    others = [each.id for each in channels.of(off.tenant) if each.on and each.id != off.id]
    message = Message(
        id=f"{SWITCHED_OFF}:{off.id}:{off.failed_count}",
        type=SWITCHED_OFF,
        tenant=off.tenant,
        timestamp=now,
        title=f"The channel “{off.name}” was switched off",
        text=f"{off.off_why}\n\nIt was tried at once and after 1, 5, 30 minutes and 2 hours. What it has not "
        "told waits for 7 days: put the cause right, and switch the channel on again.",
        link=f"/notifications/{off.id}",
        data={"channel": off.id, "name": off.name, "kind": off.kind.value, "problem": off.off_why},
    )
    deliveries.enqueue(message, others, now)
