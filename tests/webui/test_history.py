"""The history of one entity, what it was at any moment, and the page of one user."""

import html
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.support import events
from tests.support.events import MORNING, NORD, SOFIA, TEST
from tests.support.web import Site
from webui.history.service import PAGE_COUNT

ORDER = "211bcda3-9c96-494f-8a80-38e6a8de09ba"
PRODUCT = "7d4a0f4e-0a4c-4c1b-9a53-6a1f0e8f2a99"
NUMBER = "SKU-700001"
LONG = "Keep upright and away from heat, never stack more than four of them"


def told(number: int, action: str, **fields: object) -> events.Document:
    """A change of the product, `number` minutes after the sample's morning began."""
    entity = {"type": "Product", "id": PRODUCT, "number": NUMBER}
    made = {name.replace("__", "."): value for name, value in fields.items()}
    return events.document(number, {"entity": entity, "event.action": action, **made})


LIFE = [
    told(200, "created", change__after={"Name": "Mug", "Stock": 10, "Notes": LONG, "Status": "InStock"}),
    told(
        201,
        "updated",
        change__before={"Stock": 10, "Status": "InStock"},
        change__after={"Stock": 2, "Status": "RunningLow"},
    ),
    told(
        202,
        "updated",
        event__outcome="failure",
        change__before={"Stock": 2},
        change__after={"Stock": 999},
    ),
    told(
        203,
        "updated",
        change__before={"Notes": LONG, "UpdatedAt": None},
        change__after={"Notes": LONG.replace("four", "five"), "UpdatedAt": "2026-11-23T09:49:46.1234567Z"},
    ),
    told(
        204,
        "updated",
        event__outcome="unknown",
        event__flags=["incomplete_request"],
        change__before={"Name": "Mug"},
        change__after={"Name": "Cup"},
    ),
    told(205, "updated", event__flags=["bookkeeping"], change__after={"UpdatedAt": "x"}, message="renewed"),
    told(206, "read", event__category="api", message="sofia User read the product"),
    told(207, "deleted", change__before={"Name": "Mug", "Stock": 2, "Status": "RunningLow"}),
]
# An entity whose creation was before the log began.
OLD = [
    events.document(
        300 + number,
        {
            "entity": {"type": "Location", "id": "5d1c", "number": "A-01"},
            "change.before": {"Zone": zone, "Height": 3},
            "change.after": {"Zone": zone + 1, "Height": 3},
        },
    )
    for number, zone in enumerate((1, 2))
]
# Two entities under one number.
SHARED = [
    events.document(
        320 + number, {"entity": {"type": "StockLevel", "id": f"level-{number}", "number": NUMBER}}
    )
    for number in range(2)
]


@pytest.fixture(scope="module")
def browser(site: Site) -> FlaskClient:
    events.load(site.client, site.store.prefix, [*LIFE, *OLD, *SHARED])
    return site.signed_in("owner")


def text(page: str) -> str:
    bare = re.sub(r"<(script|style|title|option)\b.*?</\1>|</?mark>|<[^>]+>", squeezed, page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(bare))


def squeezed(found: re.Match[str]) -> str:
    return "" if "mark" in found[0] else " "


