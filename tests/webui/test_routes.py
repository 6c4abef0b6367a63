"""Every route, asked by everybody: one table, which fails when a route is missing in it."""

import re

import pytest
from flask.testing import FlaskClient

from tests.support import events, watching
from tests.support.checkout import ROOT
from tests.support.events import NORD, TEST
from tests.support.web import CHANNEL, Site, token
from webui.search.service import PAGE_COUNT

MINE = events.sample()[3]["event"]["id"]
THEIRS = events.sample(NORD, events.MARTA)[3]["event"]["id"]

# The table of the document is what is tested: who may ask what, and what is answered.
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ASKING = ("nobody", "stranger", "viewer", "auditor", "admin", "operator")
ACCOUNTS = {"viewer": "owner"}
NAMES = {
    "tenant": TEST,
    "event": MINE,
    "other": events.sample()[5]["event"]["id"],
    "order": "211bcda3-9c96-494f-8a80-38e6a8de09ba",
    "alert": watching.ALERT,
    "monitor": watching.MONITOR,
    "user": events.SOFIA["id"],
    "channel": CHANNEL,
}


def table() -> dict[tuple[str, str], tuple[str, tuple[int, ...]]]:
    """Read the document: route -> what is asked, and the status for each of ASKING."""
    found = {}
    for line in DOCUMENT.split("\n"):
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == len(ASKING) + 2:
            method, _, rule = cells[0].partition(" ")
            asked = cells[1].format_map(NAMES) if cells[1] else rule
            found[method, rule] = (asked, tuple(int(cell) for cell in cells[2:]))
    return found


TABLE = table()


@pytest.fixture(scope="module")
def browsers(site: Site) -> dict[str, FlaskClient]:
    return {
        name: site.browser() if name == "nobody" else site.signed_in(ACCOUNTS.get(name, name))
        for name in (*ASKING, "owner")
    }


def test_the_table_names_every_route(site: Site) -> None:
    routes = {
        (method, rule.rule)
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(TABLE)


def test_the_table_has_the_columns_that_are_asked() -> None:
    assert f"| route | asked | {' | '.join(ASKING)} |" in DOCUMENT


@pytest.mark.parametrize("route", TABLE, ids=" ".join)
def test_answers(own_browsers: dict[str, FlaskClient], route: tuple[str, str]) -> None:
    path, statuses = TABLE[route]
    answers = {who: asked(own_browsers[who], route[0], path) for who in ASKING}
    assert answers == dict(zip(ASKING, statuses, strict=True))


@pytest.fixture(scope="module")
def own_browsers(site: Site) -> dict[str, FlaskClient]:
    """Windows of this matrix alone: it signs people out, too."""
    return {
        name: site.browser() if name == "nobody" else site.signed_in(ACCOUNTS.get(name, name))
        for name in ASKING
    }


def asked(browser: FlaskClient, method: str, path: str) -> int:
    """Ask as a person does who was given the page's form: with its token, and nothing typed."""
    data = {"csrf_token": csrf(browser)} if method == "POST" and not path.startswith("/api/") else None
    if "sign-out" in path:
        # It would end what the others are asked with; whether it works is tested in `test_sign_in`.
        data = None
    with browser.open(path, method=method, data=data) as answer:
        if answer.status_code == 303 and "/sign-in?next=" in answer.location:
            return 401
        return answer.status_code


def csrf(browser: FlaskClient) -> str:
    page = browser.get("/sign-in")
    return token(browser, "/sign-in" if page.status_code == 200 else "/history")


@pytest.mark.parametrize("path", ["/nosuch", "/activity/nosuch/deeper", "/static/../app.py", "/admin/nosuch"])
@pytest.mark.parametrize("who", ASKING)
def test_what_is_not_there_is_404_for_everybody(
    browsers: dict[str, FlaskClient], who: str, path: str
) -> None:
    assert browsers[who].get(path).status_code == 404


@pytest.mark.parametrize("path", ["/activity", "/activity/counts", f"/activity/{THEIRS}"])
def test_a_stranger_sees_nothing_of_another_tenant(browsers: dict[str, FlaskClient], path: str) -> None:
    page = browsers["stranger"].get(path)
    assert page.status_code == 200
    for word in (TEST, MINE, "sofia", "Test Warehouse"):
        assert word not in page.text


def test_a_stranger_cannot_search_another_tenant_in(browsers: dict[str, FlaskClient]) -> None:
    page = browsers["stranger"].get("/activity?user=sofia*")
    assert "Nothing found" in page.text


def test_a_missing_event_and_anothers_look_the_same(browsers: dict[str, FlaskClient]) -> None:
    missing = browsers["stranger"].get("/activity/nosuchevent")
    anothers = browsers["stranger"].get(f"/activity/{MINE}")
    assert missing.status_code == anothers.status_code == 404
    # The token of the form to sign out tells the second it was made in; a print says when and what was asked.
    told = r'value="[^"]+"|<p class="printed">[^<]*</p>'
    assert re.sub(told, "", missing.text) == re.sub(told, "", anothers.text)


def test_a_page_of_results_cannot_be_moved_to_another_tenant(own_site: Site) -> None:
    events.load(own_site.client, own_site.store.prefix, [events.document(100 + n) for n in range(PAGE_COUNT)])
    owner, stranger, operator = (own_site.signed_in(name) for name in ("owner", "stranger", "operator"))
    link = older_link(owner.get("/activity").text)
    assert owner.get(link).status_code == 200
    assert stranger.get(link).status_code == 404
    assert operator.get(link).status_code == 404
    assert owner.get(link.replace("?", "?user=sofia*&")).status_code == 404


def test_the_same_origin_alone_may_post(browsers: dict[str, FlaskClient]) -> None:
    answer = browsers["owner"].post("/sign-out", data={"csrf_token": "made up"})
    assert answer.status_code == 400
    assert browsers["owner"].get("/activity").status_code == 200
    assert token(browsers["owner"], "/activity")


def older_link(page: str) -> str:
    before, _, _ = page.partition('rel="next"')
    return before.rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
