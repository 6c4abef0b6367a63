"""The activity pages on real events."""

import html
import re
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from flask.testing import FlaskClient

from tests.support import events
from tests.support.events import NORD, TEST
from tests.support.web import Site

MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module")
def browser(site: Site) -> FlaskClient:
    return site.signed_in("owner")


@pytest.fixture(scope="module")
def operator(site: Site) -> FlaskClient:
    return site.signed_in("operator")


def text(page: str) -> str:
    """What a reader sees, with spaces as they are shown."""
    bare = re.sub(r"<(script|style|title)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(bare))


def event_count(page: str) -> int:
    return len(re.findall(r'<li class="event ', page))


def links(page: str, words: str) -> list[str]:
    """Addresses of the links whose text or title holds the words."""
    found = re.findall(r'<a [^>]*href="([^"]+)"([^>]*)>(.*?)</a>', page, re.DOTALL)
    return [html.unescape(href) for href, attributes, inner in found if words in attributes + text(inner)]


class TestList:
    """Rows, sentence, form."""

    def test_shows_events_as_sentences_without_bookkeeping_and_says_so(self, browser: FlaskClient) -> None:
        page = browser.get("/activity").text
        assert event_count(page) == 9
        seen = text(page)
        assert "All activity, at any time, bookkeeping left out." in seen
        assert "sofia User changed the status of sales order SO-20261123-0121" in seen
        assert "sofia User deleted product SKU-505856 , but it failed: nothing was changed" in seen
        assert "Monday 23 November 2026" in seen
        assert "times in Europe/Stockholm" in seen
        assert "07:26:46" in seen

    def test_says_that_records_of_no_tenant_are_elsewhere(
        self, browser: FlaskClient, operator: FlaskClient
    ) -> None:
        assert "Records that name no tenant are not among these" in browser.get("/activity").text
        assert "Records that name no tenant" not in operator.get("/activity").text

    def test_keeps_the_form_as_it_was_filled(self, browser: FlaskClient) -> None:
        page = browser.get("/activity?category=orders&entity=SO-*&q=sales&in=message&bookkeeping=1").text
        assert re.search(r'<option value="orders"\s+selected>', page)
        assert 'value="SO-*"' in page
        assert 'value="sales"' in page
        assert re.search(r'<option value="message"\s+selected>', page)
        assert re.search(r'name="bookkeeping"[^>]*checked', page)

    def test_carries_on_what_no_field_can_show(self, browser: FlaskClient) -> None:
        page = browser.get("/activity?category=orders&category=products&not_action=created").text
        assert event_count(page) == 3
        for name, value in (("category", "orders"), ("category", "products"), ("not_action", "created")):
            assert f'<input type="hidden" name="{name}" value="{value}">' in page

    def test_a_value_of_a_row_filters_by_it(self, browser: FlaskClient) -> None:
        (link,) = set(
            links(browser.get("/activity?q=order").text, 'title="Everything about SO-20261123-0121"')
        )
        assert parse_qsl(urlsplit(link).query) == [("q", "order"), ("entity", "SO-20261123-0121")]
        assert event_count(browser.get(link).text) == 2

    def test_the_link_to_exactly_this_shows_exactly_this(self, browser: FlaskClient, site: Site) -> None:
        page = browser.get("/activity?range=30d&user=sofia*").text
        (link,) = links(page, "Link to exactly this")
        colleague = site.signed_in("auditor")
        assert re.findall('/activity/[^"?]+', colleague.get(link).text) == re.findall(
            '/activity/[^"?]+', page
        )

    def test_nothing_found_says_what_was_searched_and_what_to_widen(self, browser: FlaskClient) -> None:
        page = browser.get("/activity?q=nosuchword&range=24h&user=anna").text
        seen = text(page)
        assert "Nothing found Searched: All activity by anna with “nosuchword” in any field" in seen
        for words in ("search all that is kept", "leave the text out", "drop user “anna”"):
            assert links(page, words), words

    def test_what_is_typed_is_text_and_never_markup(self, browser: FlaskClient) -> None:
        page = browser.get('/activity?q=<script>alert(1)</script>&user="><b>x').text
        assert "<script>alert" not in page
        assert "<b>x" not in page

    def test_has_no_script_or_style_inline(self, browser: FlaskClient) -> None:
        page = browser.get("/activity?counts=1").text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
        policy = browser.get("/activity").headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy


class TestJump:
    """A time to begin at, with the way back up."""

    def test_begins_at_the_moment_in_the_readers_zone(self, browser: FlaskClient) -> None:
        page = browser.get("/activity?at=2026-11-23T07:29:50").text
        assert event_count(page) == 3
        assert 'value="2026-11-23T07:29:50"' in page
        assert "Newer" in text(page)
        (newer,) = links(page, 'rel="prev"')
        assert event_count(browser.get(newer).text) == 9

    def test_the_moment_of_an_event_has_that_event(self, browser: FlaskClient) -> None:
        moment = events.sample()[0]["@timestamp"][:26] + "Z"
        assert event_count(browser.get(f"/activity?at={moment}").text) == 1

    def test_a_row_leads_to_all_around_its_time(self, browser: FlaskClient) -> None:
        link = links(browser.get("/activity?category=inventory").text, "All around this time")[0]
        page = browser.get(link).text
        assert event_count(page) > 1
        assert "ADJ-20261123-0008" in page.partition('<li class="event')[2].partition("</li>")[0]

    @pytest.mark.parametrize("at", ["teatime", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_a_time_that_is_none_is_400(self, browser: FlaskClient, at: str) -> None:
        answer = browser.get(f"/activity?at={quote(at)}&q=kept")
        assert answer.status_code == 400
        assert f"Jump to at “{at}” is no date and time" in text(answer.text)

    def test_a_row_excludes_by_a_click(self, browser: FlaskClient) -> None:
        page = browser.get("/activity").text
        found = re.findall(r'href="(/activity\?not_category=orders)"', page)
        assert found
        assert event_count(browser.get(html.unescape(found[0])).text) == 6


class TestProblems:
    """A bad address is 400, with its field marked and the form kept."""

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("from=nonsense&q=kept", "“nonsense” is no date and time"),
            ("ip=10.0.0.300&q=kept", "10.0.0.300 is no IP address"),
            ("category=nosuch&q=kept", "“nosuch” is none of the category values offered"),
            ("usr=anna&q=kept", "There is no such filter"),
            # Times that have no equal in other zones.
            ("from=0001-01-01T00:00:00%2B14:00&q=kept", "is no date and time"),
            ("to=9999-12-31T23:59:59-14:00&q=kept", "is no date and time"),
        ],
    )
    def test_are_named(self, browser: FlaskClient, address: str, words: str) -> None:
        answer = browser.get(f"/activity?{address}")
        assert answer.status_code == 400
        assert words in text(answer.text)
        assert 'value="kept"' in answer.text
        assert browser.get(f"/activity/counts?{address}").status_code == 400

    @pytest.mark.parametrize("cursor", ["x", "å", "A" * 60, "%00"])
    def test_a_page_that_never_was_is_404(self, browser: FlaskClient, cursor: str) -> None:
        assert browser.get(f"/activity?cursor={cursor}").status_code == 404


class TestCounts:
    """Histogram and facets, with and without script."""

    def test_come_after_the_rows_for_a_script(self, browser: FlaskClient) -> None:
        page = browser.get("/activity?category=orders").text
        assert 'class="histogram"' not in page
        source = re.search(r'data-counts="([^"]+)"', page)
        assert source
        counts = text(browser.get(html.unescape(source[1])).text)
        assert "3 events" in counts
        assert "sales order 2" in counts

    def test_come_with_the_page_for_a_link(self, browser: FlaskClient) -> None:
        (link,) = links(browser.get("/activity").text, "Show counts")
        assert "9 events, 2 failed" in text(browser.get(link).text)

    def test_a_facet_includes_and_excludes(self, browser: FlaskClient) -> None:
        page = browser.get("/activity/counts").text
        assert event_count(browser.get(links(page, 'title="Only authentication"')[0]).text) == 2
        assert event_count(browser.get(links(page, 'title="Without authentication"')[0]).text) == 7

    def test_a_facet_is_counted_without_its_own_choice(self, browser: FlaskClient) -> None:
        seen = text(browser.get("/activity/counts?category=orders&user=sofia*").text)
        assert "3 events" in seen
        assert "Category orders 3 - products 2 -" in seen.replace(MINUS, "-")
        assert "authentication 1" in seen
        assert "Action created 2 - status changed 1 -" in seen.replace(MINUS, "-")

    def test_a_bar_narrows_to_its_time(self, browser: FlaskClient) -> None:
        page = browser.get("/activity/counts").text
        bars = re.findall(r'<a href="([^"]+)"\s+aria-label="[^"]*: (\d+) events?', page)
        assert bars
        for link, count in bars:
            assert event_count(browser.get(html.unescape(link)).text) == int(count)

    @pytest.mark.parametrize(
        "window",
        [
            "from=2026-11-23T06:33:00Z&to=2026-11-23T09:10:00Z",
            "from=2026-11-23T06:28:30Z&to=2026-11-23T06:31Z",
        ],
        ids=["minutes", "seconds"],
    )
    def test_a_bar_at_the_edge_leads_to_the_events_that_it_counts(
        self, browser: FlaskClient, window: str
    ) -> None:
        page = browser.get(f"/activity/counts?{window}").text
        bars = re.findall(r'<a href="([^"]+)"\s+aria-label="[^"]*: (\d+) events?', page)
        counted = [int(count) for _, count in bars]
        assert [event_count(browser.get(html.unescape(link)).text) for link, _ in bars] == counted
        assert sum(counted) == event_count(browser.get(f"/activity?{window}").text) > 0


class TestEvent:
    """The page of one event."""

    def test_shows_before_and_after_and_its_request(self, browser: FlaskClient) -> None:
        changed, created = events.sample()[6]["event"]["id"], events.sample()[3]["event"]["id"]
        seen = text(browser.get(f"/activity/{changed}").text)
        assert "What changed Field Before After" in seen
        assert "Name =SUM(A1:A2) mug 货架 A" in seen
        assert "Reorder point empty 86" in seen
        seen = text(browser.get(f"/activity/{created}").text)
        assert "What was created" in seen
        assert "The same request 2 records" in seen
        assert "Read from SmartWMS's structured (JSON) log." in seen

    def test_a_change_that_never_happened_is_said_so(self, browser: FlaskClient) -> None:
        failed = events.sample()[7]["event"]["id"]
        assert "This change never happened" in text(browser.get(f"/activity/{failed}").text)

    def test_missing_user_and_address_are_explained(self, browser: FlaskClient) -> None:
        silent = events.sample()[9]["event"]["id"]
        seen = text(browser.get(f"/activity/{silent}").text)
        assert "No user: SmartWMS as shipped" in seen
        assert "No address: SmartWMS as shipped" in seen


class TestOperator:
    """Somebody who sees all tenants."""

    def test_sees_whose_an_event_is_and_can_choose_one(self, operator: FlaskClient) -> None:
        page = operator.get("/activity").text
        assert event_count(page) == 18
        assert "All tenants · times in UTC" in text(page)
        assert "Nord Logistik" in page
        page = operator.get(f"/activity?tenant={NORD}").text
        assert event_count(page) == 9
        assert "Nord Logistik · times in Asia/Tokyo" in text(page)
        assert f"All activity of tenant {NORD}" in text(page)

    def test_sees_events_of_no_tenant(self, operator: FlaskClient) -> None:
        page = operator.get("/activity?tenant=-").text
        assert "Nothing found" in page
        assert "No tenant" in page


class TestTrail:
    """Searching and opening are recorded; counting is no way around it."""

    def test_a_search_is_recorded_with_its_sentence(self, own_site: Site) -> None:
        browser = own_site.signed_in("owner")
        browser.get("/activity?category=orders", headers={"User-Agent": "Test/1"})
        entry = own_site.trail()[-1]
        assert {name: entry[name] for name in entry if name not in {"@t", "RequestId"}} == {
            "Action": "searched",
            "Message": "owner searched: All activity in orders, at any time, bookkeeping left out.",
            "Sentence": "All activity in orders, at any time, bookkeeping left out.",
            "Outcome": "success",
            "StatusCode": 200,
            "TenantId": TEST,
            "UserId": "owner",
            "UserName": "owner",
            "Query": "category=orders",
            "IpAddress": "127.0.0.1",
            "UserAgent": "Test/1",
            "Method": "GET",
            "Path": "/activity",
        }

    def test_opening_is_recorded_with_what_was_opened(self, own_site: Site) -> None:
        browser = own_site.signed_in("owner")
        browser.get(f"/activity/{events.sample()[3]['event']['id']}")
        entry = own_site.trail()[-1]
        assert (entry["Action"], entry["EntityType"], entry["EntityId"]) == (
            "viewed",
            "SalesOrder",
            "211bcda3-9c96-494f-8a80-38e6a8de09ba",
        )

    def test_counts_are_recorded_unless_their_page_was(self, own_site: Site) -> None:
        browser, colleague = own_site.signed_in("owner"), own_site.signed_in("auditor")
        source = re.search(r'data-counts="([^"]+)"', browser.get("/activity?q=order").text)
        assert source
        address = html.unescape(source[1])
        before = len(own_site.trail())
        browser.get(address)
        assert len(own_site.trail()) == before
        browser.get(address.replace("q=order", "q=pallet"))
        browser.get("/activity/counts?q=order")
        colleague.get(address)
        assert [entry["Query"] for entry in own_site.trail()[before:]] == ["q=pallet", "q=order", "q=order"]
