"""Reviews and alerts: what the monitors found is looked at, and an overdue review is an alert itself."""

import re
from datetime import UTC, datetime, timedelta

from indexer.query import Scope
from tests.support.events import MORNING, NORD, TEST
from tests.webui.reviews.conftest import ANNA, TUESDAY, Desk, browser_of
from webui import neighbours
from webui.alerts.assembly import make_raising
from webui.alerts.service import Alerts, Wanted
from webui.reviews.assembly import make_opening
from webui.reviews.opening import Opening
from webui.tenancy import Reader
from webui.trail import Trail

# The reviewed one, in Stockholm.
WEEK = datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 29, 23, tzinfo=UTC)
STRANGER = Reader("stranger", Scope(NORD))


def opening(desk: Desk) -> Opening:
    """The chores as `audit-webui jobs run` does them."""
    site = desk.site
    alerts: Alerts = site.app.extensions["audit-alerts"]
    beside = neighbours.of_reviews(site.accounts, alerts, site.client, site.store.prefix, site.clock)
    trail = Trail(site.trail_path, site.clock)
    return make_opening(site.client, site.store.prefix, trail, site.clock, beside)


def work(desk: Desk) -> None:
    worker = opening(desk)
    while worker.work():
        pass


def titles(desk: Desk, reader: Reader) -> list[str]:
    alerts: Alerts = desk.site.app.extensions["audit-alerts"]
    return [each.title for each in alerts.inbox(reader, Wanted(state="all")).alerts]


def test_the_alerts_of_the_week_are_on_the_checklist_and_one_click_away(desk: Desk) -> None:
    raising = make_raising(desk.site.client, desk.site.store.prefix)
    alerts: Alerts = desk.site.app.extensions["audit-alerts"]
    # The site has alerts of its own, as of when it was built.
    own = alerts.inbox(ANNA, Wanted(state="all")).alerts
    before = sum(WEEK[0] <= each.created < WEEK[1] for each in own)
    for tenant, group, title, when in (
        (TEST, "a", "Five failed logins", MORNING),
        (TEST, "b", "A week too late", TUESDAY - timedelta(hours=1)),
        (NORD, "c", "Somebody else's", MORNING),
    ):
        raising.raise_("test", tenant, group, title, "", "", (), when)
    plan = desk.plan()
    work(desk)
    (review,) = desk.of(plan)
    item = review.items[-1]
    assert (item.key, item.count) == ("alerts", before + 1)
    assert item.sentence == f"Alerts of this period, {before + 1} of them not closed."
    page = browser_of(desk, review)
    assert f"Alerts: {before + 1}, look at them" in page.text()
    inbox = page.client.get(item.path)
    assert inbox.status_code == 200
    assert "Five failed logins" in inbox.text
    assert "A week too late" not in inbox.text
    assert "Somebody else" not in inbox.text


def test_an_overdue_review_is_one_alert_of_its_tenant(desk: Desk) -> None:
    plan = desk.plan()
    work(desk)
    (review,) = desk.of(plan)
    desk.later(days=3)
    for _ in range(2):
        work(desk)
    title = f"A review is overdue: {review.title}"
    alerts: Alerts = desk.site.app.extensions["audit-alerts"]
    mine = [each for each in alerts.inbox(ANNA, Wanted(state="all")).alerts if each.group == review.id]
    assert [each.title for each in mine] == [title]
    assert re.search(rf"at /reviews/{review.id}\.", mine[0].text)
    assert title not in titles(desk, STRANGER)
