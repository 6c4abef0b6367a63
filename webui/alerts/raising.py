"""Alerts that are no monitor's: something else in the product found that a person should look.

The same source, tenant and group is one episode for as long as it is raised again within an hour, whether or
not somebody closed it meanwhile; after that it is a new alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from webui.alerts.alert import Alert, Notice, id_of, key_of
from webui.alerts.book import Book
from webui.alerts.monitor import EVERY_TENANT
from webui.alerts.telling import Telling

CALM: Final = timedelta(hours=1)
_NOTED_EVERY: Final = timedelta(minutes=5)


class Raising:
    """Raises alerts. Raises the errors of `indexer.errors`."""

    def __init__(self, book: Book, telling: Telling) -> None:
        self._book = book
        self._telling = telling

    def raise_(  # noqa: PLR0913, PLR0917  what an alert says
        self,
        source: str,
        tenant: str,
        group: str,
        title: str,
        text: str,
        evidence: str,
        channels: Sequence[str],
        now: datetime,
        since: datetime | None = None,
    ) -> Alert:
        """Raise an alert, or note that the one of this source, tenant and group goes on.

        `tenant`: whose inbox; empty, `-` or `*`: the operators'. `evidence`: the query string of a search
        in the activity log, or empty. Its channels are told when it is new; calling it again with the same
        is harmless. `since`: when what is wrong began, where that is known; it is one episode however long
        nobody was there to raise it again.
        """
        owner = EVERY_TENANT if tenant in {"", "-", EVERY_TENANT} else tenant
        key = key_of(source, owner, group)
        self._book.prepare()
        known = self._book.known([key])[key]
        if known and (now - known[0].alert.last <= CALM or (since and known[0].alert.first >= since)):
            last = known[0].alert
            if now - last.last >= _NOTED_EVERY:
                self._book.replace(known[0], replace(last, last=now))
            return last
        number = known[0].alert.number + 1 if known else 1
        alert = Alert(
            id=id_of(key, number),
            key=key,
            number=number,
            owner=owner,
            tenant=tenant or "-",
            source=source,
            group=group,
            title=title,
            text=text,
            created=now,
            opened=now,
            first=now,
            last=now,
            count=1,
            evidence=evidence,
            channels=tuple(channels),
            notice=Notice.DUE if channels else Notice.NONE,
            notice_due=now,
        )
        self._book.create(alert)
        held = self._book.get(alert.id)
        if held is not None and held.alert.notice is Notice.DUE:
            self._telling.tell(held, now)
        return alert
