"""Names and values that clients choose to be misread: they are shown as what they are."""

import html
import re

import pytest
from flask.testing import FlaskClient

from tests.support import events
from tests.support.web import Site
from webui import wording

# Shown by a browser as "annaexe.png": what follows the first character that is not seen runs to the left.
TURNED = "anna\u202egnp.exe"


@pytest.fixture(scope="module")
def browser(site: Site) -> FlaskClient:
    odd = {
        "user": {"name": TURNED, "id": "u-turned"},
        "message": f"{TURNED} changed odd ODD-1",
        "entity": {"type": "Odd", "id": "odd-1", "number": "ODD-1"},
        "change": {"before": {"Notes": "a\x00b"}, "after": {"Notes": "a\u200bb"}, "fields": ["Notes"]},
    }
    events.load(site.client, site.store.prefix, [events.document(900, odd)])
    return site.signed_in("auditor")


def seen(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.replace("</td>", " ")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TURNED, "anna[U+202E]gnp.exe"),
        ("a\x00\x1b[31mb\x7f\x85", "a[U+0000][U+001B][31mb[U+007F][U+0085]"),
        ("ad\u200bmin\ufeff", "ad[U+200B]min[U+FEFF]"),
        ("two\nlines\tand\r\na tab", "two\nlines\tand\r\na tab"),
        ("Ken Åström, שלום, 張偉, 👩\u200d🔧", "Ken Åström, שלום, 張偉, 👩\u200d🔧"),
    ],
    ids=["turned", "controls", "zero width", "lines", "people's languages"],
)
def test_what_nobody_sees_is_written_out_and_what_people_write_stays(text: str, shown: str) -> None:
    assert wording.plain(text) == shown


@pytest.mark.parametrize("path", ["/activity?type=Odd", "/history/Odd/odd-1", "/users/u-turned"])
def test_no_page_lets_a_name_turn_what_stands_after_it(browser: FlaskClient, path: str) -> None:
    page = browser.get(path).text

    assert "anna[U+202E]gnp.exe" in seen(page)
    assert "\u202e" not in page


def test_an_event_tells_apart_values_that_look_alike(browser: FlaskClient) -> None:
    link = re.search(r'href="(/activity/[\w-]+)"', browser.get("/activity?type=Odd").text)
    assert link
    row = re.search(r'<tr class="changed.*?</tr>', browser.get(link[1]).text, re.DOTALL)

    assert row
    assert seen(row[0]).split() == ["Notes", "a[U+0000]b", "a[U+200B]b"]


def test_the_form_keeps_what_was_asked_for(browser: FlaskClient) -> None:
    page = browser.get("/activity", query_string={"user": TURNED}).text

    assert re.findall(r'name="user"[^>]*value="([^"]*)"', page, re.DOTALL) == [TURNED, TURNED]
    assert len(re.findall('class="when"', page)) == 1