def at(minutes: float) -> str:
    return (MORNING + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


class TestTimeline:
    """Who, when, what, and what was it before."""

    def test_tells_every_change_the_newest_first(self, browser: FlaskClient) -> None:
        page = browser.get(f"/history/Product/{PRODUCT}").text
        kinds = re.findall(r'<li class="entry (\w+)"', page)
        assert kinds == ["deleted", "unsure", "changed", "never", "changed", "created"]

    def test_quantities_have_a_sign_and_a_status_is_words(self, browser: FlaskClient) -> None:
        seen = text(browser.get(f"/history/Product/{PRODUCT}").text)
        assert "Stock 10 → 2 \N{MINUS SIGN}8" in seen
        assert "Status In stock → Running low" in seen

    def test_long_text_is_compared_word_by_word(self, browser: FlaskClient) -> None:
        page = browser.get(f"/history/Product/{PRODUCT}").text
        assert "<mark>four</mark>" in page
        assert "<mark>five</mark>" in page

    def test_what_never_happened_is_said_so(self, browser: FlaskClient) -> None:
        seen = text(browser.get(f"/history/Product/{PRODUCT}").text)
        assert "Never happened: the database refused it" in seen
        assert "Whether it took effect is unknown" in seen

    def test_bookkeeping_and_requests_are_hidden_but_there(self, browser: FlaskClient) -> None:
        hidden = text(browser.get(f"/history/Product/{PRODUCT}").text)
        assert "renewed" not in hidden
        assert "read the product" not in hidden
        assert "1 bookkeeping field" in hidden
        shown = text(browser.get(f"/history/Product/{PRODUCT}?requests=1&bookkeeping=1").text)
        assert "renewed" in shown
        assert "read the product" in shown

    def test_is_found_by_number_too_in_any_case(self, browser: FlaskClient) -> None:
        assert f"<code>{PRODUCT}</code>" in browser.get(f"/history/Product/{NUMBER.lower()}").text
        answer = browser.get(f"/history?type=Product&id={NUMBER}")
        assert answer.location == f"/history/Product/{NUMBER}"
        assert "Number or id" in browser.get("/history").text

    def test_a_number_that_several_bear_is_said_so(self, browser: FlaskClient) -> None:
        seen = text(browser.get(f"/history/StockLevel/{NUMBER}").text)
        assert "2 of them bear this number" in seen
        assert "bear this number" not in browser.get("/history/StockLevel/level-1").text

    def test_goes_on_without_a_limit(self, own_site: Site) -> None:
        many = [told(400 + each, "updated", change__after={"N": each}) for each in range(PAGE_COUNT + 3)]
        events.load(own_site.client, own_site.store.prefix, many)
        owner = own_site.signed_in("owner")
        page = owner.get(f"/history/Product/{PRODUCT}").text
        assert page.count('<li class="entry') == PAGE_COUNT
        older = re.search(r'href="([^"]+)"\s+rel="next"', page)
        assert older
        last = owner.get(html.unescape(older[1])).text
        assert last.count('<li class="entry') == 3
        assert own_site.signed_in("stranger").get(html.unescape(older[1])).status_code == 404

    def test_the_event_leads_to_it_and_the_link_is_plain(self, browser: FlaskClient, site: Site) -> None:
        page = browser.get(f"/activity/{LIFE[0]['event']['id']}").text
        assert f'href="/history/Product/{PRODUCT}"' in page
        answer = site.browser().get(f"/history/Product/{PRODUCT}")
        assert answer.location == f"/sign-in?next=/history/Product/{PRODUCT}"


class TestState:
    """What it was at any moment, and what the log cannot tell."""

    @pytest.mark.parametrize(
        ("minutes", "words"),
        [
            (199.0, "It did not exist yet"),
            (200.5, "Stock 10"),
            (201.5, "Stock 2"),
            (202.5, "Stock 2"),
            (203.5, "five of them"),
            (207.5, "It had been deleted"),
        ],
    )
    def test_is_put_together_from_changes(self, browser: FlaskClient, minutes: float, words: str) -> None:
        assert words in text(browser.get(f"/state/Product/{PRODUCT}?at={at(minutes)}").text)

    def test_the_link_beside_a_change_shows_what_it_made_of_it(self, browser: FlaskClient) -> None:
        page = browser.get(f"/history/Product/{PRODUCT}").text
        links = re.findall(r'href="([^"]+)">state then</a>', page)
        assert len(links) == 4
        assert "It had been deleted" in text(browser.get(html.unescape(links[0])).text)
        assert "five of them" in text(browser.get(html.unescape(links[1])).text)
        assert "Stock 2" in text(browser.get(html.unescape(links[2])).text)
        assert "Stock 10" in text(browser.get(html.unescape(links[3])).text)

    def test_a_change_of_unknown_end_is_not_counted_in(self, browser: FlaskClient) -> None:
        seen = text(browser.get(f"/state/Product/{PRODUCT}?at={at(204.5)}").text)
        assert "Name Mug" in seen
        assert "1 change before that moment may or may not have taken effect" in seen

    def test_what_later_changes_tell_is_used_and_the_rest_is_said_to_be_unknown(
        self, browser: FlaskClient
    ) -> None:
        seen = text(browser.get(f"/state/Location/5d1c?at={at(250)}").text)
        assert "Zone 1 a later change" in seen
        assert "Its creation is not in the log" in seen
        assert "Zone 2" in text(browser.get(f"/state/Location/5d1c?at={at(300.5)}").text)

    def test_a_time_that_is_none_is_400_and_kept(self, browser: FlaskClient) -> None:
        answer = browser.get(f"/state/Product/{PRODUCT}?at=teatime")
        assert answer.status_code == 400
        assert "“teatime” is no date and time" in text(answer.text)
        assert 'value="teatime"' in answer.text


class TestComparison:
    """Any two versions, in either order."""

    def test_shows_what_became_of_it(self, browser: FlaskClient) -> None:
        first, last = LIFE[0]["event"]["id"], LIFE[3]["event"]["id"]
        for a, b in ((first, last), (last, first)):
            seen = text(browser.get(f"/compare/Product/{PRODUCT}?a={a}&b={b}").text)
            assert "Stock 10 → 2 \N{MINUS SIGN}8" in seen
            assert "Status In stock → Running low" in seen

    def test_needs_two(self, browser: FlaskClient) -> None:
        assert browser.get(f"/compare/Product/{PRODUCT}?a=x").status_code == 400
        assert browser.get(f"/compare/Product/{PRODUCT}?a=x&b=y").status_code == 404


class TestUser:
    """One user through time."""

    @pytest.fixture
    def page(self, own_site: Site) -> str:
        number = 500
        local = {"hour": 7, "weekday": 1, "zone": "Europe/Stockholm"}
        role = {"type": "ApplicationUser", "id": SOFIA["id"]}
        more: list[dict[str, object]] = [
            {"event.category": "api", "event.action": "exported", "message": "sofia User exported a report"},
            {
                "event.category": "users",
                "event.action": "role_changed",
                "entity": role,
                "user": events.LI,
                "message": "li D'Arc gave a role to sofia User",
            },
        ]
        made = [events.document(number + each, {"local": local, **row}) for each, row in enumerate(more)]
        events.load(own_site.client, own_site.store.prefix, made)
        return text(own_site.signed_in("owner").get(f"/users/{SOFIA['id']}?range=365d").text)

    def test_shows_hours_addresses_agents_exports_and_permissions(self, page: str) -> None:
        assert "sofia User" in page
        assert "sofia.nunez@test001.example" in page
        assert re.search(r"Mon 0 0 0 0 0 0 0 1 0", page)
        assert "203.0.113.16" in page
        assert "Firefox/133.0" in page
        assert "exported a report" in page
        assert "gave a role to" in page

    def test_is_404_for_who_is_unknown_and_for_a_stranger(self, browser: FlaskClient, site: Site) -> None:
        assert browser.get("/users/nobody").status_code == 404
        assert site.signed_in("stranger").get(f"/users/{SOFIA['id']}").status_code == 404
        assert browser.get(f"/users/{SOFIA['id']}?range=ever").status_code == 400


def test_another_tenants_history_is_not_there(browser: FlaskClient, site: Site) -> None:
    stranger = site.signed_in("stranger")
    ids = f"a={LIFE[0]['event']['id']}&b={LIFE[1]['event']['id']}"
    for path in (
        f"/history/Product/{PRODUCT}",
        f"/state/Product/{PRODUCT}",
        f"/compare/Product/{PRODUCT}?{ids}",
    ):
        assert browser.get(path).status_code == 200
        assert stranger.get(path).status_code == 404
    # The same order number lives in both tenants; each sees its own.
    page = stranger.get(f"/history/SalesOrder/{ORDER}").text
    assert "Marta Berg" in page
    assert "sofia" not in page
    assert NORD != TEST


def test_opening_is_recorded_with_what_was_opened(own_site: Site) -> None:
    own_site.signed_in("owner").get(f"/history/SalesOrder/{ORDER}")
    entry = own_site.trail()[-1]
    assert (entry["Action"], entry["EntityType"], entry["EntityId"]) == ("viewed", "SalesOrder", ORDER)
    assert entry["Message"] == "owner opened the history of sales order SO-20261123-0121"


@pytest.mark.parametrize("turned", [False, True], ids=["as they came", "turned"])
def test_versions_of_one_moment_are_compared_in_the_order_of_the_history(site: Site, *, turned: bool) -> None:
    kind = "TiedTurned" if turned else "Tied"
    chosen = (910, 911) if turned else (900, 901)
    numbers = sorted(chosen, key=lambda each: events.document(each)["event"]["id"])
    made = [
        events.document(
            number,
            {
                "@timestamp": "2026-11-23T10:00:00.000Z",
                "entity": {"type": kind, "id": "tied-1", "number": "TIED-1"},
                "change": {"before": {"Stock": stock}, "after": {"Stock": stock + 1}, "fields": ["Stock"]},
            },
        )
        for number, stock in zip(numbers, (1, 2), strict=True)
    ]
    events.load(site.client, site.store.prefix, made)
    ids = [each["event"]["id"] for each in made]
    a, b = reversed(ids) if turned else ids

    seen = text(site.signed_in("owner").get(f"/compare/{kind}/tied-1?a={a}&b={b}").text)

    assert "Stock 2 → 3 +1" in seen


@pytest.mark.parametrize("span", ["30d", "365d"])
def test_the_numbers_of_a_user_lead_to_exactly_their_events(site: Site, span: str) -> None:
    long_ago = f"{site.clock() - timedelta(days=500):%Y-%m-%dT%H:%M:%S.000Z}"
    lately = f"{site.clock() - timedelta(days=1):%Y-%m-%dT%H:%M:%S.000Z}"
    who = {"id": f"u-{span}", "name": "Pia Falk", "email": f"pia-{span}@test001.example"}
    by_mail = {"email": who["email"]}
    start = 1000 + len(span)
    made = [
        events.document(start + 10, {"@timestamp": lately, "user": who}),
        events.document(start + 20, {"@timestamp": lately, "user": by_mail}),
        events.document(start + 30, {"@timestamp": long_ago, "user": who}),
    ]
    events.load(site.client, site.store.prefix, made)
    browser = site.signed_in("owner")

    page = browser.get(f"/users/u-{span}?range={span}").text

    address = re.search(r'href="(/activity\?[^"]*ip=203[^"]*)"[^>]*>203.0.113.16</a></th><td>(\d+)<', page)
    assert address
    assert int(address[2]) == 2
    assert len(re.findall('class="when"', browser.get(html.unescape(address[1])).text)) == 2
