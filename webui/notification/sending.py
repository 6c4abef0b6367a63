"""What an attempt came to. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from webui.notification.channel import Channel
from webui.notification.delivery import MAX_ANSWER_CHARS
from webui.notification.message import Message


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a receiver said. `status`: of HTTP or SMTP, 0 when there was none; `problem` empty: it has it."""

    status: int = 0
    answer: str = ""
    problem: str = ""


class Sender(Protocol):
    """Makes attempts through channels of one kind; never raises because of a receiver."""

    def send(self, channel: Channel, message: Message) -> Outcome:
        """Make one attempt, within half a minute."""


def shown(answer: bytes) -> str:
    """Give how an answer begins, as one line that can be shown."""
    text = answer.decode("utf-8", "replace")
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()[:MAX_ANSWER_CHARS]
