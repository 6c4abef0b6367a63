"""Workers on a site's store."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from urllib.parse import parse_qsl

import pytest

from indexer.documents import Documents
from indexer.query import Scope
from tests.support import events
from tests.support.events import TEST
from tests.support.web import KEY, Site
from webui import question
from webui.exports.assembly import make_worker
from webui.exports.job import Format, Job
from webui.exports.queue import Queue
from webui.exports.service import Exports
from webui.exports.worker import Worker
from webui.tenancy import Reader

ANNA = Reader("auditor", Scope(TEST))


@dataclass
class Desk:
    """Where exports are asked for and made."""

    site: Site
    exports: Exports
    queue: Queue
    stopping: Event = field(default_factory=Event)

    def ask(self, address: str = "", kind: Format = Format.CSV, *, bom: bool = False) -> Job:
        offer = self.exports.offer(ANNA, question.read(parse_qsl(address)))
        return self.exports.ask(ANNA, offer, kind, bom=bom, record=lambda _: None)

    def worker(self) -> Worker:
        site = self.site
        return make_worker(
            site.settings,
            site.client,
            site.store.prefix,
            key=KEY,
            stopping=self.stopping,
            now=site.clock,
            clock=self.secs,
        )

    def secs(self) -> float:
        return self.site.clock().timestamp()

    def now(self, job: Job) -> Job:
        held = self.queue.get(job.id)
        assert held
        return held.job

    def made(self, address: str = "", kind: Format = Format.CSV, *, bom: bool = False) -> tuple[Job, bytes]:
        job = self.ask(address, kind, bom=bom)
        assert self.worker().work()
        job, path = self.exports.file(ANNA, job.id)
        return job, path.read_bytes()


def desk_of(site: Site) -> Desk:
    # An export ends now; the day of the samples has to be over.
    site.clock.ahead = max(site.clock.ahead, events.MORNING + timedelta(days=1) - datetime.now(UTC))
    documents = Documents(site.client, site.store.prefix, "exports")
    queue = Queue(documents, lambda: site.clock().timestamp())
    return Desk(site, site.app.extensions["audit-exports"], queue)


@pytest.fixture
def desk(site: Site) -> Desk:
    return desk_of(site)


@pytest.fixture
def own_desk(own_site: Site) -> Desk:
    return desk_of(own_site)
