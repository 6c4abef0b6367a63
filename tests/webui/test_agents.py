"""The agents: an operator sees how each is, on a page and on the overview; nobody else sees any."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from agent import health
from indexer.agents import State
from indexer.query import OPERATOR, Scope
from tests.support import events, reporting
from tests.support.events import MORNING, TEST
from tests.support.store import Store
from tests.support.web import Site, build
from webui.agents.page import duration_text, size_text
from webui.agents.service import Agents
from webui.tenancy import NotHereError, Reader

PATH = "/admin/agents"
NOW = MORNING + timedelta(hours=2)
WHO = Reader("operator", OPERATOR)


def words(site: Site, who: str, path: str = PATH) -> str:
    page = site.signed_in(who).get(path)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text)))


def set_clock(site: Site, to: datetime) -> datetime:
    site.clock.ahead = to - datetime.now(UTC)
    return to


def reported(site: Site, host: str, at: datetime, how: health.State | None = None) -> None:
    reporting.report(site.client, site.store.prefix, host, at, how)


@pytest.fixture(scope="module")
def shipping(module_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A healthy agent, one with troubles, one that is silent, and a server (`vm`) that only sends events."""
    site = build(module_store, tmp_path_factory.mktemp("site"))
    now = set_clock(site, NOW)
    reported(site, "app-1", now - timedelta(minutes=2), reporting.state(stored=4_321))
    troubles = reporting.state(
        "the store gives no usable answer: 503",
        "the source nginx has fallen silent while its neighbours speak",
        sources=[reporting.source("app", 3_500_000, 754.0), reporting.source("nginx", silent=True)],
    )
    reported(site, "app-2", now - timedelta(minutes=3), troubles)
    reported(site, "app-3", now - timedelta(days=2))
    yield site
    site.client.close()


@pytest.fixture
def fleet(shipping: Site) -> Site:
    """The same, as it is at NOW: the clock has gone on since the reports were stored."""
    set_clock(shipping, NOW)
    return shipping


class TestThePage:
    def test_says_how_many_are_how(self, fleet: Site) -> None:
        assert "1 silent, 1 not healthy, 1 has not reported, 1 healthy" in words(fleet, "operator")

    def test_shows_those_that_need_a_person_first(self, fleet: Site) -> None:
        page = words(fleet, "operator")
        places = [page.index(f" {host} ") for host in ("app-3", "app-2", "vm", "app-1")]
        assert places == sorted(places)

    def test_a_healthy_one(self, fleet: Site) -> None:
        page = words(fleet, "operator")
        assert "app-1 healthy 0 s 1 source app 0 s 2 min ago 23 Nov 2026, 08:24" in page
        assert "4,321 since 23 Nov 2026, 00:24" in page

    def test_one_with_troubles_says_them_plainly(self, fleet: Site) -> None:
        page = words(fleet, "operator")
        assert "not healthy the store gives no usable answer: 503 the source nginx has fallen silent" in page
        assert "12 min 34 s 3.3 MiB 2 sources app 12 min 34 s, 3.3 MiB nginx 0 s" in page
        assert "nginx 0 s silent while its neighbours speak" in page

    def test_of_a_silent_one_nothing_is_said_as_if_it_were_of_now(self, fleet: Site) -> None:
        page = words(fleet, "operator")
        assert "app-3 silent No event came for a day. was 0 s" in page
        assert "2 d ago 21 Nov 2026, 08:26" in page

    def test_one_that_never_reported(self, fleet: Site) -> None:
        assert "vm has not reported not known never; its last event came 1 h 56 min ago" in words(
            fleet, "operator"
        )

    def test_before_the_first_agent_it_says_what_to_do(self, own_site: Site) -> None:
        set_clock(own_site, MORNING + timedelta(days=60))
        page = words(own_site, "operator")
        assert "No agent is known yet" in page
        assert "audit-agent check" in page

    def test_what_an_agent_says_is_only_text(self, own_site: Site) -> None:
        now = set_clock(own_site, MORNING + timedelta(hours=2))
        reported(own_site, "<i>app</i>", now, reporting.state("<script>alert(1)</script>"))
        page = own_site.signed_in("operator").get(PATH).text
        assert "<script>alert" not in page
        assert "<i>app</i>" not in page
        assert "&lt;script&gt;alert(1)" in page


class TestWhoSeesThem:
    @pytest.mark.parametrize("who", ["owner", "auditor", "admin", "stranger"])
    def test_nobody_of_a_tenant_does(self, fleet: Site, who: str) -> None:
        browser = fleet.signed_in(who)
        assert browser.get(PATH).status_code == 403
        overview = browser.get("/").text
        assert "app-1" not in overview
        assert PATH not in overview
        if who == "admin":
            assert PATH not in browser.get("/admin").text

    def test_nor_does_the_service_answer_them(self, fleet: Site) -> None:
        agents: Agents = fleet.app.extensions["audit-agents"]
        with pytest.raises(NotHereError):
            agents.all(Reader("admin", Scope(TEST)))
        assert agents.all(WHO).count(State.SILENT) == 1

    def test_a_tenant_cannot_find_their_reports(self, fleet: Site) -> None:
        assert "reports:" not in words(fleet, "admin", "/activity?bookkeeping=1&category=audit")

    def test_an_operator_finds_them_among_bookkeeping(self, fleet: Site) -> None:
        asked = "/activity?category=audit&action=reported&tenant="
        assert "reports:" not in words(fleet, "operator", asked)
        assert "The agent on app-1 reports: healthy, 0 s behind" in words(
            fleet, "operator", f"{asked}&bookkeeping=1"
        )


class TestTheOverview:
    def test_an_operator_sees_each_with_its_lag(self, fleet: Site) -> None:
        page = words(fleet, "operator", "/")
        assert "Agents app-3 silent last report 2 d ago" in page
        assert "app-2 not healthy 12 min 34 s, 3.3 MiB behind" in page
        assert "app-1 healthy 0 s behind" in page

    def test_many_are_cut_short_and_the_rest_is_counted(self, own_site: Site) -> None:
        now = set_clock(own_site, MORNING + timedelta(days=60))
        for number in range(10):
            reported(own_site, f"app-{number}", now)
        page = words(own_site, "operator", "/")
        assert "app-7" in page
        assert "app-8" not in page
        assert "and 2 more" in page


@pytest.mark.parametrize(
    ("secs", "says"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (754, "12 min 34 s"),
        (3600, "1 h"),
        (11_100, "3 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units(secs: float, says: str) -> None:
    assert duration_text(secs) == says


@pytest.mark.parametrize(
    ("size", "says"), [(0, "0 B"), (1023, "1,023 B"), (1536, "1.5 KiB"), (5 * 1024**4, "5.0 TiB")]
)
def test_a_size_has_the_unit_that_fits(size: int, says: str) -> None:
    assert size_text(size) == says


def test_a_server_is_known_by_what_it_sends(own_site: Site) -> None:
    """Also when it sends again after all of its reports are over."""
    now = set_clock(own_site, MORNING + timedelta(days=60))
    written = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    fields = {"@timestamp": written, "event.ingested": written, "host.name": "app-1"}
    events.load(own_site.client, own_site.store.prefix, [events.document(7, fields)])
    reported(own_site, "app-1", now - timedelta(days=40))
    agents: Agents = own_site.app.extensions["audit-agents"]
    [agent] = agents.all(WHO).agents
    assert (agent.host, agent.state(now)) == ("app-1", State.UNREPORTED)
