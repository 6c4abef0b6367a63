"""Every route, asked by everybody: one table, which fails when a route is missing in it."""

import re

import pytest
from flask.testing import FlaskClient

from tests.support import events
from tests.support.events import NORD, TEST
from tests.support.web import Site, token
from webui.search.service import PAGE_COUNT

MINE = events.sample()[3]["event"]["id"]
THEIRS = events.sample(NORD, events.MARTA)[3]["event"]["id"]

# What is asked, then the status for: nobody, a stranger (of another tenant), the owner, an operator.
# A stranger's page of lists has only the stranger's own events: `test_a_stranger_sees_nothing` looks at that.
TABLE: dict[tuple[str, str], tuple[str, tuple[int, int, int, int]]] = {
    ("GET", "/"): (f"/?tenant={TEST}", (303, 404, 200, 200)),
    ("GET", "/sign-in"): ("/sign-in", (200, 303, 303, 303)),
    ("POST", "/sign-in"): ("/sign-in", (400, 400, 400, 400)),
    ("POST", "/sign-out"): ("/sign-out", (400, 400, 400, 400)),
    ("GET", "/activity"): (f"/activity?tenant={TEST}", (303, 404, 200, 200)),
    ("GET", "/activity/counts"): (f"/activity/counts?tenant={TEST}", (303, 404, 200, 200)),
    ("GET", "/activity/<event_id>"): (f"/activity/{MINE}", (303, 404, 200, 200)),
    # For auditors and above; the owner is a viewer.
    ("GET", "/exports"): ("/exports", (303, 200, 403, 200)),
    ("GET", "/exports/new"): (f"/exports/new?tenant={TEST}", (303, 404, 403, 200)),
    ("POST", "/exports"): ("/exports", (400, 400, 400, 400)),
    ("GET", "/exports/<job_id>/file"): ("/exports/nosuch/file", (303, 404, 403, 404)),
    ("GET", "/exports/<job_id>/manifest"): ("/exports/nosuch/manifest", (303, 404, 403, 404)),
    ("GET", "/static/<path:filename>"): ("/static/audit.css", (200, 200, 200, 200)),
    ("GET", "/bootstrap/static/<path:filename>"): (
        "/bootstrap/static/css/bootstrap.min.css",
        (200, 200, 200, 200),
    ),
}
ASKING = ("nobody", "stranger", "owner", "operator")


@pytest.fixture(scope="module")
def browsers(site: Site) -> dict[str, FlaskClient]:
    return {name: site.browser() if name == "nobody" else site.signed_in(name) for name in ASKING}


def test_the_table_names_every_route(site: Site) -> None:
    routes = {
        (method, rule.rule)
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(TABLE)


@pytest.mark.parametrize("route", TABLE, ids=" ".join)
@pytest.mark.parametrize("who", ASKING)
def test_answers(browsers: dict[str, FlaskClient], who: str, route: tuple[str, str]) -> None:
    path, statuses = TABLE[route]
    # Posts come without a token here: they are refused, whoever sends them.
    with browsers[who].open(path, method=route[0]) as answer:
        pass
    assert answer.status_code == statuses[ASKING.index(who)]
    if answer.status_code == 303 and who == "nobody":
        assert answer.location.startswith("/sign-in?next=")


@pytest.mark.parametrize("path", ["/nosuch", "/activity/nosuch/deeper", "/static/../app.py", "/admin"])
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
    # The token of the form to sign out tells the second it was made in.
    assert re.sub(r'value="[^"]+"', "", missing.text) == re.sub(r'value="[^"]+"', "", anothers.text)


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
