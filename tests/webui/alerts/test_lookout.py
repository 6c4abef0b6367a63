"""An agent that falls silent is an alert of the operators, once for each silence."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from agent import health
from indexer.documents import Documents
from indexer.search import EventSearch
from tests.support import reporting
from tests.support.alerting import NOON, Watched
from tests.support.events import TEST
from tests.support.web import Site
from webui.alerts import assembly, lookout
from webui.alerts.alert import Alert, State, Verdict
from webui.alerts.assembly import make_raising
from webui.alerts.book import KIND, Book
from webui.alerts.condition import Template
from webui.alerts.lookout import Lookout
from webui.alerts.monitor import EVERY_TENANT
from webui.alerts.monitors import Monitors
from webui.notification.assembly import make_deliveries

MINUTE = timedelta(minutes=1)


@dataclass
class Watching:
    """A lookout, as `jobs run` has one, and the store that it looks into."""

    watch: Watched
    lookout: Lookout

    def look(self, *minutes: float) -> list[Alert]:
        """Look at these minutes after noon; the alerts there are then."""
        for each in minutes:
            self.watch.now = NOON + each * MINUTE
            assert self.lookout.work() is False
        return self.watch.alerts()

    def report(self, minute: float, host: str = "app-1", how: health.State | None = None) -> None:
        reporting.report(self.watch.client, self.watch.store.prefix, host, NOON + minute * MINUTE, how)


@pytest.fixture
def watching(watch: Watched) -> Watching:
    search = EventSearch(watch.client, watch.store.prefix)
    raising = make_raising(watch.client, watch.store.prefix)
    return Watching(watch, Lookout(search, watch.monitors, raising, watch.clock))


def test_one_that_falls_silent_is_one_alert_however_long_it_lasts(watching: Watching) -> None:
    watching.report(0)
    assert watching.look(14) == []
    [alert] = watching.look(15.1, 16.1)
    assert alert.title == "The agent on app-1 has fallen silent"
    assert "It reported last at 2026-11-23 12:00 UTC" in alert.text
    assert (alert.owner, alert.source, alert.group) == (EVERY_TENANT, "agent", "app-1")
    assert len(watching.look(17.2, 30, 89, 148, 207, 60 * 24)) == 1


def test_each_agent_is_one_of_its_own(watching: Watching) -> None:
    for host in ("app-1", "app-2"):
        watching.report(0, host)
    watching.report(14, "app-3")
    assert {each.group for each in watching.look(16, 18)} == {"app-1", "app-2"}


def test_reports_that_waited_for_the_store_come_before_anybody_is_told(watching: Watching) -> None:
    watching.report(0)
    assert watching.look(40) == []
    watching.report(39)
    assert watching.look(41, 42) == []


def test_one_that_is_not_healthy_is_not_silent(watching: Watching) -> None:
    watching.report(0, how=reporting.state("it is late"))
    assert watching.look(5, 10, 14.9) == []


def test_one_that_never_reported_is_not_missed(watching: Watching) -> None:
    watching.watch.happen({"host.name": "app-9"}, at=NOON)
    assert watching.look(60, 62, 64) == []


def test_one_that_speaks_and_is_silent_again_within_the_hour_is_the_same_alert(watching: Watching) -> None:
    watching.report(0)
    assert len(watching.look(16, 17)) == 1
    watching.report(18)
    assert len(watching.look(19, 34, 35)) == 1


def test_after_an_hour_without_silence_the_next_one_is_a_new_alert(watching: Watching) -> None:
    watching.report(0)
    [first] = watching.look(16, 17)
    watching.report(90)
    second = watching.look(91, 106, 107)
    assert [each.number for each in sorted(second, key=lambda each: each.number)] == [1, 2]
    assert second[0].key == first.key


def test_one_that_was_closed_is_not_opened_again_while_the_silence_lasts(watching: Watching) -> None:
    watching.report(0)
    [alert] = watching.look(16, 17)
    book = Book(Documents(watching.watch.client, watching.watch.store.prefix, KIND))
    held = book.get(alert.id)
    assert held
    assert book.replace(held, replace(held.alert, state=State.CLOSED, verdict=Verdict.BENIGN))
    assert [each.state for each in watching.look(18, 40, 80)] == [State.CLOSED]


def test_the_channels_of_the_operators_monitors_are_told_once(watching: Watching) -> None:
    watching.watch.monitor(owner=EVERY_TENANT, channels=("duty",))
    watching.watch.monitor(owner=EVERY_TENANT, channels=("off-duty",), on=False)
    watching.watch.monitor(owner=TEST, channels=("theirs",))
    deliveries = make_deliveries(watching.watch.client, watching.watch.store.prefix)
    deliveries.prepare()
    watching.report(0)
    [alert] = watching.look(16, 17, 18, 30)
    assert alert.channels == ("duty",)
    held = deliveries.get(f"{alert.message_id}@duty")
    assert held
    assert held.delivery.message.type == "agent.silent"
    assert held.delivery.message.title == "The agent on app-1 has fallen silent"
    assert deliveries.get(f"{alert.message_id}@theirs") is None


def test_operators_find_it_in_their_inbox_and_nobody_else_does(
    own_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the chores of `audit-webui jobs run`, as they are put together there."""
    for name, value in own_site.store.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(lookout, "LOOKS_EVERY", timedelta())
    at = datetime.now(UTC) - timedelta(hours=1)
    reporting.report(own_site.client, own_site.store.prefix, "app-1", at)
    chores = assembly.chores()
    for _ in range(2):
        assert [chore() for chore in chores] == [False] * len(chores)
    said = "The agent on app-1 has fallen silent"
    assert own_site.signed_in("operator").get("/alerts").text.count(said) == 1
    for name in ("auditor", "admin", "stranger"):
        assert said not in own_site.signed_in(name).get("/alerts?state=all").text


def test_without_a_store_of_monitors_it_still_raises(watching: Watching) -> None:
    prefix = watching.watch.store.prefix
    others = Monitors(Documents(watching.watch.client, f"{prefix}-nosuch", "monitors"))
    raising = make_raising(watching.watch.client, prefix)
    search = EventSearch(watching.watch.client, prefix)
    lonely = Watching(watching.watch, Lookout(search, others, raising, watching.watch.clock))
    lonely.report(0)
    assert len(lonely.look(16, 17)) == 1


def test_a_report_is_no_tampering(watching: Watching) -> None:
    watching.watch.monitor(Template.AUDIT_TAMPERING, owner=EVERY_TENANT)
    watching.watch.look()
    watching.report(-1, how=reporting.state("the source app has fallen silent while its neighbours speak"))
    assert watching.watch.look() == []
    watching.watch.happen({"event.category": "audit", "event.action": "fell_silent", "tenant.id": "-"})
    assert len(watching.watch.look()) == 1
