"""One message on its way through one channel: its states, its attempts, and when the next is due. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from indexer.query import iso
from webui.notification import message
from webui.notification.message import Message

PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
"""After a failure, in turn; the first attempt is at once, and when the last fails the channel is off."""
MAX_ANSWER_CHARS: Final = 200
_KEPT_ATTEMPTS_COUNT: Final = 20


class State(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    DROPPED = "dropped"
    """Not sent, and never will be: `problem` says why."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `status` is what the receiver answered: of HTTP or SMTP, 0 when nothing. Times are aware."""

    at: datetime
    secs: float = 0.0
    status: int = 0
    answer: str = ""
    """How the answer begins."""
    problem: str = ""
    """Why it was no success; empty: it was."""
    over: bool = True
    """False: it began, and its worker has not told how it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message for a channel. `tries_count` are the failures in a row that count towards switching off."""

    message: Message
    channel: str
    state: State
    created: datetime
    due: datetime
    worker: str = ""
    lease: datetime | None = None
    """Until when it belongs to its worker; whoever comes later may take it."""
    tries_count: int = 0
    attempts: tuple[Attempt, ...] = ()
    finished: datetime | None = None
    problem: str = ""

    @property
    def id(self) -> str:
        """Give the id that makes it one: the same message through the same channel is the same delivery."""
        return delivery_id(self.message.id, self.channel)

    @property
    def exhausted(self) -> bool:
        """Whether no further attempt is due: the channel is to be switched off."""
        return self.tries_count > len(PAUSES)

    def begun(self, worker: str, now: datetime, lease: timedelta) -> Delivery:
        """Give it as it is while a worker sends it; an attempt that was never told about is over."""
        before = tuple(
            each if each.over else replace(each, over=True, problem="Its worker died; it may have arrived.")
            for each in self.attempts
        )
        return replace(
            self,
            state=State.SENDING,
            worker=worker,
            lease=now + lease,
            attempts=(*before, Attempt(now, over=False))[-_KEPT_ATTEMPTS_COUNT:],
        )

    def ended(self, attempt: Attempt, now: datetime) -> Delivery:
        """Give it as it is after an attempt: delivered, or waiting for the next one."""
        attempts = (*self.attempts[:-1], attempt)
        if not attempt.problem:
            return replace(
                self, state=State.DELIVERED, lease=None, attempts=attempts, finished=now, problem=""
            )
        tries = self.tries_count + 1
        pause = PAUSES[tries - 1] if tries <= len(PAUSES) else timedelta()
        return replace(
            self,
            state=State.WAITING,
            lease=None,
            attempts=attempts,
            tries_count=tries,
            due=now + pause,
            problem=attempt.problem,
        )

    def document(self) -> dict[str, Any]:
        """Give the delivery as it is stored."""
        return {
            "message": self.message.document(),
            "message_id": self.message.id,
            "type": self.message.type,
            "tenant": self.message.tenant,
            "channel": self.channel,
            "state": self.state.value,
            "created": iso(self.created),
            "due": iso(self.due),
            "worker": self.worker,
            "lease": iso(self.lease) if self.lease else None,
            "tries_count": self.tries_count,
            "attempts": [
                {
                    "at": iso(each.at),
                    "secs": each.secs,
                    "status": each.status,
                    "answer": each.answer,
                    "problem": each.problem,
                    "over": each.over,
                }
                for each in self.attempts
            ],
            "finished": iso(self.finished) if self.finished else None,
            "problem": self.problem,
        }


def delivery_id(message_id: str, channel: str) -> str:
    """Give the id of the delivery of a message through a channel."""
    return f"{message_id}@{channel}"


def from_document(source: Mapping[str, Any]) -> Delivery:
    """Read a delivery back."""
    return Delivery(
        message=message.from_document(source["message"]),
        channel=source["channel"],
        state=State(source["state"]),
        created=datetime.fromisoformat(source["created"]),
        due=datetime.fromisoformat(source["due"]),
        worker=source["worker"],
        lease=_moment(source["lease"]),
        tries_count=source["tries_count"],
        attempts=tuple(
            Attempt(**{**each, "at": datetime.fromisoformat(each["at"])}) for each in source["attempts"]
        ),
        finished=_moment(source["finished"]),
        problem=source["problem"],
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
