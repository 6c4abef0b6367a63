"""The deliveries in the store: what waits, what is being sent by whom and until when, what is over.

A worker holds a delivery by a lease, whose end others tell by watching it (`webui.silence`). Every change
names the version it changes: a worker that was thought dead, and whose delivery somebody else took, learns it
when it tells how its attempt ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from indexer.documents import Documents, Stored
from indexer.errors import ConflictError
from indexer.query import iso
from webui.notification.delivery import Delivery, State, from_document
from webui.notification.message import TEST_TYPE, Message
from webui.silence import Silence

KIND: Final = "deliveries"
LEASE: Final = timedelta(seconds=120)
"""Longer than any attempt takes (`webhook.LIMIT_SECS`, `mail.LIMIT_SECS`), a slow name server included."""
LISTED_COUNT: Final = 50
FORGOTTEN_AFTER: Final = timedelta(days=90)
"""How long a delivery that is over stays in the log."""
_LOOKED_AT_COUNT: Final = 20
_WATCHED_COUNT: Final = 500
_SWEPT_COUNT: Final = 500
"""At once; what is left comes with the next sweep."""


class LostError(Exception):
    """The delivery belongs to another worker by now, or is gone."""


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery in the version that was read."""

    delivery: Delivery
    stored: Stored


class Deliveries:
    """All deliveries of an installation. Raises the errors of `indexer.errors`. Times are given and aware."""

    def __init__(self, documents: Documents, clock: Callable[[], float] = time.monotonic) -> None:
        """`documents` of the kind "deliveries"; `clock`: seconds that never go back."""
        self._documents = documents
        self._silence = Silence(clock)

    def prepare(self) -> None:
        """Make the index if it is not there."""
        self._documents.prepare()

    def enqueue(self, message: Message, channel_ids: Iterable[str], now: datetime) -> int:
        """Have a message told through channels of its tenant; how many of these deliveries are new.

        Calling it again with the same message changes nothing: whoever dies in between calls it again.
        A channel that is not the tenant's, or is gone, gets nothing: the log says so.
        """
        added = 0
        for channel in channel_ids:
            fresh = Delivery(message=message, channel=channel, state=State.WAITING, created=now, due=now)
            try:
                self._documents.create(fresh.id, fresh.document())
            except ConflictError:
                continue
            added += 1
        return added

    def get(self, delivery_id: str) -> Held | None:
        """Give a delivery as it is now."""
        stored = self._documents.get(delivery_id)
        return None if stored is None else _held(stored)

    def of(self, channel: str) -> list[Delivery]:
        """Give the newest deliveries through a channel, newest first."""
        found = self._documents.find(
            {"term": {"channel": channel}}, sort=[{"created": "desc"}], limit=LISTED_COUNT
        )
        return [from_document(stored.source) for stored in found]

    def take(
        self, worker: str, now: datetime, *, busy: Collection[str] = (), failing: Collection[str] = ()
    ) -> Held | None:
        """Give a worker what is due first; None: there is nothing.

        Nothing of channels that are `busy`, and of those that are `failing` tests alone.
        """
        held_back = [
            {"terms": {"channel": sorted(busy)}},
            {
                "bool": {
                    "filter": [{"terms": {"channel": sorted(failing)}}],
                    "must_not": [{"term": {"type": TEST_TYPE}}],
                }
            },
        ]
        due = [{"term": {"state": State.WAITING}}, _until("due", now)]
        query = {"bool": {"filter": due, "must_not": held_back}}
        waiting = self._documents.find(query, sort=[{"due": "asc"}], limit=_LOOKED_AT_COUNT)
        for held in map(_held, [*self._left(now, busy, failing), *waiting]):
            try:
                return self.write(held, held.delivery.begun(worker, now, LEASE))
            except LostError:
                continue
        return None

    def _left(self, now: datetime, busy: Collection[str], failing: Collection[str]) -> list[Stored]:
        """Give what workers that died were sending, as far as it is to be sent now."""
        sending = {"term": {"state": State.SENDING}}
        found = self._documents.find(sending, sort=[{"due": "asc"}], limit=_WATCHED_COUNT, fresh=False)
        return [
            stored
            for stored in self._silence.left(found, LEASE, now)
            if stored.source["channel"] not in busy
            and (stored.source["channel"] not in failing or stored.source["type"] == TEST_TYPE)
        ]

    def write(self, held: Held, delivery: Delivery) -> Held:
        """Replace what was read; LostError when somebody else was first."""
        try:
            stored = self._documents.replace(held.stored, delivery.document())
        except ConflictError as error:
            raise LostError(f"delivery {held.stored.id} was changed by somebody else") from error
        return Held(delivery, stored)

    def waiting(self, channel: str) -> int:
        """How many deliveries through a channel are not over."""
        query = [{"term": {"channel": channel}}, {"terms": {"state": [State.WAITING, State.SENDING]}}]
        return self._documents.count({"bool": {"filter": query}})

    def give_up(self, failing: Collection[str], since: datetime, now: datetime) -> None:
        """Drop what has waited since before `since` for channels that fail."""
        old = [
            {"term": {"state": State.WAITING}},
            {"terms": {"channel": sorted(failing)}},
            _until("created", since),
        ]
        for stored in self._documents.find({"bool": {"filter": old}}, limit=_SWEPT_COUNT):
            held = _held(stored)
            why = "Its channel was off for too long."
            self.write(held, replace(held.delivery, state=State.DROPPED, finished=now, problem=why))

    def forget(self, now: datetime) -> None:
        """Delete the deliveries that were over long ago."""
        over = {"terms": {"state": [State.DELIVERED, State.DROPPED]}}
        due = [over, _until("finished", now - FORGOTTEN_AFTER)]
        for stored in self._documents.find({"bool": {"filter": due}}, limit=_SWEPT_COUNT):
            self._documents.delete(stored)


def _held(stored: Stored) -> Held:
    return Held(from_document(stored.source), stored)


def _until(name: str, moment: datetime) -> dict[str, Any]:
    return {"range": {name: {"lte": iso(moment)}}}
