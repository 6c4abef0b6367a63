"""A site whose week of the samples is over, with a plan that reviews it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from indexer.documents import Documents
from indexer.query import Scope
from tests.support import events
from tests.support.events import NORD, SOFIA, TEST
from tests.support.web import Site, token
from webui.reviews.assembly import Neighbours, make_archive, make_opening
from webui.reviews.opening import Opening
from webui.reviews.plan import Plan, PlanForm
from webui.reviews.review import Review
from webui.reviews.service import Reviews
from webui.tenancy import Reader
from webui.trail import Trail

ANNA = Reader("auditor", Scope(TEST))
# The week of the samples is 48, from 23 to 29 November; this is the Tuesday after it.
TUESDAY = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
SAID = {"id": "said", "name": "said", "email": "said@test001.example"}
AUDITOR = {"id": "auditor", "name": "auditor", "email": "auditor@test001.example"}


def week() -> list[dict[str, Any]]:
    """What a reviewer has something to look at in; numbers of records are minutes after the samples begin."""
    rows: list[dict[str, Any]] = [
        {"event.action": "role_changed", "event.category": "users", "message": "li became an administrator"},
        {"event.category": "configuration", "message": "a setting changed"},
        {"event.category": "configuration", "local.hour": 23, "local.weekday": 1, "message": "at night"},
        {"event.category": "api", "event.action": "exported", "entity": None, "user": dict(SAID)},
        {"event.category": "audit", "event.action": "downloaded", "user": dict(AUDITOR), "entity": None},
        {"event.category": "audit", "event.action": "viewed", "user": dict(AUDITOR), "entity": None},
    ]
    mine = [events.document(100 + number, row) for number, row in enumerate(rows)]
    theirs = {"tenant.id": NORD, "event.category": "configuration", "user": dict(SOFIA)}
    return [*mine, events.document(150, theirs)]


@dataclass
class Desk:
    """Where reviews are opened and worked on."""

    site: Site
    reviews: Reviews
    told: list[Review] = field(default_factory=list)
    clients: dict[str, FlaskClient] = field(default_factory=dict)

    def opening(self) -> Opening:
        site = self.site
        trail = Trail(site.trail_path, site.clock)
        neighbours = Neighbours(overdue=self.tell)
        return make_opening(site.client, site.store.prefix, trail, site.clock, neighbours)

    def tell(self, review: Review) -> None:
        self.told.append(review)

    def opened(self, plan: Plan) -> list[Review]:
        """Let the chores do all that is due; what is open of a plan then."""
        opening = self.opening()
        while opening.work():
            pass
        return self.of(plan)

    def of(self, plan: Plan) -> list[Review]:
        found = make_archive(self.site.client, self.site.store.prefix).of(None)
        return [each for each in found if each.plan == plan.id]

    def client(self, who: str) -> FlaskClient:
        """A window in which somebody is signed in, as of Tuesday."""
        if who not in self.clients:
            self.clients[who] = self.site.signed_in(who)
        return self.clients[who]

    def plan(self, tenant: str = TEST, form: PlanForm | None = None) -> Plan:
        """A plan that was made in the week of the samples."""
        before, self.site.clock.ahead = self.site.clock.ahead, events.MORNING - datetime.now(UTC)
        try:
            return self.reviews.plans.add(tenant, form or PlanForm(reviewers="auditor"))
        finally:
            self.site.clock.ahead = before

    def at(self, moment: datetime) -> None:
        self.site.clock.ahead = moment - datetime.now(UTC)

    def later(self, **span: float) -> None:
        self.site.clock.ahead += timedelta(**span)


@pytest.fixture(scope="module")
def office(site: Site) -> Desk:
    events.load(site.client, site.store.prefix, week())
    return Desk(site, site.app.extensions["audit-reviews"])


@pytest.fixture
def desk(office: Desk) -> Iterator[Desk]:
    """The desk on Tuesday, without the plans of other tests."""
    office.at(TUESDAY)
    yield office
    office.told.clear()
    plans = Documents(office.site.client, office.site.store.prefix, "reviewplans")
    for stored in plans.find():
        plans.delete(stored)


@pytest.fixture
def review(desk: Desk) -> Review:
    """The review of the week of the samples."""
    (found,) = desk.opened(desk.plan())
    return found


@dataclass
class Browser:
    """A browser at the page of a review."""

    client: FlaskClient
    page: str
    csrf: str = ""

    @property
    def id(self) -> str:
        return self.page.rpartition("/")[2]

    def text(self) -> str:
        return " ".join(self.client.get(self.page).text.split())

    def post(self, path: str, **form: str) -> tuple[int, str]:
        """Send a form of the page, with its token; status and the page that comes."""
        if not self.csrf:
            self.csrf = token(self.client, self.page)
        sent = {"csrf_token": self.csrf, **form}
        answer = self.client.post(f"{self.page}/{path}", data=sent)
        return answer.status_code, " ".join(answer.text.split())

    def look_at_all(self) -> None:
        for key in re.findall(r'id="item-(\w+)"', self.text()):
            assert self.post(f"items/{key}", state="looked at", note="")[0] == 303

    def revision(self) -> str:
        found = re.search(r'name="revision" value="(\d+)"', self.text())
        assert found
        return found[1]


def browser_of(desk: Desk, review: Review, who: str = "auditor") -> Browser:
    return Browser(desk.client(who), f"/reviews/{review.id}")
