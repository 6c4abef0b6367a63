"""Puts the parts of the reviews together, for the pages and for `audit-webui jobs run`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.search import EventSearch
from indexer.settings import StoreSettings, load
from webui.commission import Maker
from webui.reviews import archive as archives
from webui.reviews import paper
from webui.reviews import plans as plans_module
from webui.reviews.archive import Archive
from webui.reviews.checklist import AlertsOf
from webui.reviews.counts import Counter
from webui.reviews.opening import Opening, Overdue
from webui.reviews.plans import MayReview, Plans
from webui.reviews.review import Review
from webui.reviews.service import Reviews
from webui.settings import WebSettings
from webui.tenancy import Tenancy
from webui.trail import Entry, Trail


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What reviews ask of other features, which they do not know."""

    may_review: MayReview = lambda _account, _tenant: True
    alerts: AlertsOf | None = None
    overdue: Overdue | None = None


def make_reviews(
    client: Client, index_prefix: str, tenancy: Tenancy, now: Callable[[], datetime], neighbours: Neighbours
) -> Reviews:
    """Make what the pages ask."""
    search = EventSearch(client, index_prefix)
    plans = Plans(Documents(client, index_prefix, plans_module.KIND), now, neighbours.may_review)
    counter = Counter(search, neighbours.alerts)
    archive = make_archive(client, index_prefix)
    return Reviews(archive, plans, search, counter, tenancy, now)


def make_archive(client: Client, index_prefix: str) -> Archive:
    """Make what keeps the reviews."""
    return Archive(
        Documents(client, index_prefix, archives.KIND), Documents(client, index_prefix, archives.RECORDS_KIND)
    )


def make_opening(
    client: Client, index_prefix: str, trail: Trail, now: Callable[[], datetime], neighbours: Neighbours
) -> Opening:
    """Make what opens reviews, and writes that to the trail."""
    tenancy = Tenancy(client, index_prefix, now)
    reviews = make_reviews(client, index_prefix, tenancy, now, neighbours)

    def record(review: Review) -> None:
        trail.write(
            Entry(
                Action="reviewed",
                Message=f"{review.title} was opened by the schedule",
                TenantId=review.tenant,
                EntityType="Review",
                EntityId=review.id,
            )
        )

    archive = make_archive(client, index_prefix)
    return Opening(reviews, archive, tenancy, now, record=record, overdue=neighbours.overdue)


def makers(
    client: Client, index_prefix: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Mapping[str, Maker]:
    """Give what makes PDFs of reviews for the exports' workers."""
    reviews = make_reviews(client, index_prefix, Tenancy(client, index_prefix, now), now, Neighbours())
    return {paper.MAKER: paper.maker(reviews)}


def own_makers() -> Mapping[str, Maker]:
    """Give the same; settings from the environment."""
    store = load(StoreSettings)
    return makers(connect(store), store.index_prefix)


def chores(make_neighbours: Callable[[WebSettings, Client, str], Neighbours]) -> Sequence[Callable[[], bool]]:
    """Give what `audit-webui jobs run` does for reviews; settings from the environment."""
    settings, store = load(WebSettings), load(StoreSettings)
    client = connect(store)

    def now() -> datetime:
        return datetime.now(UTC)

    archive = make_archive(client, store.index_prefix)
    archive.prepare()
    Documents(client, store.index_prefix, plans_module.KIND).prepare()
    trail = Trail(settings.trail_file, now)
    neighbours = make_neighbours(settings, client, store.index_prefix)
    return [make_opening(client, store.index_prefix, trail, now, neighbours).work]
