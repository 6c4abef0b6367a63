"""The secret that signs the webhooks of a channel: derived, stored nowhere. Pure.

It is an HMAC of the channel's id and a counter under the installation's key (AUDIT_WEBUI_SECRET_KEY_FILE). So
nothing in the store, in a snapshot or in a log opens it; a new secret is the counter plus one; and whoever
changes the installation's key changes all of them, which the fingerprint beside the channel tells.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from webui.notification.channel import Channel

_PRINT_CHARS: Final = 8


class StaleError(Exception):
    """The secret that a receiver was given cannot be derived any more."""


def secret(key: bytes, channel_id: str, number: int) -> str:
    """Give the text that a receiver is given."""
    purpose = f"smartwms-audit webhook {channel_id} {number}".encode()
    digest = hmac.new(key, purpose, hashlib.sha256).digest()
    return "whsec_" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def fingerprint(text: str) -> str:
    """Give what tells one secret from another, and nothing else of it."""
    return hashlib.sha256(text.encode()).hexdigest()[:_PRINT_CHARS]


def secret_of(key: bytes, channel: Channel) -> str:
    """Give the secret of a channel; StaleError when it is not the one its receiver was given."""
    text = secret(key, channel.id, channel.secret_number)
    if fingerprint(text) != channel.secret_print:
        raise StaleError(
            "The secret of this channel is lost, because the key of the installation was changed; "
            "give it a new secret, and the receiver too."
        )
    return text


def signature(text: str, body: bytes) -> str:
    """Give what X-SmartWMS-Signature says of a body: hex HMAC-SHA256 under the secret's UTF-8 bytes."""
    return hmac.new(text.encode(), body, hashlib.sha256).hexdigest()
