"""Changing one's own password, with which one also signs."""

import pytest
from flask.testing import FlaskClient

from tests.support.web import PASSWORD, Site, sign_in, token

NEW = "a new one, of her own"


@pytest.fixture
def site(own_site: Site) -> Site:
    return own_site


def change(browser: FlaskClient, old: str = PASSWORD, new: str = NEW, again: str = NEW) -> tuple[int, str]:
    """Send the form; the status, and the page that is shown in the end."""
    form = {"csrf_token": token(browser, "/account"), "old": old, "new": new, "again": again}
    answer = browser.post("/account/password", data=form)
    shown = browser.get(answer.location) if answer.status_code == 303 else answer
    return answer.status_code, " ".join(shown.text.split())


def test_the_new_one_opens_the_account_and_the_old_one_does_not(site: Site) -> None:
    browser = site.signed_in("owner")
    status, text = change(browser)
    assert status == 303
    assert "Your password is changed." in text
    assert sign_in(site.browser(), "owner") == 401
    assert sign_in(site.browser(), "owner", NEW) == 303


def test_all_other_sessions_end_and_this_one_goes_on(site: Site) -> None:
    browser, other = site.signed_in("owner"), site.signed_in("owner")
    before = browser.get_cookie("audit_session")
    assert before is not None
    change(browser)
    assert browser.get("/activity").status_code == 200
    assert other.get("/activity").status_code == 303
    thief = site.browser()
    thief.set_cookie("audit_session", before.value)
    assert thief.get("/activity").status_code == 303


def test_it_is_in_the_trail_without_a_password(site: Site) -> None:
    change(site.signed_in("owner"))
    line = next(each for each in reversed(site.trail()) if each["Action"] == "configured")
    assert (line["Message"], line["UserName"]) == ("owner changed their own password", "owner")
    written = site.trail_path.read_text()
    assert NEW not in written
    assert PASSWORD not in written


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"old": "not the password at all"}, 403, "That is not your password. Nothing was changed."),
        ({"old": ""}, 400, "Enter your password."),
        ({"new": "short", "again": "short"}, 400, "A password has 12 to 1,024 characters."),
        ({"new": "x" * 1025, "again": "x" * 1025}, 400, "A password has 12 to 1,024 characters."),
        ({"again": f"{NEW}?"}, 400, "That is another one."),
        ({"again": ""}, 400, "That is another one."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changed(
    site: Site, form: dict[str, str], status: int, says: str
) -> None:
    browser = site.signed_in("owner")
    answered, text = change(browser, **form)
    assert answered == status
    assert says in text
    assert NEW not in text
    assert sign_in(site.browser(), "owner") == 303


def test_guessing_the_old_one_stops_at_ten(site: Site) -> None:
    browser = site.signed_in("owner")
    statuses = [change(browser, old=f"guess number {number}")[0] for number in range(11)]
    assert statuses == [403] * 10 + [429]
    assert change(browser)[0] == 429
    assert [each["StatusCode"] for each in site.trail()].count(403) == 10
    assert change(site.signed_in("auditor"))[0] == 303, "of another account they are not"
