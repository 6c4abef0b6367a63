"""Whoever has no password signs after a sign-in with the provider just now: against a real provider."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.support import events
from tests.support.events import TEST
from tests.support.provider import BACK, RunningProvider, query_of
from tests.support.store import Store
from tests.support.web import PASSWORD, Site, build
from tests.webui.reviews.conftest import TUESDAY, Browser, Desk, week
from webui.access import Role
from webui.reviews.plan import PlanForm

ANNA = "anna@test001.example"


@pytest.fixture(scope="module")
def sso_site(
    provider: RunningProvider, module_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("sso")
    made = build(module_store, folder, change=provider.client(folder, "http://localhost"))
    made.accounts.add(ANNA, Role.AUDITOR, TEST, None)
    events.load(made.client, made.store.prefix, week())
    yield made
    made.client.close()


@pytest.fixture
def desk(sso_site: Site) -> Desk:
    found = Desk(sso_site, sso_site.app.extensions["audit-reviews"])
    found.at(TUESDAY)
    return found


@pytest.fixture
def page(provider: RunningProvider, desk: Desk) -> Browser:
    """Anna at a review of which she has looked at everything."""
    return at_a_review(provider, desk, "anna")


def at_a_review(provider: RunningProvider, desk: Desk, sub: str) -> Browser:
    """Somebody who signed in as usual, at a review that they worked through."""
    (review,) = desk.opened(desk.plan(form=PlanForm(reviewers=f"{sub}@test001.example")))
    client = desk.site.browser()
    answer = client.get(consent(provider, str(client.get("/sign-in/provider?next=/").location), sub))
    assert answer.status_code == 303
    page = Browser(client, f"/reviews/{review.id}")
    page.look_at_all()
    return page


def consent(provider: RunningProvider, address: str, sub: str = "anna", **claims: object) -> str:
    """Say yes at the provider; the way back."""
    provider.know(sub, email=f"{sub}@test001.example", email_verified=True, **claims)
    return provider.consent(address, sub)


def way(page: Browser) -> str:
    """Where the page sends somebody who is to sign in once more."""
    found = re.search(r'href="(/account/again[^"]+)"', page.text())
    assert found, page.text()
    return found[1].replace("&amp;", "&")


def came_back(provider: RunningProvider, page: Browser) -> int:
    """Sign in once more; the status of the page that the browser is sent back to."""
    address = str(page.client.get(way(page)).location)
    assert query_of(address)["prompt"] == "login"
    answer = page.client.get(consent(provider, address, auth_time=time.time()))
    if answer.status_code == 303:
        assert answer.location == page.page
    return answer.status_code


def sign(page: Browser, text: str = "") -> tuple[int, str]:
    """Send the form of a page that was shown, or of the one that is shown now."""
    found = re.search(r'name="revision" value="(\d+)"', text or page.text())
    assert found
    return page.post("sign", password="", revision=found[1])


def test_signs_after_signing_in_once_more_and_the_record_says_so(
    provider: RunningProvider, sso_site: Site, page: Browser
) -> None:
    assert "Your password, once more" not in page.text()
    assert came_back(provider, page) == 303
    assert "good for one signature until" in page.text()
    assert sso_site.trail()[-2]["Message"] == f"{ANNA} signed in with Example ID once more"
    assert sign(page)[0] == 303
    record = page.client.get(f"{page.page}/records/0").json
    assert record is not None
    assert (record["signed"]["by"], record["signed"]["confirmed_by"]) == (ANNA, "sign-in with Example ID")


def test_is_good_for_one_signature(provider: RunningProvider, page: Browser) -> None:
    came_back(provider, page)
    assert sign(page)[0] == 303
    status, text = page.post("notes", note="One thing more.", password="")
    assert status == 403
    assert "Sign in with Example ID once more first." in text
    assert "One thing more." in text, "what was typed is still there, and the way opens beside it"
    assert came_back(provider, page) == 303
    assert page.post("notes", note="One thing more.", password="")[0] == 303


def test_counts_for_five_minutes(provider: RunningProvider, desk: Desk, page: Browser) -> None:
    came_back(provider, page)
    text = page.text()
    desk.later(minutes=5)
    status, answer = sign(page, text)
    assert status == 403
    assert "Nothing was signed. Sign in with Example ID once more first." in answer
    assert desk.site.trail()[-1]["Outcome"] == "failure"
    assert page.client.get(f"{page.page}/records/0").status_code == 404


@pytest.mark.parametrize(
    ("sub", "claims", "why"),
    [
        ("anna", {"auth_time": "just now"}, "auth_time"),
        ("anna", {"auth_time": 1_700_000_000}, "knew you from before"),
        ("berta", {"auth_time": 4_000_000_000}, "somebody else"),
    ],
    ids=["not said when", "long ago", "somebody else"],
)
def test_a_word_that_is_not_enough_is_refused_and_the_session_goes_on(
    provider: RunningProvider, sso_site: Site, page: Browser, sub: str, claims: dict[str, object], why: str
) -> None:
    address = str(page.client.get(way(page)).location)
    answer = page.client.get(consent(provider, address, sub, **claims))
    assert answer.status_code == 401
    assert why in answer.text
    assert page.page in answer.text
    line = sso_site.trail()[-1]
    assert (line["Action"], line["UserName"], line["Outcome"]) == ("sign_in_failed", ANNA, "failure")
    assert "Sign in with Example ID once more</a>" in page.text()
    assert page.client.get("/account").status_code == 200


def test_another_browser_cannot_bring_it(provider: RunningProvider, sso_site: Site, page: Browser) -> None:
    address = str(page.client.get(way(page)).location)
    back = consent(provider, address, auth_time=time.time())
    stranger = sso_site.browser()
    assert stranger.get(back).status_code == 401
    assert page.client.get(f"{BACK}?code=x&state=guessed").status_code == 401
    assert "good for one signature" not in page.text()


def test_whoever_has_a_password_signs_by_it(provider: RunningProvider, desk: Desk) -> None:
    desk.site.accounts.add("paul@test001.example", Role.AUDITOR, TEST, PASSWORD)
    page = at_a_review(provider, desk, "paul")
    assert "Your password, once more" in page.text()
    assert page.post("sign", password=PASSWORD, revision=page.revision())[0] == 303
