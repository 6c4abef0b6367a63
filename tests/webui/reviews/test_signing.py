"""What happens to a review between the look of whoever signs it and the signature."""

from collections.abc import Callable

import pytest

from indexer.errors import ConflictError
from indexer.query import Scope
from tests.support.events import TEST
from tests.webui.reviews.conftest import Browser, Desk, browser_of
from tests.webui.reviews.test_pages import FINDING, sign
from webui.reviews import service
from webui.reviews.archive import Archive, SignedError
from webui.reviews.assembly import make_archive
from webui.reviews.record import Record
from webui.reviews.review import Review
from webui.tenancy import Reader


@pytest.fixture
def page(desk: Desk, review: Review) -> Browser:
    return browser_of(desk, review)


def signed_as_admin(desk: Desk, page: Browser, meanwhile: Callable[[Record], None]) -> Record:
    return desk.reviews.sign(
        Reader("admin", Scope(TEST)),
        "admin",
        page.id,
        prove=lambda: "password",
        revision=page.revision(),
        why="x",
        record=meanwhile,
    )


def test_nothing_is_changed_while_somebody_signs(desk: Desk, page: Browser) -> None:
    page.look_at_all()
    answers: list[tuple[int, str]] = []
    signed_as_admin(desk, page, lambda _: answers.append(page.post("findings", **FINDING, events="")))
    ((status, text),) = answers
    assert status == 409
    assert "Somebody signs this review at this moment." in text
    assert "Who was it?" not in page.text()


def test_nobody_signs_what_was_changed_before_it_was_held(desk: Desk, page: Browser) -> None:
    page.look_at_all()
    archive, revision = make_archive(desk.site.client, desk.site.store.prefix), page.revision()
    seen = archive.get(page.id)
    assert seen
    assert page.post("findings", **FINDING, events="")[0] == 303
    with pytest.raises(ConflictError):
        archive.hold(seen, desk.site.clock())
    status, text = sign(page, revision=revision)
    assert status == 409
    assert "It was changed since you opened this page." in text


def test_whoever_is_second_signs_nothing_and_the_trail_says_so(desk: Desk, page: Browser) -> None:
    page.look_at_all()
    answers: list[tuple[int, str]] = []
    made = signed_as_admin(desk, page, lambda _: answers.append(sign(page)))
    assert answers[0][0] == 409
    assert made.said["signed"]["by"] == "admin"
    (line,) = [
        each
        for each in desk.site.trail()
        if each.get("EntityId") == page.id and "signed" in str(each["Message"])
    ]
    assert (line["UserName"], line["Outcome"], line["StatusCode"]) == ("auditor", "failure", 409)


def test_of_two_that_were_recorded_the_second_has_a_line_that_it_failed(
    desk: Desk, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.look_at_all()

    def late(_archive: Archive, _record: Record) -> None:
        raise SignedError("Somebody else signed at the same moment. Look again.")

    monkeypatch.setattr(Archive, "sign", late)
    assert sign(page)[0] == 409
    lines = [each for each in desk.site.trail() if each.get("EntityId") == page.id][-3:]
    assert [each["Outcome"] for each in lines if "signed" in str(each["Message"])] == [
        "success",
        "failure",
    ]


def test_a_signer_who_died_keeps_nobody_from_it_for_long(desk: Desk, page: Browser) -> None:
    page.look_at_all()

    def die(_: Record) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        signed_as_admin(desk, page, die)
    assert sign(page)[0] == 409
    desk.later(minutes=5)
    assert sign(page)[0] == 303


def test_who_takes_too_long_signs_nothing(page: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    page.look_at_all()
    monkeypatch.setattr(service, "SIGNING_SECS", 0.0)
    assert sign(page)[0] == 409
    assert "SHA-256" not in page.text()
