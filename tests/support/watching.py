"""A monitor and an alert of the test's tenant, for tests of pages that show some."""

from datetime import datetime, timedelta
from typing import Final

from indexer.client import Client
from indexer.documents import Documents
from tests.support import events
from tests.support.events import TEST
from webui.alerts import condition as conditions
from webui.alerts.alert import Alert, Notice, Step, id_of, key_of
from webui.alerts.book import Book
from webui.alerts.condition import Template
from webui.alerts.monitor import Monitor
from webui.alerts.monitors import Monitors

MONITOR: Final = "0123456789abcdef"
KEY: Final = key_of("monitor", MONITOR, TEST, "198.51.100.24", "")
ALERT: Final = id_of(KEY, 1)


def add(client: Client, prefix: str, now: datetime) -> None:
    """Store both."""
    usual = conditions.usual(Template.FAILED_LOGINS)
    Monitors(Documents(client, prefix, "monitors")).add(
        [
            Monitor(
                id=MONITOR,
                owner=TEST,
                name="Failed logins",
                condition=usual,
                calm=usual.kind.calm,
                since=now,
                updated=now,
                updated_by="admin",
            )
        ]
    )
    book = Book(Documents(client, prefix, "alerts"))
    book.prepare()
    start = events.MORNING
    book.create(
        Alert(
            id=ALERT,
            key=KEY,
            number=1,
            owner=TEST,
            tenant=TEST,
            source="monitor",
            monitor=MONITOR,
            monitor_name="Failed logins",
            template=Template.FAILED_LOGINS.value,
            group="198.51.100.24",
            group_name="ip",
            title="5 failed logins from 198.51.100.24",
            text="Monitor “Failed logins”: 5 in 5 minutes by address.",
            created=now,
            opened=now,
            first=start,
            last=start + timedelta(minutes=5),
            count=5,
            actors=("198.51.100.24",),
            evidence="from=2026-11-23T06:26:46Z&to=2026-11-23T06:31:46Z&ip=198.51.100.24&action=login_failed",
            notice=Notice.NONE,
            notice_due=now,
            steps=(Step(now, "", "found"),),
        )
    )
